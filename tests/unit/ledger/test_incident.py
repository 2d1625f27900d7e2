"""Incident reports: what the ledger has in the clear, escaped, and of content nothing."""

import re

import msgspec
from defusedxml.ElementTree import fromstring

from bus.decider import Recorded
from crypto.trust import Trust
from ledger.incident.picture import picture
from ledger.incident.report import Report, report_of
from ledger.incident.writing import as_html, as_markdown
from ledger.replay import verified_entries
from schemas.runs import HaltEngaged, HaltScope
from tests.stories import Story

HOSTILE = "<script>alert(1)</script> | *bold* [x](javascript:1)"


def report() -> Report:
    story = Story()
    story.found()
    run = story.begin("r-1")
    run.act()
    story.say("ada", HaltEngaged(scope=HaltScope.WORKSPACE, target="", reason=HOSTILE))
    trust = Trust(story.workspace, story.signers["root"].public)
    entries = [(e.index, e.subject, e.body) for e in story.entries]
    # The keys are there, and content is left out all the same.
    known = [e for e in verified_entries(entries, trust, story.keys) if isinstance(e, Recorded)]
    return report_of(
        known,
        title=HOSTILE,
        workspace="acme",
        root_public=story.signers["root"].public,
        total=len(entries),
    )


REPORT = report()


def test_it_tells_every_event_and_what_stands_out() -> None:
    assert len(REPORT.moments) == REPORT.entries
    assert [one.type for one in REPORT.refusals] == ["halt.engaged"]
    assert REPORT.counts["action.finished"] == 1


def test_nothing_that_anybody_wrote_becomes_markup() -> None:
    page, text = as_html(REPORT), as_markdown(REPORT)
    assert "<script" not in page and "&lt;script&gt;" in page
    assert "\\<script\\>" in text and "\\*bold\\*" in text
    assert re.search(r"(?<!\\)[<*\]\[]", text) is None


def test_no_content_is_in_it_even_where_keys_are_at_hand() -> None:
    for said in (as_html(REPORT), as_markdown(REPORT)):
        assert "deal-1" not in said and "stage 2" not in said


def test_the_picture_is_well_formed_and_every_mark_says_what_it_is() -> None:
    drawn = fromstring(picture(REPORT.moments))
    space = "{http://www.w3.org/2000/svg}"
    assert drawn.get("role") == "img" and drawn.get("aria-label")
    titles = [one.findtext(f"{space}title") for one in drawn.iter(f"{space}g")]
    assert len(titles) == len(REPORT.moments) and all(titles)
    assert fromstring(picture(())) is not None


def test_the_page_refers_to_nothing_outside_it() -> None:
    page = as_html(msgspec.structs.replace(REPORT, title="x"))
    assert "src=" not in page and "href=" not in page and "default-src 'none'" in page
