"""Layer 4: the effect is of a kind that the rep asked for, on what the rep named."""

from typing import Any

import pytest

from schemas.actions import LayerResult
from schemas.tools import Effect, Reach, Tool, Trust
from sidecar.gate.intent import intent
from sidecar.gate.outcome import Word
from tests.cases import changed
from tests.unit.sidecar.gate.building import (
    ERASE,
    FETCH,
    LOOK,
    MAIL,
    PAY,
    UPDATE,
    case,
    knows,
    wish,
)

PASS, HOLD, REFUSE = LayerResult.PASS, LayerResult.HOLD, LayerResult.REFUSE
JANE = "jane@boeing.example"
EXPORT = changed(UPDATE, name="crm.export", summary="export", effect=Effect.EGRESS)
OUTSIDE = changed(UPDATE, name="site.release", summary="release it", reach=Reach.OUTSIDE)


def said(tool: Tool, summary: str, *, bounds: dict[str, Any] | None = None, **given: Any) -> Word:
    return intent(case(tool, given, summary=summary, bounds=bounds))


@pytest.mark.parametrize("lacking", ["tool", "arguments", "lease"])
def test_what_cannot_be_compared_is_refused(lacking: str) -> None:
    word = intent(changed(case(UPDATE, {"record": "d"}), **{lacking: None}))
    assert word.result is REFUSE
    assert "no intent, tool or argument" in word.reason


def test_a_read_needs_no_asking_for() -> None:
    for tool in (LOOK, FETCH):
        word = said(tool, "pay the bill", bounds={"effects": (Effect.PAYMENT,)}, record="d")
        assert (word.result, word.evidence) == (PASS, "a read")


def test_declared_effects_are_exact() -> None:
    bounds = {"effects": (Effect.PAYMENT, Effect.MUTATION)}
    word = said(MAIL, "write to jane", bounds=bounds, to=JANE)
    assert word.result is REFUSE
    assert word.reason == "the intent allows no communication"
    assert word.evidence == "declared effects: payment, mutation"
    for tool in (UPDATE, ERASE, PAY):
        word = said(tool, "what is up?", bounds=bounds, record="d")
        assert word.result is PASS
        assert word.evidence == f"{tool.effect.value} is declared"


def test_declared_records_are_exact() -> None:
    bounds = {"objects": ("d-1", "7")}
    for record in ("d-1", 7, ["7", "d-1"]):
        assert said(UPDATE, "update the deal", bounds=bounds, record=record).result is PASS
    for record in ("d-2", "D-1", ["d-1", "d-2"]):
        word = said(UPDATE, "update the deal", bounds=bounds, record=record, text="d-9")
        assert word.result is HOLD
        assert word.reason == "argument record names a record that the intent does not"
        assert word.evidence == "2 records are declared"
    both = {**bounds, "effects": (Effect.MUTATION,)}
    assert said(UPDATE, "update the deal", bounds=both, record="d-2").result is HOLD
    assert said(UPDATE, "update the deal", bounds=both, text="d-2").result is PASS


@pytest.mark.parametrize(
    ("tool", "summary", "result", "why"),
    [
        (UPDATE, "change the deal", PASS, "by verb and object"),
        (UPDATE, "update it", PASS, "by verb and object"),
        (UPDATE, "change the room", PASS, "by verb"),
        (ERASE, "remove the deal", PASS, "by verb and object"),
        (ERASE, "remove the room", HOLD, "names no such thing"),
        (OUTSIDE, "change the room", HOLD, "asks for no site.release"),
        (OUTSIDE, "release it", PASS, "by verb and object"),
        (EXPORT, "share the export", PASS, "by verb and object"),
        (UPDATE, "act accordingly", PASS, "hands on instructions"),
        (MAIL, "act accordingly", PASS, "hands on instructions"),
        (PAY, "act accordingly", HOLD, "cannot be undone"),
        (EXPORT, "act accordingly", HOLD, "cannot be undone"),
        (ERASE, "act accordingly", HOLD, "cannot be undone"),
        (UPDATE, "which deals are open?", REFUSE, "only asks to know"),
        (UPDATE, "which deals are open, then pay", HOLD, "nothing in the intent asks"),
        (UPDATE, "the deal with Falcon", HOLD, "nothing in the intent asks"),
    ],
)
def test_where_no_effects_are_declared_the_words_decide(
    tool: Tool, summary: str, result: LayerResult, why: str
) -> None:
    word = said(tool, summary, record="d", text="x")
    assert word.result is result
    assert why in word.reason + word.evidence


@pytest.mark.parametrize(
    ("to", "result"),
    [
        (JANE, PASS),
        ([], PASS),
        ("ann@linked.example", PASS),
        ("bob@record.example", HOLD),
        ("eve@read.example", HOLD),
        ("new@none.example", HOLD),
        ([JANE, "new@none.example"], HOLD),
    ],
)
def test_a_verb_alone_is_enough_only_for_whom_the_intent_names(
    to: Any, result: LayerResult
) -> None:
    summary = f'tell {JANE} about "Blue Harbour renewal"'
    asked = wish(summary)
    rows = [
        {"about": "Blue Harbour renewal", "mail": "ann@linked.example"},
        {"about": "another", "mail": "bob@record.example"},
    ]
    known = knows("eve@read.example", asked, knows(rows, asked, trust=Trust.TRUSTED))
    word = intent(case(MAIL, {"to": to, "text": "x"}, summary=summary, knowledge=known))
    assert word.result is result
    if result is HOLD:
        assert "names nobody that it leads to" in word.reason


WRITER = changed(
    UPDATE,
    name="files.write",
    summary="Write a file",
    objects=(),
    paths=("path",),
    contents=("text",),
)


@pytest.mark.parametrize(
    ("tool", "summary", "path", "result"),
    [
        (WRITER, "Fix the typo in docs/intro.md", "docs/intro.md", PASS),
        (WRITER, "Fix the typo in docs/intro.md", "docs/setup.md", HOLD),
        (WRITER, "Tell Jane of docs/intro.md", "docs/intro.md", HOLD),
        (WRITER, "Fix the typo", "", HOLD),
        (changed(WRITER, reach=Reach.OUTSIDE), "Fix docs/intro.md", "docs/intro.md", HOLD),
        (changed(WRITER, paths=()), "Fix docs/intro.md", "docs/intro.md", HOLD),
        (
            changed(WRITER, name="files.raze", summary="Erase a file"),
            "Fix docs/intro.md",
            "docs/intro.md",
            HOLD,
        ),
    ],
)
def test_a_file_that_the_intent_asks_to_change_may_be_written_anew(
    tool: Tool, summary: str, path: str, result: LayerResult
) -> None:
    assert said(tool, summary, path=path, text="the").result is result
