"""A ping for a topic that names another URL as its own: that one is fetched too, one hop far."""

from dataclasses import replace

from hub.protocol.urls import normalised, topic_id
from tests.store.scene import NEWS, ONE, SAME, TOPIC, TWO, Scene

OTHER = f"{TOPIC}/other"


def names(scene: Scene, topic: str, self_url: str) -> None:
    """The topic, followed and fetched, advertises this URL as its own."""
    scene.subscribe(ONE, topic=topic)
    scene.later(60_000)
    scene.publish(topic, replace(NEWS, facts={"self_key": topic_id(normalised(self_url))}))
    scene.later(60_000)


def test_the_topic_of_the_url_that_it_names_as_its_own_is_fetched_too(scene: Scene) -> None:
    scene.subscribe(TWO, topic=OTHER)
    names(scene, TOPIC, OTHER)
    assert scene.ping() == 2
    assert {claim.url for claim in scene.claim_fetches()} == {TOPIC, OTHER}
    assert scene.field("last_ping", OTHER) == str(scene.world.now).encode()


def test_that_one_is_found_however_it_is_spelt(scene: Scene) -> None:
    scene.subscribe(TWO, topic="http://t.example/%7ea")
    names(scene, TOPIC, "http://t.example/~a")
    assert scene.ping() == 2


def test_a_url_that_nobody_follows_is_named_in_vain(scene: Scene) -> None:
    names(scene, TOPIC, OTHER)
    assert scene.ping() == 1
    assert scene.field("url", OTHER) is None


def test_a_topic_that_names_itself_is_moved_once(scene: Scene) -> None:
    names(scene, TOPIC, TOPIC)
    assert scene.ping() == 1


def test_one_that_is_named_by_two_spellings_is_moved_once(scene: Scene) -> None:
    scene.subscribe(TWO, topic=OTHER)
    names(scene, "http://t.example/~a", OTHER)
    scene.subscribe(ONE, topic="http://t.example/%7ea")
    scene.ping("http://t.example/~a")
    for claim in scene.claim_fetches():
        scene.append(claim, replace(NEWS, facts={"self_key": topic_id(OTHER)}))
    scene.later(60_000)
    assert scene.ping("http://t.example/~a") == 3


def test_topics_that_name_each_other_are_fetched_once_each(scene: Scene) -> None:
    names(scene, TOPIC, OTHER)
    names(scene, OTHER, TOPIC)
    assert scene.ping() == 2
    for claim in scene.claim_fetches():
        scene.append(claim, replace(SAME, recheck_ms=(-1, -1)))
    scene.later(3_600_000)
    assert scene.claim_fetches() == []


def test_the_one_that_is_named_is_not_asked_in_turn(scene: Scene) -> None:
    names(scene, OTHER, f"{TOPIC}/third")
    names(scene, f"{TOPIC}/third", f"{TOPIC}/third")
    names(scene, TOPIC, OTHER)
    assert scene.ping() == 2
    assert {claim.url for claim in scene.claim_fetches()} == {TOPIC, OTHER}


def test_a_topic_that_does_not_name_it_any_more_moves_it_no_more(scene: Scene) -> None:
    scene.subscribe(TWO, topic=OTHER)
    names(scene, TOPIC, OTHER)
    scene.ping()
    for claim in scene.claim_fetches():
        scene.append(claim, replace(NEWS, facts={"self_key": ""}))
    scene.later(60_000)
    assert scene.ping() == 1


def test_naming_a_topic_costs_it_no_more_fetches_than_a_ping_may(scene: Scene) -> None:
    scene.subscribe(TWO, topic=OTHER)
    names(scene, TOPIC, OTHER)
    fetched = 0
    for _ in range(50):
        scene.ping()
        for claim in scene.claim_fetches():
            fetched += claim.url == OTHER
            scene.append(claim, replace(SAME, recheck_ms=(-1, -1)))
    assert fetched == 10
