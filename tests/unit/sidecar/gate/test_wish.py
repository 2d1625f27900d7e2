"""The intent, read: what it asks for, of what, of how many, and how far it asks for a tool."""

from typing import Any

import pytest

from schemas.tools import Effect, Tool
from sidecar.gate.wish import Asked, Family, asked, families_of, nouns_of, own_verb
from tests.cases import changed
from tests.unit.sidecar.gate.building import ERASE, LOOK, MAIL, PAY, UPDATE, wish


def tool(name: str, summary: str = "", **changes: Any) -> Tool:
    return changed(UPDATE, name=name, summary=summary, **changes)


@pytest.mark.parametrize(
    ("summary", "verbs"),
    [
        ("delete the deal", {"delet"}),
        ("please delete it and then pay Bob", {"delet", "pay"}),
        ("the deal was deleted", set()),
        ("she deletes deals", set()),
        ("assess and compress it, then process it", set()),
        ("discuss; address them; dismiss it; pass it on; remove it", {"remov"}),
        ("the deleting of deals", set()),
        ("would you mind deleting it", {"delet"}),
        ("start sharing it", {"start", "share"}),
        ("the delete button", set()),
        ("tell me the time", set()),
        ("send us the numbers", set()),
        ("send Jane and me the numbers", {"send"}),
        ("tell me, and delete it", {"delet"}),
        ("delete me", {"delet"}),
        ("tell Jane", {"tell"}),
        ("Jane's report on Falcon", set()),
        ("release it", {"releas"}),
        ("please release it", {"releas"}),
        ("quarterly release", set()),
        ("the release, quarterly release and delete it", {"delet"}),
        ("nothing to speak of. delete it", {"delet"}),
        ("check out the reviews", set()),
        ("check out with the coupon", {"checkout"}),
        ("apply the coupon, then check out", {"appli", "checkout"}),
        ("add it, checking out my basket", {"add", "checkout"}),
        ("check out to London", {"checkout"}),
        ("look at the logs and roll back the service", {"rollback"}),
        ("shut down the worker; tear down the rest", {"shutdown", "teardown"}),
        ("set up a server and scale down the other", {"setup", "scaledown"}),
        ("read page 4 of the patch notes", set()),
    ],
)
def test_the_verbs_are_those_that_ask_for_something(summary: str, verbs: set[str]) -> None:
    assert wish(summary).verbs == verbs


@pytest.mark.parametrize(
    ("summary", "families"),
    [
        ("what is up?", set()),
        ("a word in #general", {Family.TELL}),
        ("what was said in #general", set()),
        ("what was said in #general, and a word in #random", {Family.TELL}),
        ("remind me of it", {Family.MAKE}),
        ("two reminders, by noon", {Family.MAKE}),
        ("the numbers as a new document", {Family.MAKE}),
        ("let the whole team know", {Family.TELL}),
        ("let them all down", set()),
        ("I want my money back", {Family.PAY}),
        ("he gives her 20 euros back", {Family.PAY}),
        ("do not forget to pay", {Family.PAY}),
        ("forget it", {Family.REMOVE}),
        ("remove it and pay", {Family.REMOVE, Family.PAY}),
    ],
)
def test_the_families_are_those_of_its_verbs_and_of_some_turns_of_phrase(
    summary: str, families: set[Family]
) -> None:
    assert wish(summary).families == families


@pytest.mark.parametrize(
    ("summary", "asking"),
    [
        ("which deals are open", True),
        ("the deals, please?", True),
        ("list them", True),
        ("delete the deal", False),
        ("", False),
    ],
)
def test_it_asks_where_it_has_a_word_of_reading_or_a_question_mark(
    summary: str, asking: bool
) -> None:
    assert wish(summary).asking is asking


@pytest.mark.parametrize(
    ("summary", "delegated"),
    [
        ("do the tasks on the list", True),
        ("act accordingly", True),
        ("write it as requested by Jane", True),
        ("write to Jane", False),
    ],
)
def test_it_hands_on_instructions_where_it_says_to_follow_some(
    summary: str, delegated: bool
) -> None:
    assert wish(summary).delegated is delegated


@pytest.mark.parametrize(
    ("summary", "many"),
    [("delete every deal", True), ("delete 12 old files", True), ("delete the deal", False)],
)
def test_it_speaks_of_many_where_it_counts_or_says_all(summary: str, many: bool) -> None:
    assert wish(summary).many is many


@pytest.mark.parametrize(
    ("summary", "carried"),
    [
        ("delete the deal", set()),
        ("a summary of the file Falcon to jane", {"file", "falcon"}),
        ("forward the whole contents, all details", {"whole"}),
        ("share the budget then the forecast", {"budget"}),
        ("share the budget. Wait for the forecast", {"budget"}),
        ("share the budget and attach the forecast", {"budget", "attach", "forecast"}),
    ],
)
def test_what_it_asks_to_carry_ends_where_another_thing_begins(
    summary: str, carried: set[str]
) -> None:
    assert wish(summary).carried == carried
    assert wish(summary).carries is bool(carried)


def test_what_it_asks_to_carry_stands_within_120_characters() -> None:
    padding = "x" * 104
    assert "lawsuit" in wish(f"share budget {padding} lawsuit").carried
    assert "lawsuit" not in wish(f"share budget {padding}x lawsuit").carried
    assert "lawsuit" in wish(f"{padding * 2} and share budget {padding} lawsuit").carried


def test_its_text_and_values_are_those_of_its_words_and_bounds() -> None:
    read = wish(
        "pay invoice 13 to Bob",
        destinations=("bob@falcon.example",),
        objects=("Blue Harbour",),
    )
    assert read.text == " pay invoice 13 to bob bob falcon example blue harbour "
    assert {"i:13", "e:bob@falcon.example"} <= read.tokens
    assert read.stems == {"pay", "invoic", "13", "bob"}


def test_words_that_run_on_behind_a_full_stop_are_another_sentence() -> None:
    assert wish("note the numbers.Delete it").verbs == {"note", "delet"}


def test_what_stands_in_any_quotation_marks_is_quoted() -> None:
    read = wish("move \"Blue Harbour\" and 'Red One' and “Old Two” and `x-3` on")
    assert read.quoted == {" blue harbour ", " red one ", " old two ", " x 3 "}


def test_names_are_capitalised_words_within_a_sentence_that_are_no_days_or_products() -> None:
    assert wish("Ask Jane of Falcon on Monday by Slack").names == {"jane", "falcon"}


def test_acts_are_the_words_where_an_order_would_stand() -> None:
    read = wish("merge it and squash the rest. Rebase it")
    assert read.acts == {"merg", "squash", "rebas"}


def test_equal_intents_are_read_alike() -> None:
    assert wish("merge it") == wish("merge it")


@pytest.mark.parametrize(
    ("summary", "how_far"),
    [
        ("update the deal", Asked.YES),
        ("change the deal", Asked.YES),
        ("change the room", Asked.VERB),
        ("read the deal", Asked.NO),
        ("update the room", Asked.YES),
        ("the deal with Falcon", Asked.NO),
    ],
)
def test_a_tool_is_asked_for_by_verb_and_object_or_by_its_own_verb(
    summary: str, how_far: Asked
) -> None:
    assert asked(wish(summary), UPDATE) is how_far


@pytest.mark.parametrize(
    ("summary", "how_far"),
    [
        ("move chat to the top", Asked.YES),
        ("move a chat to the top", Asked.NO),
        ("about the shift", Asked.NO),
        ("about the whole thread", Asked.NO),
        ("remove the whole thread", Asked.YES),
    ],
)
def test_a_declared_phrase_asks_by_itself_if_it_has_a_verb_and_a_declared_noun_does_not(
    summary: str, how_far: Asked
) -> None:
    board = tool("board.erase", asked_by=("move chat", "whole thread", "shift"))
    assert asked(wish(summary), board) is how_far


@pytest.mark.parametrize(
    ("named", "families"),
    [
        (tool("crm.edit_deal"), {Family.CHANGE}),
        (MAIL, {Family.TELL, Family.PAY}),
        (ERASE, {Family.REMOVE}),
        (PAY, {Family.PAY}),
        (LOOK, set()),
        (tool("crm.thing", "cancel a deal"), {Family.REMOVE}),
        (tool("crm.thing", "one two three four five cancel"), {Family.REMOVE}),
        (tool("crm.thing", "one two three four five six cancel"), set()),
        (tool("crm.edit_deal", "cancel a deal"), {Family.CHANGE}),
        (tool("crm.edit_and_delete"), {Family.REMOVE}),
        (tool("delete.thing"), set()),
        (tool("bank.thing", effect=Effect.PAYMENT), {Family.PAY}),
        (tool("bank.cancel_order", effect=Effect.PAYMENT), {Family.REMOVE}),
        (tool("bank.order_thing", effect=Effect.PAYMENT), {Family.PAY}),
        (tool("bank.edit_order", effect=Effect.PAYMENT), {Family.CHANGE}),
        (tool("chat.thing", effect=Effect.COMMUNICATION), {Family.TELL}),
        (tool("chat.edit_thing", effect=Effect.COMMUNICATION), {Family.CHANGE}),
        (tool("chat.thing", effect=Effect.EGRESS), set()),
    ],
)
def test_a_tools_families_are_those_of_the_first_verb_of_its_name_or_summary(
    named: Tool, families: set[Family]
) -> None:
    assert families_of(named) == families


def test_a_tool_that_leads_nowhere_admits_nobody() -> None:
    assert Family.ADMIT in families_of(tool("files.share", destinations=("to",)))
    assert families_of(tool("files.share")) == {Family.TELL}


@pytest.mark.parametrize(
    ("name", "verb"),
    [("code.merge_request", "merg"), ("merge", "merg"), ("code.mergeAll", "merg"), ("code.", "")],
)
def test_a_tools_own_verb_is_the_first_word_behind_the_last_full_stop(name: str, verb: str) -> None:
    assert own_verb(tool(name)) == verb


@pytest.mark.parametrize(
    ("name", "asked_by", "nouns"),
    [
        ("crm.update_deal", (), {"crm", "updat", "deal"}),
        ("update_deal", (), {"deal"}),
        ("find_deal", (), {"deal"}),
        ("update", (), set()),
        ("crm.to_all_of_it", (), {"crm"}),
        ("crm.pr_of_qa_x", (), {"crm"}),
        ("crm.deal", ("big account", "account no"), {"crm", "deal", "big", "account"}),
        ("", (), set()),
    ],
)
def test_what_a_tool_is_about_are_the_words_behind_its_verb_and_what_it_is_asked_by(
    name: str, asked_by: tuple[str, ...], nouns: set[str]
) -> None:
    assert nouns_of(tool(name, asked_by=asked_by)) == nouns


def test_a_change_that_leads_to_nobody_tells_nobody() -> None:
    assert families_of(tool("update_address")) == {Family.CHANGE}
    assert families_of(tool("confirm_booking")) == {Family.TELL}
    assert Family.TELL in families_of(tool("update_client", destinations=("client",)))
    assert Family.TELL in families_of(tool("update_client", effect=Effect.COMMUNICATION))


def test_who_asks_to_look_and_then_restart_asks_for_the_restart() -> None:
    said = wish("The search-api keeps crashing. Look at its logs and restart it")
    assert asked(said, tool("kubectl_restart")) is not Asked.NO


def test_who_asks_to_check_out_asks_for_the_payment() -> None:
    paying = changed(PAY, name="shop.checkout", summary="Place the order")
    assert asked(wish("Apply SPRING15 and check out to the office"), paying) is Asked.YES
    assert asked(wish("Check out what the office is like"), paying) is Asked.NO


@pytest.mark.parametrize(
    ("summary", "names"),
    [
        ("Kim forgot her password", {"kim"}),
        ("Kim's password is lost. Jon needs it", {"kim", "jon"}),
        ("Update it. What's new? Everything is late", {"everyth"}),
        ("What is new", set()),
        ("This is it", set()),
        ("Pay Bob", {"bob"}),
        ("Reset it", set()),
        ("June was fine", set()),
    ],
)
def test_a_name_may_begin_a_sentence(summary: str, names: set[str]) -> None:
    assert wish(summary).names == names
