"""The database: what a person changes counts, what a component knew before it does not."""

import stat
from pathlib import Path

import pytest

from projections.webhooks.endpoint import Attempt, DeadLetter, Endpoint, Step, TlsChoice
from projections.webhooks.errors import EndpointExists, NoEndpoint, StoreTrouble
from projections.webhooks.filters import Filter
from projections.webhooks.progress import Outcome, Place, Progress, Status, paused, resumed
from projections.webhooks.store import LOG_LINES, Store
from schemas.names import Classification

ENDPOINT = Endpoint(
    name="crm",
    url="https://hooks.example.com/",
    filter=Filter(types=("run.*",), runs=("r-1",), ceiling=Classification.PUBLIC),
    tls=TlsChoice(roots="/etc/roots.pem"),
    made_at=5,
)
LETTER = DeadLetter(index=7, type="run.started", at=1, attempts=5, reason="answered 422")
PLACE = Place(7, b"\x07" * 32)
STATE = Progress(after=9, previous=PLACE, again=(3, 4))


def attempt(index: int) -> Attempt:
    return Attempt(
        at=1,
        index=index,
        message_id=f"evt_{index}",
        type="run.started",
        number=2,
        outcome=Outcome.RETRY,
        took_ms=12,
        detail="answered 503",
    )


def step(progress: Progress, generation: int = 1, **more: object) -> Step:
    return Step(name="crm", generation=generation, progress=progress, **more)  # type: ignore[arg-type]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "webhooks" / "webhooks.sqlite"


@pytest.fixture
def store(path: Path) -> Store:
    store = Store(path, "acme")
    store.add(ENDPOINT, STATE, b"sealed")
    return store


def test_an_endpoint_is_kept_as_it_was_given(store: Store, path: Path) -> None:
    again = Store(path, "acme").get("crm")
    assert (again.endpoint, again.progress, again.generation) == (ENDPOINT, STATE, 1)
    assert [one.sealed for one in again.secrets] == [b"sealed"]


def test_the_file_is_its_owners_alone(store: Store, path: Path) -> None:
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_two_endpoints_cannot_have_one_name(store: Store) -> None:
    with pytest.raises(EndpointExists):
        store.add(ENDPOINT, Progress(), b"other")
    assert [one.sealed for one in store.get("crm").secrets] == [b"sealed"]


def test_another_workspace_sees_and_harms_nothing(store: Store, path: Path) -> None:
    other = Store(path, "other")
    assert other.endpoints() == ()
    for act in (other.get, other.remove, other.dead, lambda n: other.change(n, paused)):
        with pytest.raises(NoEndpoint):
            act("crm")
    other.keep([step(Progress(after=99), dead=(LETTER,))])
    other.add(ENDPOINT, Progress(after=1), b"others")
    assert store.get("crm").progress == STATE
    assert store.dead("crm") == ()


def test_a_state_and_what_led_to_it_are_kept_together(store: Store) -> None:
    store.keep([step(Progress(after=12), attempts=(attempt(11), attempt(12)), dead=(LETTER,))])
    assert store.get("crm").progress.after == 12
    assert [one.index for one in store.attempts("crm", 10)] == [12, 11]
    assert store.attempts("crm", 1)[0] == attempt(12)
    assert store.dead("crm") == (LETTER,)


def test_a_settled_message_is_no_dead_letter_any_more(store: Store) -> None:
    store.keep([step(STATE, dead=(LETTER,))])
    store.keep([step(STATE, settled=(PLACE,))])
    assert store.dead("crm") == ()


def test_a_state_from_before_a_persons_change_is_dropped_and_its_attempts_stay(
    store: Store,
) -> None:
    changed = store.change("crm", paused)
    store.keep([step(Progress(after=50), attempts=(attempt(50),), dead=(LETTER,))])
    kept = store.get("crm")
    assert (kept.progress.status, kept.progress.after) == (Status.PAUSED, 9)
    assert (kept.generation, store.dead("crm")) == (changed.generation, ())
    assert [one.index for one in store.attempts("crm", 10)] == [50]
    store.keep([step(resumed(kept.progress), generation=kept.generation)])
    assert store.get("crm").progress.status is Status.ACTIVE


def test_others_changes_show_and_own_do_not(store: Store, path: Path) -> None:
    seen, other = store.version(), Store(path, "acme")
    store.keep([step(STATE)])
    assert store.version() == seen
    other.change("crm", paused)
    assert store.version() != seen


def test_a_rotated_secret_signs_beside_the_new_one_until_its_end(store: Store) -> None:
    store.rotate("crm", b"second", now=100, until=200)
    store.rotate("crm", b"third", now=150, until=400)
    kept = store.get("crm")
    assert [(one.sealed, one.until) for one in kept.secrets] == [
        *((b"third", None), (b"second", 400), (b"sealed", 200))
    ]
    store.rotate("crm", b"fourth", now=300, until=500)
    assert b"sealed" not in [one.sealed for one in store.get("crm").secrets]
    assert store.get("crm").generation == 4


def test_a_removed_endpoint_leaves_nothing(store: Store) -> None:
    store.keep([step(STATE, attempts=(attempt(1),), dead=(LETTER,))])
    store.remove("crm")
    store.add(ENDPOINT, Progress(), b"new")
    assert (store.attempts("crm", 10), store.dead("crm")) == ((), ())
    assert [one.sealed for one in store.get("crm").secrets] == [b"new"]


def test_the_delivery_log_has_an_end(store: Store) -> None:
    for start in range(0, LOG_LINES + 2_000, 1_000):
        store.keep([step(STATE, attempts=tuple(attempt(start + n) for n in range(1_000)))])
    assert len(store.attempts("crm", LOG_LINES * 2)) == LOG_LINES
    assert store.attempts("crm", 1)[0].index == LOG_LINES + 1_999


def test_what_is_no_database_is_told_with_its_path(tmp_path: Path) -> None:
    path = tmp_path / "broken.sqlite"
    path.write_bytes(b"not a database at all" * 100)
    with pytest.raises(StoreTrouble) as caught:
        Store(path, "acme")
    assert str(path) in caught.value.what
