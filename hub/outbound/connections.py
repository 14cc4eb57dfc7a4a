"""The connections of one purpose: a multi handle with its cache, and handles to reuse."""

import pycurl

from hub.outbound.config import DoorConfig
from hub.outbound.request import Purpose
from hub.outbound.transfer import Transfer

_IDLE_HANDLES_MAX = 256


class Connections:
    """One multi handle for each purpose, since a kept connection skips the guard."""

    def __init__(self, config: DoorConfig, purpose: Purpose) -> None:
        self._config = config
        self._purpose = purpose
        self._idle: list[Transfer] = []
        self._active: dict[pycurl.Curl, Transfer] = {}
        self.multi = pycurl.CurlMulti()
        self.multi.setopt(pycurl.M_MAXCONNECTS, config.idle_connections_max)

    def take(self) -> Transfer:
        """A transfer that nobody uses; to be given back."""
        return self._idle.pop() if self._idle else Transfer(self._config, self._purpose)

    def begin(self, transfer: Transfer) -> None:
        """Has libcurl work on it."""
        self.multi.add_handle(transfer.easy)
        self._active[transfer.easy] = transfer

    def ended(self) -> list[tuple[Transfer, int, str]]:
        """The transfers that are over, with libcurl's code and message; no longer worked on."""
        over: list[tuple[Transfer, int, str]] = []
        left = 1
        while left:
            left, complete, failed = self.multi.info_read()
            over.extend((self.end(easy), pycurl.E_OK, "") for easy in complete)
            over.extend((self.end(easy), code, message) for easy, code, message in failed)
        return over

    def end(self, easy: pycurl.Curl) -> Transfer:
        """The transfer of this handle, no longer worked on; an unfinished one is aborted."""
        self.multi.remove_handle(easy)
        return self._active.pop(easy)

    def give_back(self, transfer: Transfer) -> None:
        """Keeps it for the next request, or closes it."""
        transfer.release()
        if len(self._idle) < _IDLE_HANDLES_MAX:
            self._idle.append(transfer)
        else:
            transfer.easy.close()

    def close(self) -> None:
        """Ends everything; waits for name look-ups that are under way."""
        self.multi.close()
        for transfer in (*self._idle, *self._active.values()):
            transfer.easy.close()
