"""All checks, in the order in which a publisher should read them."""

from collections.abc import Iterator

from hub.doctor.checks import content, feed, freshness, links, self_link, subscription, way
from hub.doctor.finding import Finding
from hub.doctor.observation import Observation, Page


def examine(seen: Observation) -> tuple[Finding, ...]:
    """Return what all checks found. Slow where documents are large, never touches anything."""
    return tuple(_findings(seen))


def _findings(seen: Observation) -> Iterator[Finding]:
    for check in way.CHECKS:
        yield from check(seen)
    if seen.page is not None:
        yield from _of_page(seen, seen.page)
    yield from subscription.check_subscription(seen)


def _of_page(seen: Observation, page: Page) -> Iterator[Finding]:
    yield from content.check_size(seen, page)
    if page.answer.is_cut:
        # What is cut in the middle would only look broken.
        return
    yield from links.check_hub_link(seen, page)
    yield from links.check_our_hub(seen, page)
    for check in (links.check_hubs_alive, self_link.check_self_link, *content.CHECKS, *feed.CHECKS):
        yield from check(page)
    yield from feed.check_dates(seen, page)
    for check in freshness.CHECKS:
        yield from check(page)
    yield from freshness.check_last_modified(seen, page)
