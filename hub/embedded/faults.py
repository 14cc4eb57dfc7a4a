"""Why an embedded Redis cannot be had; each text says what to do about it."""

from hub.errors import HubError


class EmbeddedUnavailable(HubError):
    """The embedded Redis cannot be started."""


class NoServerFound(EmbeddedUnavailable):
    """There is no Redis server on this machine that is new enough."""


class ServerTooOld(EmbeddedUnavailable):
    """No server found may open what a newer one wrote: an older one would find the folder empty."""


class FolderInUse(EmbeddedUnavailable):
    """Another `serve` holds the data folder."""


class FolderUnusable(EmbeddedUnavailable):
    """The data folder cannot be made, or not be read and written."""


class FolderNotOurs(EmbeddedUnavailable):
    """The data folder holds something that this version of the hub did not write."""


class SocketFolderUnsafe(EmbeddedUnavailable):
    """The folder for the socket belongs to somebody else, or its path is too long."""


class OrphanStuck(EmbeddedUnavailable):
    """A Redis that an earlier `serve` left behind does not end."""
