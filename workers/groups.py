"""Who of a bucket shares a request, and how each is addressed."""

from collections.abc import Collection, Mapping

from hub.outbound.request import Addressee
from hub.protocol.requests import Content
from hub.protocol.urls import wire_form
from hub.store.buckets import BucketClaim, Member
from hub.store.event_id import EventId

# Fine print 11: a claim holds few bodies in memory; who needs another one stays due.
BODIES_PER_CLAIM_MAX = 8

# The cursor, and whether the whole document is wanted.
Key = tuple[EventId, bool]
Groups = Mapping[Key, list[Member]]


def groups_of(claim: BucketClaim, *, without: Collection[bytes]) -> Groups:
    """Returns the members but those without, by what they are to have, which a group shares."""
    groups: dict[Key, list[Member]] = {}
    for member in claim.members:
        if member.subscription_id in without:
            continue
        key = _key(claim, member)
        if key in groups:
            groups[key].append(member)
        elif len(groups) < BODIES_PER_CLAIM_MAX:
            groups[key] = [member]
    return groups


def addressee(member: Member) -> Addressee:
    """Returns where a member's request goes, and how it is signed."""
    subscription = member.subscription
    return Addressee(
        wire_form(subscription.callback),
        subscription.secret,
        subscription.signature,
        # Whoever falls over a delivery gets it once in each further attempt.
        is_new_connection_wanted=member.progress.attempts > 0,
    )


def _key(claim: BucketClaim, member: Member) -> Key:
    content = member.subscription.content
    # WebSub 7 lets a hub leave out what was delivered before of Atom and RSS, and of nothing else.
    is_whole_wanted = content is Content.FULL or (content is None and claim.is_json)
    return member.progress.cursor, is_whole_wanted
