"""Text as it is compared: what is folded away, what counts as a word, what is decoded."""

import base64
import codecs
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.gate.normal import (
    decodings,
    fold,
    rotated,
    shifted,
    spaced,
    stem,
    stems,
    telling,
    unspaced,
    words,
)


def b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Plain ASCII, 42", "plain ascii, 42"),
        ("Stra\u00dfe \u00c9T\u00c9", "strasse \u00e9t\u00e9"),
        ("\uff28\uff25\uff2c\uff30 \ufb01le \u2460", "help file 1"),
        ("in\u200bvoice\u00ad s\ufe0fum\u3164", "invoice sum"),
        ("\U000e0041\U000e0020\U000e007e\U000e007f\U000e001f", "a ~"),
        ("r\u0430port \u0440\u0430\u0443pal", "raport paypal"),
        ("\u0430z \u03bfa \u0430b1", "az oa ab1"),
        ("\u043c\u0430\u043c\u0430 1\u043e _\u043e", "\u043c\u0430\u043c\u0430 1\u043e _\u043e"),
        ("caf\u00e9 na\u00efve", "caf\u00e9 na\u00efve"),
        ("", ""),
    ],
)
def test_what_a_person_takes_for_the_same_folds_to_the_same(text: str, folded: str) -> None:
    assert fold(text) == folded


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_folding_leaves_no_capital_and_no_hidden_letter(text: str) -> None:
    folded = fold(text)
    assert folded == folded.lower() or not text.isascii()
    assert not set(folded) & set("\u00ad\u200b\u200d\u2060\ufeff\U000e0041")
    assert fold(text.upper()) == folded or not text.isascii()


def test_words_are_letters_and_digits_between_anything_else() -> None:
    assert words("Re: The_file 13-B, caf\u00e9's!") == [
        "re",
        "the",
        "file",
        "13",
        "b",
        "caf\u00e9",
        "s",
    ]
    assert spaced("  Re: the   file ") == " re the file "
    assert spaced("...") == "  "


def test_a_stem_is_that_of_an_english_word_and_a_code_its_own() -> None:
    assert stem("reports") == stem("reported") == stem("reporting") == "report"
    assert stem("x7ks") == "x7ks"
    assert stem("2024") == "2024"
    assert stems(iter(["reports", "harbors"])) == ["report", "harbor"]


@pytest.mark.parametrize(
    ("word", "tells"),
    [
        ("plan", True),
        ("with", False),
        ("thanks", False),
        ("cat", False),
        ("the", False),
        ("x7k", True),
        ("42", True),
        ("a1", True),
        ("7", False),
        ("2024", True),
        ("", False),
    ],
)
def test_a_word_tells_something_from_four_letters_or_two_signs_with_a_digit(
    word: str, tells: bool
) -> None:
    assert telling(word) is tells


TEXT = "copper walnut"
ENCODED = b64(TEXT)
HEX = TEXT.encode().hex()
SIGNS = "???>>>???>>>"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("nothing in here", ()),
        ("100% sure", ()),
        ("R&D and Q&A", ()),
        ("%41b%63", ("Abc",)),
        ("caf%C3%A9 %3c", ("caf\u00e9 <",)),
        ("\u20ac%41", ("?A",)),
        ("%ff%41", ("\ufffdA",)),
        ("&lt;b&gt; R&amp;D", ("<b> R&D",)),
        ("a&#33; b", ("a! b",)),
        (f"see {ENCODED}", (TEXT,)),
        (f"({ENCODED.rstrip('=')})", (TEXT,)),
        (f"data,{b64('copper walnut!!')}", ("copper walnut!!",)),
        (f"data,{b64('copper walnut!')}", ("copper walnut!",)),
        (f"data,{b64('copper walnut!').rstrip('=')}", ("copper walnut!",)),
        (f"data,{b64('copper walnu')}", ("copper walnu",)),
        (f"data,{b64('copper walnu')}x", ("copper walnu",)),
        (f"data,{b64('copper wa')}", ()),
        (b64(SIGNS), (SIGNS,)),
        (b64(SIGNS).replace("/", "_").replace("+", "-"), (SIGNS,)),
        ("xyz/Y29wcGVyIHdh", ("copper wa",)),
        ("wxyz/Y29wcGVyIHc", ()),
        ("xyz/Y29wcGVyIHdh/d2FsbnV0IHRy", ("copper wa", "walnut tr")),
        (f"{ENCODED[:12]}\n  {ENCODED[12:]}", (TEXT,)),
        (f"{ENCODED[:12]}\r\n{ENCODED[12:]}\r\n", (TEXT,)),
        (f"{ENCODED[:12]}\n", ()),
        (f"one,\n{ENCODED}", (TEXT, TEXT)),
        ("an0rdinaryIdentifier4", ()),
    ],
)
def test_escapes_and_base64_are_decoded(text: str, says: tuple[str, ...]) -> None:
    assert decodings(text) == says


@pytest.mark.parametrize(
    "text",
    [
        HEX,
        HEX.upper(),
        f"x{HEX}",
        ":".join(HEX[i : i + 2] for i in range(0, len(HEX), 2)),
        ", ".join(f"0x{HEX[i : i + 2]}" for i in range(0, len(HEX), 2)),
        "".join(f"\\x{HEX[i : i + 2]}" for i in range(0, len(HEX), 2)),
        f"see {HEX}",
        f"{HEX} added",
        f"page 12: {HEX} be",
        f"page 12: {' '.join(HEX[i : i + 2] for i in range(0, len(HEX), 2))} be",
        f"be 45 be {HEX}",
    ],
)
def test_hexadecimal_is_decoded_however_it_is_set_and_whatever_stands_beside(text: str) -> None:
    assert TEXT in decodings(text)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (b"copper w".hex(), ("copper w",)),
        (b"copper ".hex(), ()),
        ("be be copper".replace("copper", b"copper".hex(" ")), ("copper",)),
        ("be be be coppe".replace("coppe", b"coppe".hex(" ")), ()),
        (b"copper\x00walnut".hex(), ()),
        (b"\x1f\xff~copper \xff\x7f".hex(), ("~copper ",)),
        (b"copper\xffwalnut".hex(), ()),
        (b"copper\n\twalnut".hex(), ("copper\n\twalnut",)),
        (("walnut " * 50).encode().hex(), ("walnut " * 50,)),
    ],
)
def test_six_characters_of_text_alone_are_readable(text: str, says: tuple[str, ...]) -> None:
    assert decodings(text) == says


def test_layers_are_peeled_up_to_three_each_given() -> None:
    once = b64("copper walnut lantern")
    twice, thrice = b64(once), b64(b64(once))
    assert decodings(once) == ("copper walnut lantern",)
    assert decodings(twice) == (once, "copper walnut lantern")
    assert decodings(thrice) == (twice, once, "copper walnut lantern")
    assert decodings(b64(thrice)) == (thrice, twice, once)


def test_many_decoys_hide_nothing() -> None:
    parts = [f"copper walnut {number:03}" for number in range(34)]

    def text(count: int) -> str:
        return ", ".join(map(b64, parts[:count]))

    assert decodings(text(32)) == tuple(parts[:32])
    assert decodings(text(33)) == tuple(parts[:33])
    assert decodings(text(34)) == (*parts[:32], "\n".join(parts[32:]))


@given(st.text(st.characters(categories=["L", "Nd", "Po"]), min_size=12, max_size=80))
def test_whatever_text_is_encoded_is_read_again(text: str) -> None:
    assert text in decodings(f"<{b64(text)}>")
    assert text in decodings(quote(text)) or quote(text) == text


@pytest.mark.parametrize(
    ("text", "joined"),
    [
        ("s e c r e t", "secret"),
        ("so s.e.c.r.e.t it is", "so secret it is"),
        ("s-e-c-r-e", "secre"),
        ("s e c r", None),
        ("a plan b is a c d", None),
        ("plans e c r e t", "plans ecret"),
        ("plan x s e c rets", None),
        ("s e c r e t  w o r d s", "secret \u2003 words"),
        ("s e c r e t and w o r d s", "secret and words"),
        ("", None),
    ],
)
def test_five_letters_that_stand_apart_are_joined(text: str, joined: str | None) -> None:
    assert unspaced(text) == joined


def test_letters_are_moved_on_and_around_and_nothing_else() -> None:
    assert shifted("abc xyz ABC XYZ 12!", 3) == "def abc DEF ABC 12!"
    assert rotated("abc nop ABC NOP 12!") == "nop abc NOP ABC 12!"


@given(st.text(max_size=40), st.integers(1, 25))
def test_a_shift_and_its_counterpart_undo_each_other(text: str, by: int) -> None:
    assert shifted(shifted(text, by), 26 - by) == text
    assert rotated(text) == shifted(text, 13) == codecs.encode(text, "rot13")
