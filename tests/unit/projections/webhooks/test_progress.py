"""How an endpoint's place moves: in order, past nothing that is neither delivered nor dead."""

from hypothesis import given
from hypothesis import strategies as st

from projections.webhooks.progress import (
    DEAD_IN_A_ROW,
    REFUSALS,
    Answered,
    Outcome,
    Place,
    Progress,
    Result,
    Rules,
    Status,
    Unreached,
    begin,
    due_at,
    passed_over,
    paused,
    replayed,
    resumed,
    sent_again,
    settled,
)
from schemas.names import SECOND

RULES = Rules(dead_after_s=100, give_up_s=10_000)
OK, AWAY, REFUSED = Answered(204), Unreached("no connection"), Answered(422)


def place(index: int) -> Place:
    return Place(index, bytes([index % 256]) * 32)


def attempt(
    progress: Progress, index: int, result: Result, at_s: float = 0, chance: float = 0.5
) -> tuple[Progress, Outcome]:
    return settled(progress, place(index), result, int(at_s * SECOND), chance, RULES)


def at(index: int) -> Progress:
    return Progress(after=index)


def test_a_delivered_message_moves_the_place_on() -> None:
    progress, outcome = attempt(at(4), 5, OK)
    assert outcome is Outcome.DELIVERED
    assert (progress.after, progress.previous, progress.trouble) == (5, place(5), None)
    assert due_at(progress) == 0


def test_a_failure_stays_at_its_message_and_waits() -> None:
    for result in (AWAY, REFUSED, Answered(500), Answered(302), Answered(429)):
        progress, outcome = attempt(at(4), 5, result, at_s=7)
        assert outcome is Outcome.RETRY
        assert progress.after == 4
        assert due_at(progress) == int(7.5 * SECOND)


def test_an_endpoint_that_is_away_for_an_hour_has_no_dead_letter_and_goes_on() -> None:
    progress, now = at(4), 0.0
    while now < 3_600:
        progress, outcome = attempt(progress, 5, AWAY, at_s=now)
        assert outcome is Outcome.RETRY
        due = due_at(progress)
        assert due is not None and due > now * SECOND
        now = due / SECOND
    progress, outcome = attempt(progress, 5, OK, at_s=now)
    assert (outcome, progress.after) == (Outcome.DELIVERED, 5)
    assert now < 3_600 + 300


def test_an_endpoint_away_beyond_all_patience_is_disabled_where_it_stands() -> None:
    progress, _ = attempt(at(4), 5, AWAY, at_s=0)
    progress, outcome = attempt(progress, 5, AWAY, at_s=RULES.give_up_s)
    assert (outcome, progress.status, progress.after) == (Outcome.DISABLED, Status.DISABLED, 4)
    assert "no connection" in progress.reason
    assert due_at(progress) is None
    assert due_at(resumed(progress)) == 0


def test_a_message_refused_for_long_is_a_dead_letter_and_the_next_has_its_turn() -> None:
    progress = at(4)
    for number in range(REFUSALS):
        progress, outcome = attempt(progress, 5, REFUSED, at_s=1 + number)
        assert outcome is Outcome.RETRY
    progress, outcome = attempt(progress, 5, REFUSED, at_s=1 + RULES.dead_after_s)
    assert (outcome, progress.after, progress.previous) == (Outcome.DEAD, 5, place(5))
    progress, outcome = attempt(progress, 6, OK, at_s=RULES.dead_after_s)
    assert (outcome, progress.dead_in_a_row) == (Outcome.DELIVERED, 0)


def test_time_alone_makes_no_dead_letter() -> None:
    progress, _ = attempt(at(4), 5, REFUSED, at_s=0)
    progress, outcome = attempt(progress, 5, REFUSED, at_s=RULES.dead_after_s * 2)
    assert outcome is Outcome.RETRY


def test_absence_does_not_count_as_refusal() -> None:
    progress = at(4)
    for number in range(REFUSALS * 3):
        progress, _ = attempt(progress, 5, AWAY, at_s=number)
    progress, outcome = attempt(progress, 5, REFUSED, at_s=RULES.dead_after_s * 3)
    assert outcome is Outcome.RETRY


def test_dead_letters_without_end_disable_the_endpoint() -> None:
    progress, outcome, now = at(0), Outcome.DELIVERED, 0
    for index in range(1, DEAD_IN_A_ROW + 1):
        assert progress.status is Status.ACTIVE
        while outcome is not Outcome.DEAD:
            now += 30
            progress, outcome = attempt(progress, index, REFUSED, at_s=now)
        outcome = Outcome.RETRY
    assert (progress.status, progress.after) == (Status.DISABLED, DEAD_IN_A_ROW)


def test_a_receiver_that_is_gone_is_asked_no_more() -> None:
    progress, outcome = attempt(at(4), 5, Answered(410))
    assert (outcome, progress.status, progress.after) == (Outcome.DISABLED, Status.DISABLED, 4)


def test_a_receiver_may_ask_for_a_longer_pause() -> None:
    progress, _ = attempt(at(4), 5, Answered(429, asked_s=90))
    assert due_at(progress) == 90 * SECOND


def test_a_pause_by_hand_keeps_the_place_and_a_disabled_endpoint_stays_disabled() -> None:
    assert paused(at(4)).after == 4
    assert due_at(paused(at(4))) is None
    gone, _ = attempt(at(4), 5, Answered(410))
    assert paused(gone).status is Status.DISABLED


def test_a_replay_goes_back_and_makes_no_claim_of_what_came_before() -> None:
    progress = replayed(attempt(at(40), 41, OK)[0], 7)
    assert (progress.after, progress.previous) == (6, None)


def test_dead_letters_go_again_in_order_without_moving_the_place() -> None:
    progress = sent_again(at(40), (9, 3))
    assert progress.again == (3, 9)
    progress, _ = attempt(progress, 3, OK)
    assert (progress.again, progress.after, progress.previous) == ((9,), 40, None)
    progress, outcome = attempt(progress, 9, REFUSED)
    assert (outcome, progress.again, progress.after) == (Outcome.DEAD, (), 40)


def test_an_endpoint_begins_at_the_end_unless_a_place_is_known() -> None:
    assert begin(Progress(), 12).after == 12
    assert begin(at(4), 12).after == 4
    assert begin(at(99), 12).after == 12


results = st.one_of(
    st.builds(Answered, st.integers(100, 599), st.none() | st.integers(0, 10_000)),
    st.builds(Unreached, st.just("no connection")),
)
steps = st.lists(
    st.tuples(st.booleans(), results, st.integers(0, 400), st.floats(0, 1, exclude_max=True)),
    max_size=120,
)


@given(steps)
def test_whatever_a_receiver_does_nothing_is_skipped(
    taken: list[tuple[bool, Result, int, float]],
) -> None:
    """Each entry is passed over, delivered or a dead letter, exactly once and in order."""
    progress, now, done = at(0), 0, []
    for meant, result, seconds, chance in taken:
        assert progress.after is not None
        index = progress.after + 1
        if not meant and progress.trouble is None:
            progress = passed_over(progress, index)
            done.append(index)
            continue
        now = max(now + seconds * SECOND, due_at(progress) or 0)
        progress, outcome = settled(progress, place(index), result, now, chance, RULES)
        if outcome in (Outcome.DELIVERED, Outcome.DEAD):
            done.append(index)
        if progress.status is Status.DISABLED:
            progress = resumed(progress)
        assert progress.after == len(done)
    assert done == list(range(1, len(done) + 1))
