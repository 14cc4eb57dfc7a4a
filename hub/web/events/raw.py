"""Events on pull in the topic's own format: the fat ping that a callback would get (WebSub 7)."""

from aiohttp import web

from hub.protocol.delivery import link_header
from hub.protocol.rejection import RequestRejected
from hub.store.payload import Payload, payload_of_events, webhook_id_of
from hub.web.events.acceptance import Raw, media_type_of
from hub.web.events.desk import Desk, Following
from hub.web.events.page import Appended
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
    events = []
    for item in page.items:
        if not isinstance(item, Appended):
            break
        events.append((item.event_id, item.event))
    found = payload_of_events(events, is_json=True)
    if isinstance(found, Payload):
        webhook_id, content_type, body = found.webhook_id, found.content_type, found.body
    else:
        document = await desk.log.read_whole(topic.topic_id)
        first = page.items[0].event_id
        webhook_id = webhook_id_of([first, max(document.head, first)])
        content_type, body = document.content_type, document.body
    headers = {"Webhook-Id": webhook_id, "Content-Type": content_type} | link | _HEADERS
    return web.Response(body=body, headers=headers)
