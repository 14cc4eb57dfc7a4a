"""A subscription that is kept: renewed in time, asked for again when it was lost (WebSub 5)."""

import asyncio
import signal
from collections.abc import Awaitable, Callable
from typing import assert_never

from hub.clock import now_s
from hub.commands import renewal
from hub.commands.arrival import Arrival
from hub.commands.callback import Confirmed, Denied, Event, NotTaken, Stopped, Taken
from hub.commands.hub_client import HubAway, HubFailed, HubUnreachable
from hub.commands.reach import shown
from hub.commands.subscriber import Subscriber
from hub.protocol.requests import Mode

# So often is the clock looked at, since a machine that sleeps stops timers and not leases.
_LOOK_EVERY_S = 30
# More than a hub has for taking the request.
VERIFIED_WITHIN_S = 20
# A hub that starts beside its first subscriber is there by then; a URL with a typo never is.
ANSWERED_WITHIN_S = 30


class Listener:
    """Keeps a subscription until the user or the hub ends it.

    Args:
        subscriber: who has asked for nothing yet.
        show: awaited with each arrival, in order.
        say: called with a sentence on what becomes of the subscription.
        verified_within_s: how long a hub has for it; then it is asked again.
        answered_within_s: how long a URL at which no hub has ever answered is tried; once one has,
            it is tried for ever.

    Attributes:
        is_subscribed: whether the hub has ever verified it.
    """

    def __init__(
        self,
        subscriber: Subscriber,
        *,
        show: Callable[[Arrival], Awaitable[None]],
        say: Callable[[str], None],
        verified_within_s: float = VERIFIED_WITHIN_S,
        answered_within_s: float = ANSWERED_WITHIN_S,
    ) -> None:
        self._subscriber = subscriber
        self._events = subscriber.callback.events
        self._show = show
        self._say = say
        self._verified_within_s = verified_within_s
        self._renewal = renewal.Renewal()
        self._asking: asyncio.Task[None] | None = None
        self._answered_by_s = now_s() + answered_within_s
        self._has_answered = False
        self._was_taken = False
        self._has_ended = False
        self.is_subscribed = False

    def stop_on_signals(self) -> None:
        """Let Ctrl-C and SIGTERM end it in order, and a second one at once."""
        loop = asyncio.get_running_loop()

        def stop(number: signal.Signals) -> None:
            loop.remove_signal_handler(number)
            self._events.put_nowait(Stopped())

        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop, number)

    async def step(self) -> int | None:
        """Do what is due, deal with what happens next, and return an exit code at the end."""
        self._do_what_is_due(now_s())
        wait_s = min(max(self._renewal.next_at_s - now_s(), 0), _LOOK_EVERY_S)
        try:
            async with asyncio.timeout(wait_s):
                event = await self._events.get()
        except TimeoutError:
            return None
        return await self._deal_with(event)

    def _do_what_is_due(self, now: float) -> None:
        if self._renewal.ends_at_s <= now:
            self._say("The lease has ended: nothing arrives until the hub verifies a new one.")
            self._renewal = renewal.ended(self._renewal)
            self._has_ended = True
        if self._renewal.ask_at_s > now:
            return
        if self._renewal.is_unverified:
            self._fail(
                "No verification yet: perhaps the hub cannot reach "
                f"{self._subscriber.callback_url} (on one machine it has to run with --dev)"
            )
            return
        self._renewal = renewal.asked(self._renewal, now, verified_within_s=self._verified_within_s)
        self._asking = asyncio.create_task(self._ask())

    async def _ask(self) -> None:
        try:
            await self._subscriber.ask(Mode.SUBSCRIBE)
        except HubFailed as error:
            self._events.put_nowait(NotTaken(error=error))
        else:
            self._events.put_nowait(Taken())

    async def _deal_with(self, event: Event) -> int | None:
        match event:
            case Arrival():
                await self._show(event)
            case Confirmed(lease_s=lease_s):
                self._confirm(lease_s)
            case Taken():
                self._was_taken = self._has_answered = True
            case NotTaken(error=HubUnreachable() as error):
                is_final = not self._has_answered and now_s() >= self._answered_by_s
                return self._refuse(str(error), is_final=is_final)
            case NotTaken(error=error):
                self._has_answered = True
                return self._refuse(str(error), is_final=not isinstance(error, HubAway))
            case Denied(reason=reason):
                why = shown(reason) or "it gave no reason"
                self._renewal = renewal.ended(self._renewal)
                self._has_ended = True
                return self._refuse(f"The hub denied the subscription: {why}", is_final=True)
            case Stopped():
                await self._leave()
                return 0
            case never:
                assert_never(never)
        return None

    def _confirm(self, lease_s: int | None) -> None:
        self._renewal = renewal.confirmed(lease_s, now_s())
        lasts = f"for {lease_s} s" if lease_s else "for a time that the hub did not name"
        if not self.is_subscribed:
            target = f"{self._subscriber.topic} at {self._subscriber.hub}"
            self._say(f"subscribed to {target} {lasts}; Ctrl-C to stop")
        else:
            self._say(f"subscribed again {lasts}" if self._has_ended else f"renewed {lasts}")
        self.is_subscribed = True
        self._has_ended = False

    def _refuse(self, reason: str, *, is_final: bool) -> int | None:
        """Return 1 where that is final and nothing was ever granted; all else is tried again."""
        if is_final and not self.is_subscribed:
            self._say(f"websub-hub: {reason}")
            return 1
        self._fail(reason)
        return None

    def _fail(self, reason: str) -> None:
        pause_s = renewal.pause_s(self._renewal)
        self._say(f"{reason.rstrip('.')}; asking again in {pause_s} s")
        self._renewal = renewal.failed(self._renewal, now_s())

    async def _leave(self) -> None:
        is_asking = self._asking is not None and not self._asking.done()
        if not is_asking and not self._was_taken and not self.is_subscribed:
            return
        left = await self._subscriber.unsubscribe()
        for arrival in left.late:
            await self._show(arrival)
        self._say(
            "unsubscribed"
            if left.is_confirmed
            else "The hub did not confirm the end: the subscription ends with its lease."
        )
