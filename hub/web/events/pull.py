"""Events on pull: an answer with all that came since, at once or as soon as there is something."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from aiohttp import web

from hub.store.event_id import EventId
from hub.web.events.desk import Desk, Following
from hub.web.events.loss import told_when_lost
from hub.web.events.page import Page, read_page
from hub.web.events.prepared import Prepared
from hub.web.events.query import Query
from hub.web.events.waiter import Waiter


async def pull(
    request: web.Request, desk: Desk, query: Query, following: Following
) -> web.Response:
    """Returns the next events as JSON, and the cursor to come back with."""
    async with _waiter(request, desk, query, following) as waiter:
        page = await read_page(desk.history, following.cursors, limit=query.limit)
        events = [
            *following.resets,
            *[await desk.press.prepare(item, following.urls) for item in page.items],
        ]
        if not events and waiter is not None:
            events = await waiter.wait(after=page.complete_to, within_s=query.wait_s)
    events = events[: query.limit]
    cursor = max([page.complete_to, *(event.event_id for event in events)])
    return _answer(events, cursor, is_more=not page.is_last)


async def next_page(request: web.Request, desk: Desk, query: Query, following: Following) -> Page:
    """Returns the next items as the log has them, as soon as there are some."""
    async with _waiter(request, desk, query, following) as waiter:
        page = await read_page(desk.history, following.cursors, limit=query.limit)
        if page.items or waiter is None:
            return page
        await waiter.wait(after=page.complete_to, within_s=query.wait_s)
        return await read_page(desk.history, following.cursors, limit=query.limit)


@asynccontextmanager
async def _waiter(
    request: web.Request, desk: Desk, query: Query, following: Following
) -> AsyncIterator[Waiter | None]:
    if not query.wait_s:
        yield None
        return
    waiter = Waiter()
    address = desk.access.address_of(request)
    # Attached before anything is read: what comes in between is offered.
    with (
        desk.visitors.counted(address),
        desk.newsroom.attached(waiter, following.urls, newest=following.newest),
        told_when_lost(request, waiter.end),
    ):
        yield waiter


def _answer(events: Sequence[Prepared], cursor: EventId, *, is_more: bool) -> web.Response:
    listed = b",".join(event.json for event in events)
    more = b"true" if is_more else b"false"
    body = b'{"events":[%s],"next":"%s","more":%s}\n' % (listed, str(cursor).encode(), more)
    return web.Response(body=body, content_type="application/json")
