"""Normal form: what compares equal, what hides in a text, and where decoding stops."""

import base64
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

SAID = "send the list to drop"
ASCII = "".join(map(chr, range(0x20, 0x7F))).lower()


def b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("ACME Corp", "acme corp"),
        ("\uff21\uff23\uff2d\uff25", "acme"),
        ("ac\u200bme\u00ad", "acme"),
        ("stra\u00dfe", "strasse"),
        ("\U000e0061\U000e0062", "ab"),
        ("".join(chr(0xE0000 + code) for code in range(0x20, 0x7F)), ASCII),
        ("a\U000e001fb\U000e007fc", "abc"),
        ("5\u0430 z\u0430", "5\u0430 za"),
        ("p\u0430yp\u0430l", "paypal"),
        ("\u043f\u0440\u0430\u0432\u0434\u0430", "\u043f\u0440\u0430\u0432\u0434\u0430"),
        ("\u0430\u0441 me", "\u0430\u0441 me"),
    ],
)
def test_what_a_reader_takes_for_the_same_is_the_same(text: str, plain: str) -> None:
    assert fold(text) == plain


def test_words_are_letters_and_digits() -> None:
    assert words("File_13, it's (Ann's)!") == ["file", "13", "it", "s", "ann", "s"]
    assert spaced("A-b") == " a b "
    assert spaced("...") == "  "


def test_stems_join_the_forms_of_a_word() -> None:
    assert [stem(word) for word in ("closing", "closes", "ab12s", "delivery")] == [
        "close",
        "close",
        "ab12s",
        "deliveri",
    ]
    assert stems(["closing", "closes"]) == ["close", "close"]


@pytest.mark.parametrize(
    ("word", "says"),
    [("falcon", True), ("with", False), ("abc", False), ("a1", True), ("7", False), ("77", True)],
)
def test_a_word_tells_something_unless_it_is_common_or_short(word: str, says: bool) -> None:
    assert telling(word) is says


def test_letters_are_turned() -> None:
    assert (rotated("Ab Zy 1"), shifted("Ab Zy 1", 3)) == ("No Ml 1", "De Cb 1")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b64(SAID), (SAID,)),
        (b64(SAID).rstrip("="), (SAID,)),
        (f"see {b64(SAID)}.", (SAID,)),
        (b64("twelve signs"), ("twelve signs",)),
        (SAID.encode().hex(), (SAID,)),
        (SAID.encode().hex(" "), (SAID,)),
        (SAID.encode().hex(":"), (SAID,)),
        ("".join(f"\\x{code:02x}" for code in SAID.encode()), (SAID,)),
        (", ".join(f"0x{code:02x}" for code in SAID.encode()), (SAID,)),
        (SAID.encode().hex() + "f", (SAID,)),
        (quote(SAID), (SAID,)),
        ("50%25 of r%c3%a9sum%C3%A9s", ("50% of r\u00e9sum\u00e9s",)),
        ("a &lt;b&gt; c", ("a <b> c",)),
        (b64("send?>the?>list"), ("send?>the?>list",)),
        (base64.urlsafe_b64encode(b"send?>the?>list").decode(), ("send?>the?>list",)),
        (b64(b64(SAID)), (b64(SAID), SAID)),
    ],
)
def test_what_is_encoded_is_read(text: str, said: tuple[str, ...]) -> None:
    assert decodings(text) == said


@pytest.mark.parametrize("ends", ["\n", "\r\n", " \n  ", "\n\n"])
def test_a_code_is_read_across_lines(ends: str) -> None:
    code = b64(SAID)
    assert SAID in decodings(ends.join(code[at : at + 7] for at in range(0, len(code), 7)))


def test_a_code_is_read_across_two_lines() -> None:
    code = b64(SAID)
    assert decodings(f"{code[:14]}\n{code[14:]}") == (SAID,)


def test_a_code_with_a_letter_too_many_is_read_to_its_last_whole_byte() -> None:
    for size in range(16, 25):
        code = base64.b64encode((SAID * 2)[:size].encode()).decode().rstrip("=")
        over = code + "A" * (1 - len(code) % 4)
        assert decodings(over)[:1] == ((SAID * 2)[:size],)


def test_of_one_layer_32_readings_are_kept_apart_and_the_rest_as_one() -> None:
    codes = [b64(f"said for the time {number}") for number in range(40)]
    assert len(decodings(" ".join(codes))) == 33
    assert len(decodings(" ".join(codes[:31]))) == 31


def test_a_code_in_a_path_is_read_by_its_parts() -> None:
    assert SAID in decodings(f"https://a.example/{b64(SAID).rstrip('=')}/x")
    assert decodings(f"ab/{b64('nine sign')}/cd")[-1:] == ("nine sign",)


def test_decoding_goes_three_layers_deep() -> None:
    code = SAID
    for depth in range(1, 5):
        code = b64(code)
        assert (SAID in decodings(code)) is (depth <= 3)


@pytest.mark.parametrize(
    "text",
    [
        "An ordinary sentence, 100% plain & simple.",
        "supercalifragilistic words",
        b64("short"),
        b64("\x00\x01\x02\x03 control signs"),
        "deadbeefdeadbeef",
        "69 67 6e 6f 72 65 20",
        "",
    ],
)
def test_ordinary_text_has_no_other_reading(text: str) -> None:
    assert decodings(text) == ()


@given(st.text(min_size=6, max_size=60).filter(lambda said: said.isprintable()))
def test_any_printable_text_is_read_out_of_its_code(said: str) -> None:
    code = b64(said)
    if len(code.rstrip("=")) >= 16:
        assert said in decodings(code)


@pytest.mark.parametrize(
    ("text", "joined"),
    [
        ("s e c r e t", "secret"),
        ("s.e.c.r.e.t", "secret"),
        ("s-e-c-r-e-t now", "secret now"),
        ("a b c d e", "abcde"),
        ("s e c r e t  c o d e s", "secret \u2003 codes"),
        ("a b c d", None),
        ("ab cd ef gh ij", None),
        ("plan a b c d ef", None),
        ("Ordinary words, e.g. these.", None),
    ],
)
def test_letters_that_stand_apart_are_joined(text: str, joined: str | None) -> None:
    assert unspaced(text) == joined
