"""Values in a text: which type each has, and that one value has one spelling."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.gate.flows import _is_telling_number
from sidecar.gate.values import (
    address,
    amount,
    identifier,
    in_order,
    keyed,
    magnitude,
    mailbox,
    name_tokens,
    telling_tokens,
    tokens,
)

IBAN = "a:gb29nwbk60161331926819"


def said(text: str) -> str:
    return " ".join(sorted(tokens(text)))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a.b@c.example", "e:a.b@c.example h:c.example"),
        ("to Jane+News@X.Example.", "e:jane@x.example h:x.example"),
        ("a@b.example, c@d.example", "e:a@b.example e:c@d.example h:b.example h:d.example"),
        ("a1@b2.example", "e:a1@b2.example h:b2.example"),
        ("a@b", ""),
        ("jane@b\u00fccher.example", "e:jane@xn--bcher-kva.example h:xn--bcher-kva.example"),
        ("a@b.example see c.example", "e:a@b.example h:b.example h:c.example u:c.example"),
        ("see c.example/d", "h:c.example u:c.example/d"),
        ("see http://localhost/d", "h:localhost u:localhost/d"),
        ("see www.c-d.test, or e.test/f!", "h:c-d.test h:e.test u:c-d.test u:e.test/f"),
        ("well.done, really", ""),
    ],
)
def test_mailboxes_and_links(text: str, found: str) -> None:
    assert said(text) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Jane@X.Example", {"e:Jane@X.Example", "h:X.Example"}),
        (" jane@x.example. ", {"e:jane@x.example", "h:x.example"}),
        ("jane+a+b@x.example", {"e:jane@x.example", "h:x.example"}),
        ("+a@x.example", {"e:+a@x.example", "h:x.example"}),
        ("jane@\u00fc.example", {"e:jane@xn--tda.example", "h:xn--tda.example"}),
        ("jane@\u00fc..example", {"e:jane@\u00fc..example", "h:\u00fc..example"}),
    ],
)
def test_a_mailbox_is_without_its_tag_and_its_host_in_ascii(text: str, found: set[str]) -> None:
    assert mailbox(text) == found


@pytest.mark.parametrize(
    ("text", "host", "url"),
    [
        ("https://www.c.example/d/?e=1#f", "c.example", "c.example/d/?e=1"),
        ("c.example", "c.example", "c.example"),
        ("c.example/", "c.example", "c.example"),
        (" ftp://c.example:21/d). ", "c.example", "c.example/d"),
        ("http://user@c.example./d/", "c.example", "c.example/d"),
        ("http://c.example#d", "c.example", "c.example"),
        ("svn+ssh://c.example/d", "c.example", "c.example/d"),
    ],
)
def test_a_link_is_its_host_and_its_host_with_path(text: str, host: str, url: str) -> None:
    assert address(text) == {f"h:{host}", f"u:{url}"}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("GB29 NWBK 6016 1331 9268 19", IBAN),
        ("to gb29nwbk60161331926819.", IBAN),
        ("GB29-NWBK-6016-1331-9268-19 and 5", f"{IBAN} n:5.00"),
        ("7 to GB29 NWBK 6016 1331 9268 19", f"{IBAN} n:7.00"),
        ("ab12 cd34 or ab12cd3", ""),
        ("1234567", "a:1234567 n:1234567.00"),
        ("123456", "n:123456.00"),
        ("call 123-4567", "a:1234567 n:123.00 n:4567.00"),
        ("1-2-3-4-5-6-7", "a:1234567 n:1.00 n:2.00 n:3.00 n:4.00 n:5.00 n:6.00 n:7.00"),
        ("12 34 56 78 90", "a:1234567890 n:12.00 n:34.00 n:56.00 n:78.00 n:90.00"),
        ("12 34 56", "n:12.00 n:34.00 n:56.00"),
        ("1234567, 7654321", "a:1234567 a:7654321 n:1234567.00 n:7654321.00"),
        ("x1234567", ""),
        ("1234567.5", "n:1234567.50"),
        ("1234567x", "n:1234567.00"),
        ("555  1234567", "a:1234567 n:1234567.00 n:555.00"),
    ],
)
def test_accounts_and_other_long_numbers(text: str, found: str) -> None:
    assert said(text) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("5", "n:5.00"),
        ("5 or 6.5", "n:5.00 n:6.50"),
        ("1,234.50 EUR", "n:1234.50"),
        ("12,345,678.9", "n:12345678.90"),
        ("1,23", "n:1.00"),
        ("$5, \u20ac6", "n:5.00 n:6.00"),
        ("-12 +13", "n:12.00 n:13.00"),
        ("-1,234", "n:-1234.00"),
        ("+1,234", "n:1234.00"),
        ("a -1,234", "n:-1234.00"),
        ("5-1,234", "n:5.00"),
        ("5 1,234", "n:1234.00 n:5.00"),
        ("a5 _5 a.5 a,5", ""),
        ("1.2.3", "n:1.20"),
        ("\u0661\u0662", "n:12.00"),
        ("5k", "n:5.00 n:5000.00"),
        ("1.5 k", "n:1.50 n:1500.00"),
        (
            "$2m, 3 million or 4 thousand",
            "n:2.00 n:2000000.00 n:3.00 n:3000000.00 n:4.00 n:4000.00",
        ),
        ("1.5.5k", "n:1.50"),
        ("5km 6k7", "n:5.00 n:6.00"),
        ("5  k", "n:5.00"),
        ("5", "n:5.00"),
        ("x7k", ""),
        ("v1.5k", ""),
        ("1,500k", "n:1500.00"),
        ("no 5k", "i:5k n:5.00 n:5000.00"),
    ],
)
def test_amounts(text: str, found: str) -> None:
    assert said(text) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("file 13", "i:13"),
        ("files 13", "i:13"),
        ("profile 13", "n:13.00"),
        ("address 13", "n:13.00"),
        ("cents 13", "n:13.00"),
        ("file #13", "i:13"),
        ("#13", "i:13 n:13.00"),
        ("file: 13", "n:13.00"),
        ("(file 13)", "i:13"),
        ("my-file 13", "i:13"),
        ("file\n13", "n:13.00"),
        ("file13", ""),
        ("invoices of 13, 14 and 15 or #16", "i:13 i:14 i:15 i:16"),
        ("invoice of 1,250 eur", "n:1250.00"),
        ("invoice of 13 eur", "n:13.00"),
        ("invoice 13 europe", "i:13"),
        ("page 12%", "n:12.00"),
        ("the file is 13", "i:13"),
        ("the event with 13", "i:13"),
        ("the event by 13", "n:13.00"),
        ("of 13", "n:13.00"),
        ("a lot of 13", "i:13"),
        ("a kilo of 13", "n:13.00"),
        ("a file of of 13", "n:13.00"),
        ("items 3, 4.5", "i:3 n:4.50"),
        ("file 13.5", "n:13.50"),
        ("file 13, then 14", "i:13 n:14.00"),
        ("file 13 file 14", "i:13 i:14"),
        ("transactions of 13", "i:13"),
        ("all of those transactions with 13", "i:13"),
        ("no. 5", "i:5 n:5.00"),
        ("ID: x9, key = 'y8'", "i:x9 i:y8"),
        ("ref #ab12 or 'c3' or `d4`", "i:ab12 i:c3 i:d4"),
        ("code word, #tag, 'word'", ""),
        ("number is 42", "i:42 n:42.00"),
        ("file 123456789", "a:123456789 i:123456789"),
        ("file 1234567890", "a:1234567890 n:1234567890.00"),
        ("file 13* and 14", "i:13 n:14.00"),
        ("file 13 and 14x", "i:13 n:14.00"),
        ("file 13 or 14, 15", "i:13 i:14 i:15"),
        ("'x7\" alone", "i:x7"),
        ("`x7' alone", "i:x7"),
        ("it's `x7", ""),
        ("'x7", ""),
    ],
)
def test_identifiers_are_what_a_text_speaks_of_as_one(text: str, found: str) -> None:
    assert said(text) == found


@pytest.mark.parametrize(
    ("value", "token"),
    [
        (0, "n:0.00"),
        (5, "n:5.00"),
        (-5.125, "n:-5.12"),
        (0.005, "n:0.01"),
        (10**400, "n:inf"),
        (-(10**400), "n:-inf"),
        (float("inf"), "n:inf"),
    ],
)
def test_an_amount_has_two_places_and_no_bound(value: float, token: str) -> None:
    assert amount(value) == token
    assert magnitude(value) == float(magnitude(value))


@given(st.integers(0, 10**15), st.integers(0, 99))
def test_an_amount_is_the_same_with_commas_and_without(whole: int, cents: int) -> None:
    plain, set_off = f"{whole}.{cents:02}", f"{whole:,}.{cents:02}"
    assert amount(float(plain)) in tokens(f"EUR {plain} ")
    assert amount(float(plain)) in tokens(f"EUR {set_off}")


@given(st.text(max_size=200))
def test_any_text_whatever_has_typed_values(text: str) -> None:
    for found in tokens(text):
        assert found[1] == ":"
        assert found[0] in "euhandci"


def test_identifiers_and_fields_are_folded() -> None:
    assert identifier(" Ab-12 ") == "i:ab-12"
    assert keyed(" Ab 12 ") == "k:ab 12"


def test_a_name_is_cut_into_its_words() -> None:
    assert in_order("fileIdOf_thing") == ["file", "id", "of", "thing"]
    assert in_order("mail.send-Now") == ["mail", "send", "now"]
    assert name_tokens("fileId") == name_tokens("file_id") == name_tokens("ID of file") - {"of"}


_BITS = st.sampled_from(
    ["12", "999", "999.995", "99.9", "1000", "1,2", "1,234", "5k", "5 k", "1.5 m", "7 thousand",
     "2 million", "3 minutes", "week 3", "room 1, 2 and 3", "GB29NWBK60161331926819", "gb29",
     "ab", "12 34 56 7", "12-34-56", "a@b.example", "c.example", "https://d", "2026-05-04",
     "10:30", ".", ",", "k", "-", "+", " ", "  ", "\u0663", "\uff11", "caf\u00e9", "x"]
)  # fmt: skip


@given(st.lists(_BITS, max_size=8).map("".join) | st.text())
def test_a_text_held_to_have_only_small_values_has_no_other(text: str) -> None:
    telling = {one for one in tokens(text) if one[0] in "uae" or _is_telling_number(one)}
    assert telling <= telling_tokens(text) <= tokens(text)


def test_small_numbers_days_and_hours_are_not_looked_for_where_others_count() -> None:
    text = "The 12 seats of week 3 come on May 5 at 10:30, for 999 EUR"
    assert tokens(text) and not telling_tokens(text)
    assert telling_tokens("for 1,000 EUR") == {"n:1000.00"}
    assert not telling_tokens("12 caf\u00e9s for 999 EUR")
    assert telling_tokens("\u0661\u0662\u0663\u0664 EUR") == {"n:1234.00"}
