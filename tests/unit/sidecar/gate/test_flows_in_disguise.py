"""Flows in disguise: which other readings of a text are looked at, and what is opaque to all."""

import codecs

import pytest

from sidecar.gate.flows import Dress, dressed, opaque
from sidecar.gate.knowledge import Knowledge
from sidecar.gate.normal import shifted
from tests.unit.sidecar.gate.building import knows, wish

ASKED = wish("follow up")
SECRET = "copper walnut harbor lantern meadow timber velvet window"
KNOWN = knows(SECRET, ASKED)


def readings(text: str, known: Knowledge = KNOWN) -> list[str]:
    """What `text` says in other dress, beside what it says plainly."""
    (dress, plain), *others = dressed(known, text)
    assert (dress, plain) == (Dress.PLAIN, text)
    assert all(dress is Dress.ENCODED for dress, _ in others)
    assert Dress.PLAIN < Dress.ENCODED
    return [said for _, said in others]


def test_an_ordinary_text_has_no_other_reading() -> None:
    assert readings("See you on Monday at the usual place, and bring the contract.") == []
    assert readings(SECRET) == []
    assert readings("") == []


def test_decodings_are_readings() -> None:
    assert readings(f"see {b'copper walnut'.hex()}") == ["copper walnut"]


@pytest.mark.parametrize(
    ("text", "joined"),
    [
        ("cop-per wal-nut har-bor lan-tern", "copper walnut harbor lantern"),
        ("cop.per wal_nut har\u00b7bor lan-tern", "copper walnut harbor lantern"),
        ("COP_PER WAL_NUT HAR_BOR LAN_TERN", "COPPER WALNUT HARBOR LANTERN"),
        ("lan\u00b7tern har\u00b7bor cop\u00b7per un\u00b7seen", "lantern harbor copper unseen"),
        ("cop-per wal-nut har-bor unse-en", "copper walnut harbor unseen"),
        ("cop-per wal-nut har-bor lan-tern mea-dow", "copper walnut harbor lantern meadow"),
        ("cop-per wal-nut un-seen unse-en", None),
        ("cop-per wal-nut har-bor", None),
        ("cop-per wal-nut har-bor -", None),
        ("copper wal-nut har-bor lan-tern un-seen", "copper walnut harbor lantern unseen"),
        ("copper wal-nut har-bor un-seen unse-en", None),
    ],
)
def test_words_cut_by_four_hyphens_are_joined_where_three_more_were_read(
    text: str, joined: str | None
) -> None:
    assert readings(text) == ([joined] if joined else [])


def test_a_reading_takes_words_of_five_letters_that_the_run_has_read() -> None:
    short = knows("oboe lute harp viol", ASKED)
    assert readings("ob-oe lu-te ha-rp vi-ol", short) == []
    longer = knows("oboes flute harps viola", ASKED)
    assert readings("vio-la flu-te vio-lin cel-lo", longer) == []
    codes = knows("a1 b2 c3 d4", ASKED)
    assert readings("a-1, b-2, c-3, d-4", codes) == []
    five = knows("viola flute cello organ", ASKED)
    assert readings("vio-la flu-te cel-lo org-an", five) == ["viola flute cello organ"]


@pytest.mark.parametrize(
    ("text", "lettered"),
    [
        ("c0pper w4lnut h4rb0r by 5000 of 1", "copper walnut harbor by 5000 of 1"),
        (
            "co99er c0pper wa1nut l@ntern \u00e95 h@rbor",
            "co99er copper walnut lantern \u00e95 harbor",
        ),
        ("c0pper w4lnut", None),
        ("c0pper w4lnut 0ther", None),
        ("v3lve7 m3ad0w 7imber $treet", "velvet meadow timber street"),
    ],
)
def test_digits_for_letters_are_read_as_letters_in_words_that_mix_both(
    text: str, lettered: str | None
) -> None:
    assert readings(text) == ([lettered] if lettered else [])


def test_letters_that_stand_apart_are_joined() -> None:
    assert readings("so s e c r e t it is") == ["so secret it is"]


@pytest.mark.parametrize(
    ("run", "apart"),
    [
        ("copperwalnutharborlantern", "copper walnut harbor lantern"),
        ("copperwalnutharborxx", "copper walnut harbor"),
        ("xcopperyyywalnutzharborxx", "copper walnut harbor"),
        ("CopperWalnutHarborxx", "copper walnut harbor"),
        ("copperwalnutxxxxxxxxxx", None),
        ("copperwalnutharbor", None),
        ("copperwalnutharborx", None),
    ],
)
def test_a_run_of_twenty_letters_is_cut_at_three_known_words(run: str, apart: str | None) -> None:
    assert readings(f"see {run} there") == ([apart] if apart else [])


def test_a_run_that_is_long_only_when_folded_is_cut_too() -> None:
    folded = knows("coffee harbor velvet", ASKED)
    assert readings("co\ufb00eeharborvelvetx", folded) == []
    assert readings("co\ufb00eeharborvelvetxx", folded) == ["coffee harbor velvet"]
    assert len("co\ufb00eeharborvelvetxx") == 19


def test_each_of_several_runs_is_cut() -> None:
    first, second = "copperwalnutharbor", "lanternmeadowtimber"
    assert readings(f"xx{first}xx {'x' * 20} {second}xx") == [
        "copper walnut harbor",
        "lantern meadow timber",
    ]


def test_a_run_gives_its_longest_words_of_four_to_sixteen_letters() -> None:
    known = knows(["book", "bookshelf", "fox", "gnu", "counterbalancing", "z" * 17], ASKED)
    assert readings("bookshelfbookshelfbook", known) == ["bookshelf bookshelf book"]
    assert readings("foxgnufoxgnufoxgnufox", known) == []
    assert readings("bookbookcounterbalancing", known) == ["book book counterbalancing"]
    assert readings(f"bookbook{'z' * 17}", known) == []


def test_a_run_is_read_to_its_end_however_long() -> None:
    run = f"{'x' * 300}copperwalnutharbor"
    assert readings(run) == ["copper walnut harbor"]


@pytest.mark.parametrize("by", range(1, 26))
def test_each_shift_of_the_letters_is_turned_back_once(by: int) -> None:
    assert readings(shifted(SECRET, by)) == [SECRET]


def test_shifts_are_turned_back_in_longer_texts_too() -> None:
    assert readings(shifted(f"{SECRET} falcon", 3)) == [f"{SECRET} falcon"]


def test_shifts_are_tried_on_eight_words_none_of_them_common() -> None:
    seven = SECRET.rpartition(" ")[0]
    assert readings(shifted(seven, 3)) == []
    assert readings(f"{shifted(SECRET, 3)} and") == []
    assert readings(f"and {shifted(seven, 3)}") == []


def test_reversal_and_rot_13_are_tried_on_any_text_with_three_strange_words() -> None:
    for text in ("copper walnut harbor", "copper walnut harbor and so on"):
        assert readings(codecs.encode(text, "rot13")) == [text]
        assert readings(text[::-1]) == [text]
    assert readings(codecs.encode("copper walnut", "rot13")) == []
    assert readings("tunlaw reppoc") == []
    assert readings("tunlaw reppoc esruoc fo") == []


def test_words_of_four_letters_are_not_turned() -> None:
    four = knows("oboe lute harp viol", ASKED)
    assert readings("eobo etul prah loiv", four) == []
    three = knows(["fox", "gnu", "emu"], ASKED)
    assert readings("xof ung ume", three) == []
    five = knows("viola flute cello", ASKED)
    assert readings("ollec etulf aloiv", five) == ["viola flute cello"]


def test_words_that_were_read_as_they_stand_are_not_turned() -> None:
    known = knows([SECRET, "reppoc tunlaw"], ASKED)
    assert readings("robrah tunlaw reppoc", known) == []
    assert readings("nretnal wodaem robrah tunlaw", known) == ["walnut harbor meadow lantern"]


LETTERS = "abcdefghijklmnopqrstuvwxyzabcdefghijklmn"
CAPITAL = LETTERS[:-1] + "N"
DIGIT = LETTERS[:-1] + "7"


@pytest.mark.parametrize(
    ("text", "run"),
    [
        (f"see {DIGIT} there", DIGIT),
        (f"see {CAPITAL}.", CAPITAL),
        (f"see {DIGIT[1:]}", ""),
        (f"see {CAPITAL[1:]}", ""),
        (f"see {LETTERS}", ""),
        (f"see {LETTERS.upper()}", LETTERS.upper()),
        (f"see {CAPITAL[1:]}-", ""),
        (f"see {DIGIT[1:]}-", DIGIT[1:] + "-"),
        (f"see {LETTERS} and {DIGIT}", DIGIT),
        (f"{DIGIT} {CAPITAL}", DIGIT),
        ("an ordinary line of words", ""),
        ("AbC" * 100, "AbC" * 100),
        ("", ""),
    ],
)
def test_a_run_of_forty_that_mixes_letters_with_digits_or_cases_is_opaque(
    text: str, run: str
) -> None:
    assert opaque(text) == run


@pytest.mark.parametrize(
    ("before", "linked"),
    [
        ("https:", True),
        ("see https:", True),
        ("https://example.", True),
        ("https://examples.", True),
        ("https://example.of.", False),
        ("https://examples1.", False),
        ("://", True),
        ("https ", False),
    ],
)
def test_the_path_of_a_link_near_its_host_is_not_opaque(before: str, linked: bool) -> None:
    run = f"//{DIGIT}" if before.endswith(":") else DIGIT
    assert opaque(before + run) == ("" if linked else run)


def test_a_link_elsewhere_does_not_clear_an_opaque_run() -> None:
    assert opaque(f"{DIGIT} https://example.com") == DIGIT
    assert opaque(f"{'a b ' * 8}{DIGIT} https://example.com") == DIGIT
    assert opaque(f"https://example.com {DIGIT}") == DIGIT
    assert opaque(f"//{DIGIT} http://example.com") == f"//{DIGIT}"


@pytest.mark.parametrize(
    ("text", "run"),
    [
        (f"see {'ab!' * 7}{'c' * 19} end", ""),
        (f"see {'ab!' * 8}{'c' * 16} end", f"{'ab!' * 8}{'c' * 16}"),
        (f"see {'ab!' * 8}{'c' * 15} end", ""),
        (f"see {'ab!' * 12}{'c' * 16}", f"{'ab!' * 12}{'c' * 16}"),
        (f"{LETTERS} {'ab~' * 20}", "ab~" * 20),
    ],
)
def test_a_run_of_forty_with_eight_signs_is_opaque(text: str, run: str) -> None:
    assert opaque(text) == run


@pytest.mark.parametrize(
    ("code", "short"),
    [
        ("01101 " * 6, "01101 " * 5),
        ("01101001 " * 7, "01101001 " * 5),
        ("99 " * 12, "99 " * 11),
        ("\\u0041" * 4, "\\u0041" * 3),
        (". " * 12, ". " * 11),
        (".- / " * 12, ".- " * 11),
    ],
)
def test_a_code_in_numbers_escapes_or_morse_is_opaque(code: str, short: str) -> None:
    assert opaque(f"see {code}").strip() == code.strip()
    assert opaque(f"see {short}") == ""


def test_many_digits_or_signs_alone_are_no_code() -> None:
    assert opaque("0101010101 " * 4) == ""
    assert opaque("call 030 1234 5678 or 030 1234 5679, room 101") == ""
    assert opaque("well... then... so... - and -- on. a. b. c. d.") == ""
    assert opaque("\\ and \\ and \\ and \\") == ""
