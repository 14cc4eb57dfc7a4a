"""From settings to the resource /events."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from hub.protocol.requests import RequestPolicy
from hub.settings import Settings
from hub.store.store import Store
from hub.web.events.access import Access, Visitors
from hub.web.events.describer import Describer
from hub.web.events.desk import Desk
from hub.web.events.newsroom import Newsroom
from hub.web.events.press import Press
from hub.web.events.resource import Events
from hub.web.events.trial import Trials
from hub.web.tokens import Tokens


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What a process has room for.

    Attributes:
        readers_max: streams and long polls.
        heartbeat_s: how long a stream may be silent; proxies take a silent connection for a dead
            one after a minute.
    """

    readers_max: int
    heartbeat_s: float = 15.0


def events_of(
    settings: Settings,
    redis_url: str,
    store: Store,
    *,
    policy: RequestPolicy,
    check_room: Callable[[], Awaitable[None]],
    bounds: Bounds,
) -> Events:
    """Returns the resource; it opens no connection and starts no process yet."""
    describer = Describer()
    press = Press(store.log, describer, event_max_bytes=settings.event_max_bytes)
    access = access_of(settings)
    desk = Desk(
        history=store.history,
        log=store.log,
        press=press,
        newsroom=Newsroom(store.history, press),
        access=access,
        visitors=Visitors(most=settings.readers_per_address, most_in_all=bounds.readers_max),
        trials=Trials(store.history, access),
        topic_hosts=policy.topic_hosts,
        check_room=check_room,
        buffer_max_bytes=settings.event_max_bytes,
        heartbeat_s=bounds.heartbeat_s,
    )
    return Events(
        desk,
        describer,
        redis_url=redis_url,
        key_prefix=settings.key_prefix,
        url_max_bytes=settings.url_max_bytes,
    )


def access_of(settings: Settings) -> Access:
    """Returns who may read what."""
    return Access(
        hub_url=settings.hub_url,
        public=settings.public_topics,
        tokens=Tokens.of(settings.read_tokens),
        proxies=tuple(settings.proxies_trusted),
    )
