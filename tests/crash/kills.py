"""A process is ended by SIGKILL at one point, and started again; and once more, at any moment."""

import asyncio
import signal
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from tests.crash.child import Child
from tests.crash.ledger import Receiver, Row
from tests.crash.points import LIMITS, Moment, Point, Scene
from tests.crash.stage import EVEN_WITHIN_S, LAPSE_S, Stage, open_stage
from tests.workers.hub_in_process import LEASE_S
from tests.workers.sites import Heard

PUBLISH_EACH_S = 0.02
SLOW_S, PROMPT_S = 0.5, 0.002
SHORT_LEASE_S = 60
NEWCOMERS = 3
FURTHER_KILLS_MAX = 2
FURTHER_KILL_WITHIN_S = 0.4


@dataclass(slots=True, kw_only=True)
class Kills:
    """Rounds of one point.

    Attributes:
        chance: decides how often and when there are further kills.
        leaving: whose leases end in this round.
        wanted: whose requests were accepted.
    """

    stage: Stage
    point: Point
    chance: Random
    kills: int = 0
    leaving: list[Receiver] = field(default_factory=list)
    wanted: list[Receiver] = field(default_factory=list)
    web: Child | None = None
    worker: Child | None = None

    async def begin(self) -> None:
        """Starts the processes, and has everybody subscribed and up to date."""
        self.worker = self.stage.start()
        if self.point.process == "web":
            self.web = self.stage.start("web")
            await self.stage.until_web_answers()
        self.wanted += await self.stage.subscribe()
        await self.stage.publish()
        await self.stage.until_even()

    async def round(self, number: int) -> None:
        """Kills once at the point; in even rounds nobody publishes until all is even again.

        So a lost wake-up is not made good by the next ping; in odd rounds there are next pings,
        while what the killed process held is still held.
        """
        victim = self.web if self.point.process == "web" else self.worker
        assert victim is not None
        await self._prepare()
        await self._arm(victim, self._count(is_first=number == 0))
        await self._act()
        await self._publish_until_ended(victim)
        assert await victim.until_ended() == -signal.SIGKILL
        self.kills += 1
        for receiver in self.stage.receivers:
            receiver.delay_s = PROMPT_S
        await self.stage.note_in_flight()
        if number:
            await self._further_kills()
        await self._go_on(is_silent=number % 2 == 0)
        await self.stage.until_even()
        await self._look_at_leases()

    def _count(self, *, is_first: bool) -> int:
        """Returns at the how-manieth time: any, where each version that is published brings one."""
        most = self.point.count + 2
        is_by_publishing = self.point.scene in {Scene.ONE_BUCKET, Scene.THREE_BUCKETS}
        return (
            self.chance.randint(1, most)
            if is_by_publishing and not is_first
            else (self.point.count)
        )

    async def _prepare(self) -> None:
        stage = self.stage
        match self.point.scene:
            case Scene.SLOW_RECEIVERS:
                for receiver in stage.receivers[:2]:
                    receiver.delay_s = SLOW_S
            case Scene.CATCH_UP:
                await self._miss_some()
            case Scene.LEASES_END:
                self.leaving = await stage.subscribe(NEWCOMERS, lease_s=SHORT_LEASE_S)
                await stage.until_even()
            case Scene.ONE_BUCKET | Scene.THREE_BUCKETS | Scene.NEWCOMERS:
                pass

    async def _miss_some(self) -> None:
        """Two receivers are down for three versions."""
        stage = self.stage
        down, up = stage.receivers[:2], stage.receivers[2:]
        for receiver in down:
            receiver.is_down = True
        for _ in range(3):
            await stage.publish()
            await stage.until(lambda: not any(other.lacks(stage.accepted) for other in up))
        await stage.until_idle()
        for receiver in down:
            receiver.is_down = False

    async def _act(self) -> None:
        """Brings about what the point is about, where publishing does not."""
        match self.point.scene:
            case Scene.CATCH_UP:
                self.stage.move_clock(LAPSE_S)
            case Scene.NEWCOMERS if self.point.process == "worker":
                await self._newcomers_ask()
            case Scene.LEASES_END:
                for receiver in self.leaving:
                    receiver.until = self.stage.published
                self.stage.move_clock(SHORT_LEASE_S + 1)
            case _:
                pass

    async def _newcomers_ask(self) -> None:
        for _ in range(NEWCOMERS):
            receiver = self.stage.new_receiver()
            await self.stage.ask(receiver)
            self.wanted.append(receiver)

    async def _arm(self, victim: Child, count: int) -> None:
        if self.point.moment is not Moment.HEARD:
            return await victim.arm(self.point, count, signal.SIGKILL)
        left = count

        def heard(request: Heard) -> None:
            nonlocal left
            left -= request.method == self.point.call
            if left == 0:
                victim.signal(signal.SIGKILL)

        self.stage.on_heard = heard
        return None

    async def _publish_until_ended(self, victim: Child) -> None:
        stage, through_web = self.stage, self.point.process == "web"
        async with asyncio.timeout(EVEN_WITHIN_S):
            while victim.is_running:
                if through_web and self.point.scene is Scene.NEWCOMERS:
                    await self._newcomer_asks_web()
                # A delivery looks at leases too, and would end these before their list is due.
                elif self.point.scene is not Scene.LEASES_END:
                    await stage.publish(through_web=through_web)
                await asyncio.sleep(PUBLISH_EACH_S)
        stage.on_heard = lambda _: None

    async def _newcomer_asks_web(self) -> None:
        receiver = self.stage.new_receiver()
        status = await self.stage.status_of(
            "post",
            mode="subscribe",
            topic=self.stage.topic.url,
            callback=receiver.url,
            lease_seconds=str(LEASE_S),
        )
        if status == 202:
            self.wanted.append(receiver)

    async def _further_kills(self) -> None:
        """Kills the worker some more, at whatever it is doing then."""
        for _ in range(self.chance.randint(0, FURTHER_KILLS_MAX)):
            if self.worker is None or not self.worker.is_running:
                self.worker = self.stage.start()
            ends_at_s = asyncio.get_running_loop().time() + self.chance.random() * (
                FURTHER_KILL_WITHIN_S
            )
            while asyncio.get_running_loop().time() < ends_at_s:
                await self.stage.publish()
                await asyncio.sleep(PUBLISH_EACH_S)
            await self.worker.kill()
            self.kills += 1
            await self.stage.note_in_flight()
            self.stage.move_clock(self.chance.choice((0, LAPSE_S)))

    async def _go_on(self, *, is_silent: bool) -> None:
        """Starts what was ended; what was held falls due before that, or in the middle of news."""
        stage, through_web = self.stage, self.point.process == "web"
        # Nothing that is under way may lapse: it would be sent again.
        is_dead = self.worker is not None and not self.worker.is_running
        held = stage.records.held() if is_dead else frozenset()
        if is_silent and is_dead:
            stage.move_clock(LAPSE_S)
        await self._start_again()
        if is_silent:
            await stage.until_even()
        for _ in range(2):
            await stage.publish(through_web=through_web)
            await asyncio.sleep(PUBLISH_EACH_S)
        if not is_silent:
            await stage.until_idle(besides=held)
            stage.move_clock(LAPSE_S)

    async def _start_again(self) -> None:
        if self.worker is None or not self.worker.is_running:
            self.worker = self.stage.start()
        if self.web is not None and not self.web.is_running:
            self.web = self.stage.start("web")
            await self.stage.until_web_answers()

    async def _look_at_leases(self) -> None:
        await self.stage.until(lambda: not any(map(self.stage.is_subscribed, self.leaving)))
        self.leaving = []

    def row(self) -> Row:
        active = {receiver.path for receiver, _ in self.stage.progress()}
        lost = [
            f"{receiver.path}: accepted, and never subscribed"
            for receiver in self.wanted
            if receiver.path not in active
        ]
        return self.stage.row(runs=self.kills, lost=lost)


async def kill_at(
    point: Point, url: str, prefix: str, folder: Path, *, rounds: int, chance: Random
) -> Row:
    """Returns the row of a point."""
    async with open_stage(url, prefix, folder, LIMITS.get(point.scene)) as stage:
        kills = Kills(stage=stage, point=point, chance=chance)
        await kills.begin()
        for number in range(rounds):
            await kills.round(number)
        return kills.row()
