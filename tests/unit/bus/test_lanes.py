"""Lanes: one publish under way in each, and fences taken in turn, however many lanes there are."""

from bus.decider import Draft
from bus.lane import Item, Lanes
from crypto.trust import Head
from schemas.runs import LeaseRevoked

ITEM = Item(Draft(body=LeaseRevoked(reason=""), run="r", causes=(), since=0), "id", 0, 0)
HEAD = Head(0, b"")


def free(topic: str) -> bool:
    return True


def taken(topic: str) -> bool:
    return False


def scopes(lanes: Lanes, index: int = 0) -> list[str | None]:
    return [scope for scope, _ in lanes.ready(free, index)]


def send(lanes: Lanes, scope: str) -> None:
    lanes[scope].sent = (lanes[scope].queue.popleft(), HEAD)


def test_a_lane_is_ready_once_for_each_thing_that_changed_in_it() -> None:
    lanes = Lanes()
    for scope in ("a", "b"):
        lanes.add(scope, ITEM)
    assert scopes(lanes) == ["a", "b"]
    send(lanes, "a")
    send(lanes, "b")
    lanes.add("a", ITEM)
    assert scopes(lanes) == [], "one publish under way in each"
    lanes["a"].sent = None
    lanes.look_at("a")
    assert scopes(lanes) == ["a"]


def test_those_who_wait_for_a_fence_take_it_in_turn() -> None:
    lanes = Lanes()
    for scope in ("a", "b", "c"):
        lanes.add(scope, ITEM)
        lanes.hold(scope, "action")
    list(lanes.ready(taken, 0))
    holder: list[str] = []

    def is_free(topic: str) -> bool:
        return not holder

    sent = []
    for _ in range(3):
        for scope, _lane in lanes.ready(is_free, 0):
            assert scope is not None
            holder.append(scope)
            send(lanes, scope)
            sent.append(scope)
        assert len(holder) == 1
        holder.clear()
    assert sent == ["a", "b", "c"]


def test_a_dropped_lane_gives_up_its_turn() -> None:
    lanes = Lanes()
    for scope in ("a", "b"):
        lanes.add(scope, ITEM)
        lanes.hold(scope, "action")
    list(lanes.ready(taken, 0))
    dropped = lanes.drop("a")
    assert dropped is not None and list(dropped.queue) == [ITEM]
    assert lanes.drop("a") is None
    assert [scope for scope, _ in lanes.ready(free, 0)][:1] == ["b"]


def test_a_lane_with_nothing_more_to_say_is_forgotten_once_its_last_word_was_read() -> None:
    lanes = Lanes()
    lanes.add("a", ITEM)
    send(lanes, "a")
    lanes["a"].sent, lanes["a"].durable = None, 7
    lanes.look_at("a")
    assert scopes(lanes, 6) == []
    assert lanes["a"].durable == 7, "its head is needed until the trust knows it"
    lanes.look_at("a")
    assert scopes(lanes, 7) == []
    assert lanes.drop("a") is None
