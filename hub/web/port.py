"""What the web asks of the store."""

from collections.abc import Sequence
from typing import Protocol

from hub.protocol.requests import SubscriptionRequest
from hub.store.results import Accepted, NotReady, Ready, TooManyPending


class HubStore(Protocol):
    """The records, as far as the web writes them.

    Each method raises `StoreUnavailable` or `StoreFull` where it cannot do its work.
    """

    async def accept(self, request: SubscriptionRequest) -> Accepted | TooManyPending:
        """Write the request down to be verified, and return once it is written."""
        ...

    async def ping(self, topics: Sequence[str]) -> None:
        """Have the topics fetched, and return once that is written."""
        ...

    async def readiness(self) -> Ready | NotReady:
        """Return whether a subscription and a ping would be worked on."""
        ...
