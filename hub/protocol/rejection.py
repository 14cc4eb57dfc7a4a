"""What a hub says to a request that it does not take (WebSub 5.1.2)."""

from hub.errors import HubError


class RequestRejected(HubError):
    """A peer's request is in error.

    Attributes:
        message: one plain sentence that says what to mend.
        field: the parameter at fault, None where it is the request as a whole.
        status: the HTTP status to answer with.
    """

    def __init__(self, message: str, *, field: str | None = None, status: int = 400) -> None:
        super().__init__(message)
        self.message = message
        self.field = field
        self.status = status
