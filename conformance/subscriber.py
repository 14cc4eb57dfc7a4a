"""The subscriber's side: callbacks that confirm, refuse, and take deliveries."""

from conformance.answer import SAFE, Answer, Reply, Responder, always, echo
from conformance.exchange import Exchange, Way
from conformance.site import Site


class Callback(Site):
    """A callback on our server; confirms what it is asked and takes what it is given."""

    way = Way.TO_CALLBACK

    def __init__(self, url: str, log: list[Exchange]) -> None:
        super().__init__(url, log)
        self.on_verification: Responder = echo()
        self.on_delivery: Responder = always(Answer(status=200, headers=SAFE))

    async def reply(self, exchange: Exchange) -> Reply:
        """Returns the answer to a delivery, a verification, or a denial."""
        if exchange.method == "POST":
            return await self.on_delivery(exchange)
        if _is_denial(exchange):
            return Answer(headers=SAFE)
        return await self.on_verification(exchange)

    @property
    def verifications(self) -> list[Exchange]:
        """Each request so far that asks for a confirmation, whatever mode it names."""
        return [e for e in self.exchanges if e.method != "POST" and not _is_denial(e)]

    @property
    def denials(self) -> list[Exchange]:
        """Each denial so far."""
        return [e for e in self.exchanges if e.method != "POST" and _is_denial(e)]

    @property
    def deliveries(self) -> list[Exchange]:
        """Each delivery so far."""
        return [e for e in self.exchanges if e.method == "POST"]

    def holding(self, marker: bytes) -> list[Exchange]:
        """Returns the deliveries whose body holds these bytes."""
        return [e for e in self.deliveries if marker in e.body]


def _is_denial(exchange: Exchange) -> bool:
    return exchange.parameter("hub.mode") == "denied"
