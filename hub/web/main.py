"""The web process: from settings to a listening server, until it is told to stop."""

import asyncio
import signal
from collections.abc import Iterable
from functools import lru_cache, partial

import structlog
from aiohttp import web

from hub.clock import token_hex
from hub.descriptors import raise_limit
from hub.embedded.folder import running_redis_url
from hub.exits import EXIT_SETTINGS
from hub.garbage import collect_seldom
from hub.outbound.guard import Network, may_be_allowed
from hub.protocol.lease import LeaseBounds
from hub.protocol.requests import HostRule, RequestPolicy, SignatureMethod
from hub.settings import Settings
from hub.settings_rules import ANY_ADDRESS
from hub.store.fitness import UnfitRedis, fit_redis_or_stop
from hub.store.memory import Memory
from hub.store.store import Store
from hub.web.app import create_app
from hub.web.connection import listening
from hub.web.crowd import connections_max
from hub.web.events.cookie import TokenCookie
from hub.web.events.opening import Bounds, events_of
from hub.web.face import Face
from hub.web.own.resource import OwnTopicPages
from hub.web.room import Disk, StoreWithRoom
from hub.web.tokens import Tokens

_LOG = structlog.get_logger()
_RANDOM_BYTES = 16
# Reading an address costs more than all else of a request, and hosts come again and again.
_HOSTS_KEPT = 1024


def run(settings: Settings) -> int:
    """Return the exit code of the web process, once it was told to stop or could not start."""
    if settings.redis_url is None:
        _LOG.error("no redis url", hint="set WEBSUB_HUB_REDIS_URL, or run `websub-hub serve`")
        return EXIT_SETTINGS
    collect_seldom()
    try:
        asyncio.run(_serve(settings, settings.redis_url.get_secret_value()))
    except UnfitRedis as error:
        _LOG.error(str(error))
        return EXIT_SETTINGS
    except OSError as error:
        hint = "choose others with --host and --port (WEBSUB_HUB_HOST, WEBSUB_HUB_PORT)"
        address = {"host": settings.host, "port": settings.port}
        _LOG.error("cannot listen", **address, error=error.strerror, hint=hint)
        return EXIT_SETTINGS
    return 0


def policy_of(settings: Settings, face: Face) -> RequestPolicy:
    """Return what the settings grant and refuse."""
    method = settings.signature_method
    # Behind a proxy, addresses are its business.
    is_direct = settings.proxy_url is None
    return RequestPolicy(
        lease=LeaseBounds(
            default_s=settings.lease_default_s,
            min_s=settings.lease_min_s,
            max_s=settings.lease_max_s,
        ),
        signature=None if method == "auto" else SignatureMethod(method),
        secret_refused=not face.is_secure and settings.secret_over_http == "refuse",  # noqa: S105
        url_max_bytes=settings.url_max_bytes,
        hub_url=settings.hub_url,
        topic_hosts=_open_in(settings.topics_allow) if is_direct else None,
        callback_hosts=_open_in(settings.callbacks_allow) if is_direct else None,
    )


def _open_in(networks: Iterable[Network]) -> HostRule:
    return lru_cache(_HOSTS_KEPT)(partial(may_be_allowed, allow_list=tuple(networks)))


async def _serve(settings: Settings, redis_url: str) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    _warn_of_a_guessed_url(settings)
    store = Store.of(settings, redis_url, randomness=token_hex(_RANDOM_BYTES))
    memory = Memory(redis_url)
    connections = connections_max(raise_limit())
    roomy = StoreWithRoom(store=store, memory=memory, disk=disk_of(settings, redis_url))
    app = _app_of(settings, redis_url, store, roomy, connections=connections)
    try:
        async with listening(
            app, host=settings.host, port=settings.port, connections_max=connections
        ) as port:
            _LOG.info("web started", host=settings.host, port=port, hub=settings.hub_url)
            await fit_redis_or_stop(
                redis_url, stop, history_total_bytes=settings.history_total_bytes
            )
            await stop.wait()
            _LOG.info("web stopping")
    finally:
        await memory.close()
        await store.close()


def _app_of(
    settings: Settings, redis_url: str, store: Store, roomy: StoreWithRoom, *, connections: int
) -> web.Application:
    face = Face(
        hub_url=settings.hub_url,
        request_max_bytes=settings.request_max_bytes,
        takes_content=settings.publish_tokens is not None,
    )
    policy = policy_of(settings, face)
    # The rest is for those who publish and subscribe.
    bounds = Bounds(readers_max=connections * 3 // 4)
    events = events_of(
        settings, redis_url, store, policy=policy, check_room=roomy.check, bounds=bounds
    )
    own = OwnTopicPages(
        store.own_topics,
        Tokens.of(settings.publish_tokens),
        hub_url=settings.hub_url,
        content_max_bytes=settings.publish_max_bytes,
        check_room=roomy.check,
    )
    cookie = TokenCookie(Tokens.of(settings.read_tokens), hub_url=settings.hub_url)
    return create_app(roomy, policy, face, events, own, cookie)


def disk_of(settings: Settings, redis_url: str) -> Disk | None:
    """Return the disk to watch: the data folder's, where the Redis in use is the one on it."""
    if running_redis_url(settings.data) != redis_url:
        return None
    return Disk(folder=settings.data, min_free_bytes=settings.min_free_disk_bytes)


def _warn_of_a_guessed_url(settings: Settings) -> None:
    if settings.public_url is None and settings.host in ANY_ADDRESS:
        _LOG.warning(
            "the hub's own URL is a guess, and publishers cannot use it: "
            "set WEBSUB_HUB_PUBLIC_URL to what the world calls the hub",
            hub=settings.hub_url,
        )
