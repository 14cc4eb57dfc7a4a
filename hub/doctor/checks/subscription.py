"""Whether a change reaches a subscriber of a hub (WebSub 5, 6, 7)."""

from collections.abc import Iterator

from hub.commands.arrival import Arrival, signature_verdict
from hub.doctor.checks.links import same_form
from hub.doctor.finding import Finding, advice, fault, ok, skipped
from hub.doctor.observation import Observation, Trial
from hub.protocol.links import read_links


def check_subscription(seen: Observation) -> Iterator[Finding]:
    """Check that the hub takes a subscription, and delivers a change."""
    trial = seen.trial
    if trial is None:
        yield skipped(
            "ping",
            "Whether a change reaches subscribers was not tried.",
            mend="To try it, add --hub HUB_URL --wait-s 120, and publish something meanwhile.",
        )
        return
    if trial.verified_at_s is None or trial.denial is not None:
        yield _not_subscribed(trial)
        return
    yield ok("subscription", f"{trial.hub} took it and verified it.")
    yield from _delivery(trial)


def _not_subscribed(trial: Trial) -> Finding:
    if trial.refusal:
        found = f"The hub did not take it: {trial.refusal}."
    elif trial.denial is not None:
        found = f"The hub denied it: {trial.denial or 'it gave no reason'}."
    else:
        found = "The hub took it, and never asked our callback to confirm it."
    return fault(
        "subscription",
        found,
        mend="Where the hub runs elsewhere, give it a way to this machine: --host, --port, "
        "--callback-url. Else ask who runs the hub.",
        why="The hub has to reach a subscriber to verify it (WebSub 5.3), and to deliver.",
    )


def _delivery(trial: Trial) -> Iterator[Finding]:
    if trial.arrival is not None:
        yield ok("ping", f"A delivery came {_delay(trial, trial.arrival)}.")
        yield from _contents(trial, trial.arrival)
    elif trial.changed_at_s is not None:
        yield fault(
            "ping",
            "The topic changed, and nothing was delivered.",
            mend=f"Let publishing send hub.mode=publish and hub.url={trial.topic} to {trial.hub}.",
            why="Without a ping the hub learns of nothing (WebSub 6).",
        )
    else:
        yield skipped(
            "ping",
            f"Nothing was published within {trial.wait_s:g} s.",
            mend="Wait longer (--wait-s), and publish something meanwhile.",
        )


def _delay(trial: Trial, arrival: Arrival) -> str:
    if trial.changed_at_s is None:
        return f"at most {trial.poll_s:g} s after the change"
    return f"{max(arrival.at_s - trial.changed_at_s, 0):.1f} s after the change was seen"


def _contents(trial: Trial, arrival: Arrival) -> Iterator[Finding]:
    verdict = signature_verdict(arrival, trial.secret)
    if verdict.startswith("ok"):
        yield ok("signature", f"It is right: {verdict}.")
    else:
        yield fault(
            "signature",
            f"The signature of the delivery is {verdict}.",
            mend="Tell who runs the hub.",
            why="Subscribers drop what they cannot verify (WebSub 7.1.2).",
        )
    links = read_links([arrival.header("link")], trial.topic)
    if links.self_url != trial.topic:
        yield advice(
            "delivery links",
            f"The delivery calls the topic {links.self_url or 'nothing'} instead of {trial.topic}.",
            mend="Subscribe under the URL that the topic gives itself in rel=self.",
            why="Some subscribers tell by it what came (WebSub 7).",
        )
    elif same_form(trial.hub) not in map(same_form, links.hubs):
        yield advice(
            "delivery links",
            f"The delivery names {', '.join(links.hubs) or 'no hub'} instead of {trial.hub}.",
            mend="Name the hub by one URL, in the topic and at the hub.",
            why="A delivery names a hub of the topic (WebSub 7).",
        )
    else:
        yield ok("delivery links", "It names the topic and the hub.")
