"""Layer 8: what an action carries, in what dress, to whom, and whether that was asked for."""

import base64
from typing import Any

import pytest

from schemas.actions import LayerResult
from schemas.names import Classification
from schemas.tools import Reach, Tool
from sidecar.gate.classification import carries, classification
from sidecar.gate.conduct import Conduct
from sidecar.gate.flows import Dress, Flow
from sidecar.gate.knowledge import Knowledge
from sidecar.gate.outcome import Word
from sidecar.gate.wish import Wish
from tests.cases import changed
from tests.unit.sidecar.gate.building import FETCH, LOOK, MAIL, UPDATE, case, knows, wish

PASS, HOLD, REFUSE = LayerResult.PASS, LayerResult.HOLD, LayerResult.REFUSE
PLAIN = "answer jane"
ASKING = "send jane a summary of the deal"
SECRET = "The merger with Orchid closes Thursday at dawn in Lisbon"
KEY = "AKIAIOSFODNN7EXAMPLE"
OUT, IN = "jane@boeing.example", "bob@acme.example"
LONG = "x1" * 25


def about(summary: str, sensitivity: Classification = Classification.CONFIDENTIAL) -> Knowledge:
    return knows(SECRET, wish(summary), tool=LOOK, sensitivity=sensitivity)


def said(
    tool: Tool = MAIL, summary: str = PLAIN, known: Knowledge | None = None, **given: Any
) -> Word:
    known = about(summary) if known is None else known
    return classification(case(tool, given, summary=summary, knowledge=known))


@pytest.mark.parametrize("lacking", ["tool", "arguments", "lease", "policy"])
def test_what_cannot_be_classified_is_refused(lacking: str) -> None:
    word = classification(changed(case(MAIL, {"to": OUT}), **{lacking: None}))
    assert word.result is REFUSE
    assert "nothing to classify" in word.reason


@pytest.mark.parametrize(
    "text",
    [
        f"the key is {KEY}",
        base64.b64encode(f"the key is {KEY}".encode()).decode(),
        " ".join(f"the crm password: {KEY}"),
    ],
)
def test_a_credential_leaves_by_no_effect_in_no_dress(text: str) -> None:
    for tool, given in ((MAIL, {"to": OUT}), (MAIL, {"to": IN}), (UPDATE, {"record": "d"})):
        word = said(tool, **given, text=text)
        assert (word.result, word.reason) == (REFUSE, "a credential would leave")
    assert said(FETCH, url="https://a.example", query=text).result is REFUSE


def test_a_read_that_nobody_sees_may_say_anything() -> None:
    for text in (KEY, SECRET, LONG):
        word = said(LOOK, record="d", text=text)
        assert (word.result, word.evidence) == (PASS, "nobody else sees it")
        assert said(UPDATE, record="d", text=SECRET).evidence == "nobody else sees it"


def test_a_word_of_letters_alone_is_no_credential_even_beside_another() -> None:
    word = said(to=OUT, text="password: correcthorse")
    assert word.result is PASS
    assert said(to=OUT, text=f"password: correcthorse\n{KEY}").result is REFUSE


def test_a_credential_that_the_intent_names_or_a_field_is_declared_for_is_held() -> None:
    assert said(summary=f"send {KEY} to jane", to=OUT, text=KEY).result is HOLD
    declared = changed(UPDATE, objects=("password",), paths=("path",), contents=("note",))
    assert said(declared, password=f"key {KEY}").result is HOLD
    assert said(declared, note=KEY).result is REFUSE
    assert said(declared, path=KEY).result is REFUSE
    assert said(declared, password=f"key {KEY}x", note=KEY).result is HOLD
    assert said(declared, password="other", note=KEY).result is REFUSE


@pytest.mark.parametrize(
    ("to", "summary", "rank", "ceiling", "result", "where"),
    [
        (OUT, PLAIN, "CONFIDENTIAL", "CONFIDENTIAL", HOLD, "leave the organisation"),
        (IN, PLAIN, "CONFIDENTIAL", "CONFIDENTIAL", HOLD, "go to people"),
        (OUT, ASKING, "CONFIDENTIAL", "CONFIDENTIAL", PASS, ""),
        (IN, ASKING, "CONFIDENTIAL", "CONFIDENTIAL", PASS, ""),
        (OUT, PLAIN, "RESTRICTED", "CONFIDENTIAL", REFUSE, "leave the organisation"),
        (IN, PLAIN, "RESTRICTED", "CONFIDENTIAL", HOLD, "go to people"),
        (OUT, ASKING, "RESTRICTED", "CONFIDENTIAL", HOLD, "leave the organisation"),
        (IN, ASKING, "RESTRICTED", "CONFIDENTIAL", HOLD, "go to people"),
        (OUT, ASKING, "RESTRICTED", "RESTRICTED", PASS, ""),
        (OUT, PLAIN, "INTERNAL", "CONFIDENTIAL", PASS, ""),
    ],
)
def test_what_was_read_travels_as_asked_below_the_ceiling(
    to: str, summary: str, rank: str, ceiling: str, result: LayerResult, where: str
) -> None:
    tool = changed(MAIL, ceiling=Classification[ceiling])
    word = said(tool, summary, about(summary, Classification[rank]), to=to, text=SECRET)
    assert word.result is result
    assert where in word.reason
    if result is not PASS:
        assert word.reason.startswith(f"{rank} text")
        assert word.evidence == "observation 0, 6 words"


def test_what_travels_encoded_is_refused_though_it_was_asked_for() -> None:
    text = base64.b64encode(SECRET.encode()).decode()
    for to in (OUT, IN):
        word = said(summary=ASKING, to=to, text=text)
        assert word.result is REFUSE
        assert word.reason == "CONFIDENTIAL text is carried in an encoding"
        assert word.evidence == "observation 0, 6 words"


def test_a_refusal_is_found_behind_what_only_asks() -> None:
    known = knows(
        "The harbour sells lemons and melons tomorrow",
        wish(PLAIN),
        about(PLAIN),
        sensitivity=Classification.RESTRICTED,
    )
    text = f"{SECRET}, and harbour sells lemons and melons"
    word = said(known=known, to=OUT, text=text)
    assert (word.result, word.reason[:10]) == (REFUSE, "RESTRICTED")
    word = said(known=known, to=IN, text=text)
    assert (word.result, word.reason[:12]) == (HOLD, "CONFIDENTIAL")


def test_what_passes_is_counted() -> None:
    word = said(summary=ASKING, to=OUT, text=SECRET)
    assert word.evidence == "1 confidential passages, carried as asked"


@pytest.mark.parametrize(
    ("to", "result"),
    [
        ("jane+merger-orchid-closes-thursday@boeing.example", HOLD),
        ("merger-orchid-closes-thursday@boeing.example", PASS),
        ("https://a.example/merger/orchid/closes/thursday", HOLD),
        ("a.example/merger/orchid/closes/thursday", HOLD),
        ("https://merger.orchid.closes.thursday.example/", PASS),
        ("merger.orchid.closes.thursday.example", PASS),
    ],
)
def test_an_address_carries_what_follows_its_name(to: str, result: LayerResult) -> None:
    assert said(to=to, text="hello").result is result


def test_a_record_s_name_carries_nothing() -> None:
    tool = changed(MAIL, objects=("record",))
    assert said(tool, to=OUT, record=SECRET).result is PASS
    assert said(tool, to=OUT, record=4711).result is PASS


def test_what_the_run_wrote_into_an_object_leaves_with_it() -> None:
    tool = changed(MAIL, objects=("file",), contents=())
    conduct = Conduct()
    conduct = changed(conduct, tainted=conduct.tainted.set("f-9", frozenset((0,))))
    for given, result in (
        ({"file": "F-9"}, HOLD),
        ({"file": "f-8"}, PASS),
        ({"note": "f-9"}, PASS),
    ):
        made = case(
            tool,
            {"to": OUT, **given},
            summary=PLAIN,
            knowledge=about(PLAIN),
            conduct=conduct,
        )
        assert classification(made).result is result


def test_small_pieces_add_up() -> None:
    conduct = Conduct()
    sent = conduct.sent.set(0, frozenset(("orchid", "close", "lisbon")))
    made = case(MAIL, {"to": OUT, "text": "merger"}, summary=PLAIN, knowledge=about(PLAIN))
    assert classification(made).result is PASS
    assert classification(changed(made, conduct=changed(conduct, sent=sent))).result is HOLD


@pytest.mark.parametrize(
    ("tool", "given", "result"),
    [
        (MAIL, {"text": LONG}, HOLD),
        (MAIL, {"note": LONG}, HOLD),
        (MAIL, {"to": f"https://{LONG}"}, PASS),
        (MAIL, {"to": LONG}, HOLD),
        (changed(MAIL, objects=("record",)), {"record": LONG}, PASS),
        (changed(MAIL, amounts=("amount",)), {"amount": LONG}, PASS),
        (changed(UPDATE, reach=Reach.OUTSIDE), {"text": LONG}, HOLD),
        (FETCH, {"url": "https://a.example", "query": LONG}, PASS),
        (UPDATE, {"text": LONG}, PASS),
    ],
)
def test_a_long_run_that_cannot_be_read_is_held_on_its_way_out(
    tool: Tool, given: dict[str, Any], result: LayerResult
) -> None:
    word = said(tool, **{"to": OUT, **given} if tool is MAIL else given)
    assert word.result is result
    if result is HOLD:
        assert word.evidence == "50 characters"


def test_a_long_run_that_the_intent_names_or_the_run_read_is_no_hideout() -> None:
    assert said(summary=f"send {LONG} to jane", to=OUT, text=LONG).result is PASS
    read = knows(LONG, wish(PLAIN), sensitivity=Classification.PUBLIC)
    assert said(known=read, to=OUT, text=LONG.upper()).result is PASS
    assert said(known=read, to=OUT, text=f"see {LONG}").result is HOLD


def flow(known: Knowledge, **segment: Any) -> Flow:
    return Flow(0, changed(known.segments[0], **segment), Dress.PLAIN, 6)


@pytest.mark.parametrize(
    ("summary", "segment", "found", "asked"),
    [
        (ASKING, {}, set(), True),
        (PLAIN, {}, set(), False),
        (PLAIN, {"certain": True}, set(), False),
        ("send jane a summary of the note", {}, set(), False),
        ("send jane a summary of the note", {"certain": True}, set(), True),
        ("send Jane a summary of the deal", {}, set(), False),
        ("send Jane a summary of the deal", {"linked": True}, set(), True),
        (ASKING, {}, {"deal"}, False),
        (ASKING, {}, {"file"}, True),
        (ASKING, {"certain": True}, {"deal"}, True),
    ],
)
def test_content_is_asked_for_by_the_very_thing_or_by_the_kind_of_thing_it_came_from(
    summary: str, segment: dict[str, Any], found: set[str], asked: bool
) -> None:
    wanted: Wish = wish(summary)
    known = changed(about(summary), found=frozenset(found))
    assert carries(known, wanted, flow(known, **segment)) is asked
