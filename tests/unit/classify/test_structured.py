"""Structured kinds: what is one is found whole, what only looks like one is left alone."""

import pytest

from classify.detect import Detector
from classify.spans import Kind

DETECTOR = Detector()


def found(text: str, kind: Kind) -> list[str]:
    """What the detector reports of `kind`."""
    return [span.text for span in DETECTOR.detect(text) if span.kind is kind]


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (Kind.EMAIL, "write to ann.lee+x@acme.example today", "ann.lee+x@acme.example"),
        (Kind.EMAIL, "it's ann dot lee at acme dot example", "ann dot lee at acme dot example"),
        (Kind.EMAIL, "ann [at] acme [dot] example", "ann [at] acme [dot] example"),
        (Kind.PHONE, "call 415 555 0198", "415 555 0198"),
        (Kind.PHONE, "my number is 4155550198", "4155550198"),
        (Kind.PHONE, "au 06.39.98.12.34 ce soir", "06.39.98.12.34"),
        (Kind.PHONE, "(+44 20 7946 0958)", "+44 20 7946 0958"),
        (
            Kind.PHONE,
            "it is four one five, five five five, oh one nine eight",
            "four one five, five five five, oh one nine eight",
        ),
        (Kind.PHONE, "phone 415. 595. Zero one nine eight", "415. 595. Zero one nine eight"),
        (Kind.MONEY, "a budget of USD 480,000 or so", "USD 480,000"),
        (Kind.MONEY, "worth €1.2m a year", "€1.2m"),
        (Kind.MONEY, "the budget is 480k", "480k"),
        (Kind.MONEY, "pay forty thousand dollars", "forty thousand dollars"),
        (Kind.MONEY, "soit 12 500 € par an", "12 500 €"),
        (Kind.MONEY, "vierzigtausend Euro jährlich", "vierzigtausend Euro"),
        (Kind.IBAN, "IBAN DE89 3704 0044 0532 0130 00 please", "DE89 3704 0044 0532 0130 00"),
        (Kind.IBAN, "be68539007547034", "be68539007547034"),
        (Kind.CARD, "card 4111-1111-1111-1111", "4111-1111-1111-1111"),
        (Kind.ACCOUNT, "account no. 12345678", "12345678"),
        (Kind.IP, "from 203.0.113.42 at noon", "203.0.113.42"),
        (Kind.IP, "host 2001:db8::8a2e:370:7334", "2001:db8::8a2e:370:7334"),
        (Kind.DATE_OF_BIRTH, "born on 3 March 1991", "3 March 1991"),
        (Kind.NATIONAL_ID, "his 536-22-8710", "536-22-8710"),
        (Kind.NATIONAL_ID, "nº 1 84 12 76 451 089 46", "1 84 12 76 451 089 46"),
        (Kind.ADDRESS, "at 12 Elm Street, Boston, MA 02110", "12 Elm Street, Boston, MA 02110"),
        (Kind.ADDRESS, "au 8 bis avenue Hugo, 75116 Paris", "8 bis avenue Hugo, 75116 Paris"),
        (Kind.ADDRESS, "Lindenstraße 45, 10969 Berlin", "Lindenstraße 45, 10969 Berlin"),
    ],
)
def test_a_value_is_found_whole(kind: Kind, text: str, value: str) -> None:
    assert found(text, kind) == [value]


@pytest.mark.parametrize(
    "text",
    [
        "Order 4111-2222-3333-4445 shipped",
        "IBAN DE89 3704 0044 0532 0130 01",
        "Release 10.14.2.1 fixes the crash of 10.14.1.0",
        "at 14:30 on 2026-05-12 in room 204",
        "Invoice number 2026-000417, purchase order 4500098712",
        "1.2 million users and 30k requests",
        "three thousand people and twenty gates",
        "five hundred grams of flour",
        "uuid 123e4567-e89b-12d3-a456-426614174000",
        "std::vector and 12:00:01",
        "the account manager will review the account",
        "We never ask for your password by mail.",
        "The API key is rotated every 90 days.",
        "password: required, token: ${TOKEN}, secret = os.environ['SECRET']",
        "commit 9fceb02d0ae598e95dc970b74767f19372d61af8",
    ],
)
def test_a_look_alike_is_left_alone(text: str) -> None:
    assert DETECTOR.detect(text) == ()


@pytest.mark.parametrize("position", range(4, 27))
def test_an_iban_with_any_digit_changed_is_none(position: int) -> None:
    iban = "FR1420041010050500013M02606"
    changed = iban[:position] + ("7" if iban[position] != "7" else "3") + iban[position + 1 :]
    assert found(iban, Kind.IBAN) == [iban] and found(changed, Kind.IBAN) == []


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (Kind.IBAN, "D\u200bE89 3704 0044 0532 0130 00"),
        (Kind.IBAN, "G\u041282 WEST 1234 5698 7654 32"),
        (Kind.CARD, "\uff14\uff11\uff11\uff11 \uff11\uff11\uff11\uff11 1111 1111"),
        (Kind.CARD, "5555\u200b5555\u200b5555\u200b4444"),
        (Kind.CARD, "٤١١١ ١١١١ ١١١١ ١١١١"),
        (Kind.EMAIL, "jane.d\u043ee@fabrikam.example"),
        (Kind.EMAIL, "bob\uff20fabrikam.example"),
        (Kind.PHONE, "+1\u200d (415)\u00a0555\u20110134"),
        (Kind.CREDENTIAL, "AKIA\u200bIOSFODNN7EXAMPLE"),
        (Kind.NATIONAL_ID, "457\u201155\u20115462"),
    ],
)
def test_disguised_characters_hide_nothing(kind: Kind, text: str) -> None:
    assert found(f"it is {text} now", kind) == [text]
