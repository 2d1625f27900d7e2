"""The index by meaning against the real Qdrant library: what is near, whose, and what is gone."""

from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

import pytest

pytest.importorskip("qdrant_client")
pytest.importorskip("wordllama")

from qdrant_client import QdrantClient

from bus.decider import Entry, Recorded, Refused
from crypto.sealing import NoKeys
from projections.errors import StoreFailed
from projections.vectors.embedding import vectors_of
from projections.vectors.folds import Change, changes_of
from projections.vectors.opening import opened
from projections.vectors.store import Near, VectorStore
from schemas.content import Sealed, plain
from schemas.erasure import ContentErased, ContentField
from schemas.memories import MemoryForgotten, MemoryRetained, MemoryWithdrawn
from schemas.names import Classification, Role
from schemas.tools import Trust
from tests.cases import recorded

TEXTS = {
    "m-1": "Dana Whitfield prefers phone calls in the morning.",
    "m-2": "The invoice for the engines is paid within 30 days.",
    "m-3": "The weather in Oslo is cold.",
}


def retained(claim: str, text: object, *, index: int, rep: str = "ann") -> Recorded:
    body = MemoryRetained(
        claim=claim,
        text=plain(text) if isinstance(text, str) else text,  # type: ignore[arg-type]
        rep=rep,
        agent="clerk",
        proposal=b"p" * 32,
        trust=Trust.TRUSTED,
        sensitivity=Classification.CONFIDENTIAL,
        support=(),
    )
    return recorded(body, index.to_bytes(32, "big"), Role.SIDECAR, "sidecar", index=index)


def claims() -> list[Entry]:
    return [retained(claim, text, index=n) for n, (claim, text) in enumerate(TEXTS.items(), 1)]


def names(near: Iterable[Near]) -> list[str]:
    return [one.claim for one in near]


def test_what_is_near_in_meaning_comes_first(tmp_path: Path) -> None:
    store = VectorStore(tmp_path, "acme")
    store.apply(claims())
    assert store.position() == 3
    [first, *rest] = store.search("who wants to be telephoned before noon?")
    assert first.claim == "m-1" and all(one.score <= first.score for one in rest)
    assert names(store.search("when will they settle the bill?", limit=1)) == ["m-2"]


def test_the_same_entries_again_change_nothing_and_a_new_process_goes_on(tmp_path: Path) -> None:
    VectorStore(tmp_path, "acme").apply(claims())
    again = VectorStore(tmp_path, "acme")
    again.apply(claims())
    assert len(again.search("anything", limit=100)) == 3
    again.apply([retained("m-4", "Lunch is at noon.", index=4)])
    assert (again.position(), len(again.search("anything", limit=100))) == (4, 4)


def test_a_search_for_one_rep_finds_no_other_s_claims(tmp_path: Path) -> None:
    store = VectorStore(tmp_path, "acme")
    store.apply([*claims(), retained("m-4", TEXTS["m-1"], index=4, rep="bob")])
    assert names(store.search("phone calls", rep="bob")) == ["m-4"]
    assert "m-4" not in names(store.search("phone calls", rep="ann"))


def test_workspaces_share_no_collection_even_in_one_folder(tmp_path: Path) -> None:
    VectorStore(tmp_path, "acme").apply(claims())
    other = VectorStore(tmp_path, "globex")
    assert (other.position(), other.search("phone calls")) == (0, [])


@pytest.mark.parametrize(
    "body",
    [
        MemoryForgotten(claim="m-1", proposal=b"p" * 32),
        MemoryWithdrawn(claim="m-1", reason="wrong"),
        ContentErased(
            fields=(
                ContentField(run="r-1", event="019a0000-0000-7000-8000-000000000000", name="text"),
            ),
            reason="asked",
        ),
    ],
    ids=["forgotten", "withdrawn", "erased"],
)
def test_what_is_over_is_found_no_more_and_lies_in_no_file(tmp_path: Path, body: object) -> None:
    store = VectorStore(tmp_path, "acme")
    store.apply(claims()[:1])
    held = store.search("phone calls")
    store.apply([recorded(body, b"e" * 32, Role.SIDECAR, "sidecar", index=2)])  # type: ignore[arg-type]
    assert (names(held), store.search("phone calls"), store.position()) == (["m-1"], [], 2)
    assert not [
        file for file in tmp_path.rglob("*") if file.is_file() and b"m-1" in file.read_bytes()
    ]


async def test_a_claim_that_does_not_open_is_not_indexed(tmp_path: Path) -> None:
    async def given() -> object:
        yield retained("m-1", Sealed(key="k", nonce=b"n" * 12, ciphertext=b"c" * 32), index=1)
        yield Refused(2, b"l" * 32, "forged")

    store = VectorStore(tmp_path, "acme")
    store.apply([entry async for entry in opened(given(), NoKeys())])  # type: ignore[arg-type]
    assert (store.search("anything"), store.position()) == ([], 2)


def test_an_entry_that_the_fold_cannot_take_is_set_aside_and_stops_nothing(tmp_path: Path) -> None:
    def fold(entry: Recorded) -> Iterable[Change]:
        if entry.index == 2:
            raise ValueError("words that must not be kept")
        return changes_of(entry)

    store = VectorStore(tmp_path, "acme", fold=fold)
    store.apply(claims())
    assert store.set_aside() == [{"index": 2, "reason": "ValueError"}]
    assert sorted(names(store.search("anything"))) == ["m-1", "m-3"]


def test_a_folder_that_another_holds_is_waited_for_and_then_an_error(tmp_path: Path) -> None:
    store = VectorStore(tmp_path, "acme", patience_s=0.2)
    with closing(QdrantClient(path=str(tmp_path))), pytest.raises(StoreFailed, match="is held by"):
        store.position()


def test_a_text_without_words_has_a_vector_that_an_index_takes() -> None:
    [nothing, something] = vectors_of(["", "calls"])
    assert all(value == value for value in nothing)
    assert abs(sum(value * value for value in something) - 1) < 1e-5
