"""Why a server could not be asked, in words for who asked."""

import errno
import os

import aiohttp


def unreachable(name: str, error: Exception) -> str:
    """Return a sentence on why a server could not be asked."""
    return f"Cannot reach {name}: {reason(error)}"


def reason(error: Exception) -> str:
    """Return what went wrong with a request, without a full stop."""
    match error:
        case TimeoutError():
            return "it did not answer in time"
        case aiohttp.ClientConnectorDNSError():
            return f"the name {error.host} has no address"
        case aiohttp.ClientConnectorCertificateError():
            return f"the certificate of {error.host} is not valid ({_on_one_line(error)})"
        case aiohttp.ClientConnectorError():
            return _fault_of_connection(error)
        case aiohttp.ServerDisconnectedError() | aiohttp.ClientPayloadError():
            return "the connection ended before its answer did"
        case _:
            return _rare(error)


def shown(text: str) -> str:
    """Return the text on one line, without what could steer a terminal."""
    return "".join(c if c.isprintable() else " " for c in text.strip())


def _rare(error: Exception) -> str:
    match error:
        case aiohttp.TooManyRedirects():
            return "it redirects too often"
        case aiohttp.InvalidURL() | aiohttp.NonHttpUrlClientError():
            return f"it leads to {shown(str(error))}, which is no address on the web"
        case aiohttp.ClientResponseError():
            return "its answer is no HTTP"
        case aiohttp.ClientOSError():
            return "the connection broke off"
        case _:
            return _on_one_line(error)


def _fault_of_connection(error: aiohttp.ClientConnectorError) -> str:
    place, code = f"{error.host} port {error.port}", error.os_error.errno
    if code == errno.ECONNREFUSED:
        return f"nothing listens on {place}"
    if isinstance(error, aiohttp.ClientConnectorSSLError):
        return f"no TLS on {place} ({_on_one_line(error.os_error)})"
    return f"{os.strerror(code) if code else _on_one_line(error.os_error)} ({place})"


def _on_one_line(error: Exception) -> str:
    return shown(str(error)) or type(error).__name__
