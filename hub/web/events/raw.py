"""Events on pull in the topic's own format: the fat ping that a callback would get (WebSub 7)."""

from collections.abc import Sequence

from aiohttp import web

from hub.feeds.fat_ping import merge
from hub.protocol.delivery import link_header
from hub.protocol.rejection import RequestRejected
from hub.store.event_id import EventId
from hub.store.log import EntriesEvent
from hub.web.events.acceptance import Raw, media_type_of
from hub.web.events.desk import Desk, Following
from hub.web.events.page import Appended, Item
from hub.web.events.pull import next_page
from hub.web.events.query import Query

_NOT_ACCEPTABLE = (
    "Events come as application/json, text/event-stream, application/x-ndjson, or in the topic's "
    "own type, which is {type}."
)
_ONE_TOPIC = "Name one topic where you ask for its own format: several make no one document."
_UNKNOWN_TYPE = "not known yet"
# What a stranger has written is never a page of ours.
_HEADERS = {
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "Content-Disposition": "attachment",
}


def is_raw(wanted: Raw, following: Following) -> bool:
    """Returns whether the topic's own type is one of those that are wanted.

    Raises:
        RequestRejected: nothing of what is wanted is there.
    """
    types = [media_type_of(topic.content_type) for topic in following.topics]
    if len(types) == 1 and types[0] in wanted.types:
        return True
    if wanted.otherwise is None:
        if len(types) > 1:
            raise RequestRejected(_ONE_TOPIC, field="topic", status=406)
        raise RequestRejected(_NOT_ACCEPTABLE.format(type=types[0] or _UNKNOWN_TYPE), status=406)
    return False


async def pull_raw(
    request: web.Request, desk: Desk, query: Query, following: Following
) -> web.Response:
    """Returns what is new as one document, or 204; `webhook-id` is the cursor to go on from."""
    page = await next_page(request, desk, query, following)
    (topic,) = following.topics
    link = {"Link": link_header(topic.hubs or (desk.access.hub_url,), topic.url)}
    if not page.items:
        return web.Response(status=204, headers={"Webhook-Id": str(page.complete_to)} | link)
    run = _run(page.items)
    if run:
        ping, count = merge([event.ping for _, event in run])
        ids = [event_id for event_id, _ in run[:count]]
        content_type, body = run[0][1].content_type, ping.document
    else:
        document = await desk.log.read_whole(topic.topic_id)
        ids = [page.items[0].event_id, max(document.head, page.items[0].event_id)]
        content_type, body = document.content_type, document.body
    headers = {"Webhook-Id": _webhook_id(ids), "Content-Type": content_type} | link | _HEADERS
    return web.Response(body=body, headers=headers)


def _run(items: Sequence[Item]) -> list[tuple[EventId, EntriesEvent]]:
    """Returns the first events that can stand in one document; none where it takes the whole."""
    run: list[tuple[EventId, EntriesEvent]] = []
    for item in items:
        if not isinstance(item, Appended) or not isinstance(item.event, EntriesEvent):
            break
        if run and item.event.content_type != run[0][1].content_type:
            break
        run.append((item.event_id, item.event))
    return run


def _webhook_id(ids: Sequence[EventId]) -> str:
    return str(ids[0]) if ids[0] == ids[-1] else f"{ids[0]}..{ids[-1]}"
