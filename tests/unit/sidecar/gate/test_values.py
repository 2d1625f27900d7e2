"""Values: what of a text can steer an action, by type; the same number is not always the same."""

import pytest

from sidecar.gate.values import address, amount, in_order, mailbox, tokens


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("file 13", "i:13"),
        ("file 13 and 14", "i:13 i:14"),
        ("June 13", "d:06-13"),
        ("13.00 EUR", "n:13.00"),
        ("#13 and #a14", "i:13 i:a14 n:13.00"),
        ("invoices 13, 14 and 15", "i:13 i:14 i:15"),
        ("invoices of 13", "i:13"),
        ("room 7, 8", "i:7 i:8"),
        ("order is 12 now", "i:12"),
        ("page 3.5", "n:3.50"),
        ("page 2 is 5", "i:2 n:5.00"),
        ("case ab-13", "i:ab-13 n:13.00"),
        ("ticket: T-9", "i:t-9 n:9.00"),
        ("'x7' or `y8` or \"z9\"", "i:x7 i:y8 i:z9"),
        ("id is 44", "i:44 n:44.00"),
        ("no. 12ab", "i:12ab n:12.00"),
        ("refs (77)", "n:77.00"),
        ("12 files", "n:12.00"),
        ("2031-04-09", "d:04-09"),
        ("2031-4-9", "d:04-09"),
        ("2031-04-091", "a:203104091 n:2031.00 n:4.00 n:91.00"),
        ("9 april", "d:04-09"),
        ("9th of april", "d:04-09"),
        ("april 9th", "d:04-09"),
        ("apr. 9", "d:04-09"),
        ("3rd to 5th of may", "d:05-03 d:05-05"),
        ("3-5 june", "d:06-03 d:06-05"),
        ("from 3 until the 5 june", "d:06-03 d:06-05"),
        ("14:30", "c:14:30"),
        ("9h05", "c:09:05"),
        ("24:30", "n:24.00 n:30.00"),
        ("14:60", "n:14.00 n:60.00"),
        ("x14:30", "n:30.00"),
        ("2031-04-09t14:30", "c:14:30 d:04-09"),
        ("1,234.50", "n:1234.50"),
        ("1,234,567", "n:1234567.00"),
        ("-1,200", "n:-1200.00"),
        ("+1,200", "n:1200.00"),
        ("-5", "n:5.00"),
        ("5", "n:5.00"),
        ("0.5", "n:0.50"),
        (".5", ""),
        ("x5", ""),
        ("5x", "n:5.00"),
        ("5_", "n:5.00"),
        ("1.2.3", "n:1.20"),
        ("1234567", "a:1234567 n:1234567.00"),
        ("123456", "n:123456.00"),
        ("12 34 56 7", "a:1234567 n:12.00 n:34.00 n:56.00 n:7.00"),
        ("12-34-56-7", "a:1234567 n:12.00 n:34.00 n:56.00 n:7.00"),
        ("1234567.5", "n:1234567.50"),
        ("1234567-a", "n:1234567.00"),
        ("x1234567", ""),
        ("de89 3704 0044 0532 0130 00", "a:de89370400440532013000"),
        ("DE89370400440532013000", "a:de89370400440532013000"),
        ("de8937", ""),
        ("5k", "n:5.00 n:5000.00"),
        ("5 k", "n:5.00 n:5000.00"),
        ("2.5 million", "n:2.50 n:2500000.00"),
        ("3 thousand", "n:3.00 n:3000.00"),
        ("3m", "n:3.00 n:3000000.00"),
        ("3 mm", "n:3.00"),
        ("3 kg", "n:3.00"),
        ("a.b+tag@Mail.Example.com", "e:a.b@mail.example.com h:mail.example.com"),
        ("+tag@a.example", "e:tag@a.example h:a.example"),
        ("https://www.a.example/x/y?z=1#frag.", "h:a.example n:1.00 u:a.example/x/y?z=1"),
        ("http://user@a.example:80/x", "e:user@a.example h:a.example n:80.00 u:a.example/x"),
        ("www.b.example", "h:b.example u:b.example"),
        ("c.io/path", "h:c.io u:c.io/path"),
        ("a.b", ""),
        ("ftp://d.example/", "h:d.example u:d.example"),
        ("mailto a@b.example and c.example", "e:a@b.example h:b.example h:c.example u:c.example"),
        (
            "1111111111111111111111111111111",
            "a:1111111111111111111111111111111 n:1111111111111111055017645178880.00",
        ),
        ("11111111111111111111111111111111", "n:11111111111111111957551335342080.00"),
        ("file-13", "n:13.00"),
        ("my/file 13", "i:13"),
        ("file #13 and 14", "i:13 i:14"),
        ("reservations with 13", "i:13"),
        ("`10:30` {11:45}", "c:10:30 c:11:45"),
        ("_10:30", "n:30.00"),
        ("5-1,000", "n:5.00"),
        ("no digits at all", ""),
        ("", ""),
        (
            "https://medium.example/@jo.doe",
            "e:medium.example/@jo.doe h:jo.doe h:medium.example u:medium.example/@jo.doe",
        ),
    ],
)
def test_each_value_has_its_type(text: str, found: str) -> None:
    assert tokens(text) == set(found.split())


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("https://www.A.example".lower(), {"h:a.example", "u:a.example"}),
        ("a.example:8080/x/", {"h:a.example", "u:a.example/x"}),
        ("https://u:p@a.example./x).", {"h:a.example", "u:a.example/x"}),
        ("https:///a.example#top", {"h:a.example", "u:a.example"}),
    ],
)
def test_a_link_is_a_host_and_what_follows(text: str, found: set[str]) -> None:
    assert address(text) == found


def test_a_tag_goes_to_the_same_mailbox() -> None:
    assert mailbox(" ann+x+y@a.example. ") == {"e:ann@a.example", "h:a.example"}
    assert mailbox("+@a.example") == {"e:+@a.example", "h:a.example"}
    assert mailbox("ann@m\u00fcller.example") == {
        "e:ann@xn--mller-kva.example",
        "h:xn--mller-kva.example",
    }


def test_an_amount_beyond_all_floats_is_infinite() -> None:
    assert amount(10**400) == "n:inf"
    assert amount(-(10**400)) == "n:-inf"
    assert amount(1.005) == "n:1.00"


def test_a_name_is_taken_apart_at_capitals_and_underscores() -> None:
    assert in_order("fileId_of-thing2") == ["file", "id", "of", "thing2"]
