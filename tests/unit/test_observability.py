"""Dashboard and alerts: over metrics that are sent, each alert with a runbook that is there."""

import json
import re
from pathlib import Path

import yaml

from ledger.telemetry.observed import COUNTS, DURATIONS

ROOT = Path(__file__).parents[2]
BOARD = json.loads((ROOT / "deploy" / "observability" / "grafana.json").read_text())
RULES = yaml.safe_load((ROOT / "deploy" / "observability" / "alerts.yaml").read_text())
ALERTS = [rule for group in RULES["groups"] for rule in group["rules"]]
EXPRESSIONS = [
    *(target["expr"] for panel in BOARD["panels"] for target in panel["targets"]),
    *(rule["expr"] for rule in ALERTS),
]
LABELS = {
    "anyteam_workspace",
    "anyteam_outcome",
    "anyteam_decision",
    "anyteam_layer",
    "anyteam_pattern",
    "anyteam_tool",
}


def in_prometheus(name: str) -> set[str]:
    """A metric's names as a collector's Prometheus exporter writes them."""
    base = name.replace(".", "_")
    return {f"{base}_total"} if name in COUNTS else {f"{base}_seconds_bucket"}


def test_every_expression_is_over_a_metric_that_is_sent() -> None:
    sent = set().union(*(in_prometheus(name) for name in (*COUNTS, *DURATIONS)))
    asked = {word for one in EXPRESSIONS for word in re.findall(r"anyteam_\w+", one)} - LABELS
    assert asked and asked <= sent


def test_expressions_have_their_brackets() -> None:
    for one in EXPRESSIONS:
        for opening, closing in ("()", "[]", "{}"):
            assert one.count(opening) == one.count(closing), one


def test_every_alert_has_a_runbook_that_is_there() -> None:
    text = (ROOT / "docs" / "operations.md").read_text()
    anchors = {line.lstrip("# ").lower() for line in text.splitlines() if line.startswith("####")}
    for rule in ALERTS:
        file, _, anchor = rule["annotations"]["runbook_url"].partition("#")
        assert file == "docs/operations.md" and anchor in anchors, rule["alert"]
        assert rule["labels"]["severity"] in ("page", "ticket")
    assert len(anchors) == len(ALERTS)


def test_panels_lie_beside_each_other_and_not_on_one_another() -> None:
    places = {(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in BOARD["panels"]}
    assert len(places) == len(BOARD["panels"]) == len({p["id"] for p in BOARD["panels"]})
