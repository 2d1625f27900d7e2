"""Telemetry as a collector gets it: OTLP over HTTP to a receiver on loopback, and as a file."""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from console.commands.telemetry import telemetry
from console.errors import NotSent
from crypto.keyfile import write_public
from ledger.telemetry.observed import ACTIONS, DURATIONS, ROOT
from tests.ledgers import small_ledger, write_export

RUNS = 3


class Receiver(ThreadingHTTPServer):
    """What was posted, by path."""

    def __init__(self, status: int = 200) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.status = status
        self.posted: dict[str, list[bytes]] = {}

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.posted.setdefault(self.path, []).append(body)
        self.send_response(self.server.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as server:
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def export(tmp_path: Path) -> tuple[Path, Path]:
    """An export, and the file of its root key."""
    ledger = small_ledger(runs=RUNS)
    root = tmp_path / "root.pub"
    write_public(root, ledger.root_public)
    return write_export(ledger, tmp_path / "export"), root


def test_a_collector_gets_every_action_as_a_trace_and_the_measures_of_all(
    receiver: Receiver, export: tuple[Path, Path]
) -> None:
    telemetry(otlp=receiver.url, export=export[0], root=export[1])
    traces = ExportTraceServiceRequest()
    for body in receiver.posted["/v1/traces"]:
        traces.MergeFromString(body)
    found = [
        (span, {one.key: one.value.string_value for one in group.resource.attributes})
        for group in traces.resource_spans
        for scope in group.scope_spans
        for span in scope.spans
    ]
    roots = [span for span, _ in found if span.name == ROOT]
    assert len(roots) == len({span.trace_id for span, _ in found}) == RUNS
    assert {resource["service.name"] for _, resource in found} == {
        "anyteam-judge",
        "anyteam-runtime",
        "anyteam-sidecar",
    }
    assert all(span.end_time_unix_nano >= span.start_time_unix_nano for span, _ in found)
    measures = ExportMetricsServiceRequest()
    measures.MergeFromString(receiver.posted["/v1/metrics"][-1])
    by_name = {
        metric.name: metric
        for group in measures.resource_metrics
        for scope in group.scope_metrics
        for metric in scope.metrics
    }
    points = by_name[ACTIONS].sum.data_points
    assert sum(point.as_int or point.as_double for point in points) == RUNS
    assert by_name["anyteam.gate.duration"].histogram.data_points[0].count == RUNS
    assert set(by_name) & set(DURATIONS)


def test_a_collector_that_refuses_is_an_error_that_says_what_to_do(
    receiver: Receiver, export: tuple[Path, Path]
) -> None:
    receiver.status = 400
    with pytest.raises(NotSent, match="not taken"):
        telemetry(otlp=receiver.url, export=export[0], root=export[1])


def test_a_file_holds_an_object_a_line(tmp_path: Path, export: tuple[Path, Path]) -> None:
    file = tmp_path / "told.jsonl"
    telemetry(file=file, export=export[0], root=export[1])
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    assert len([one for one in lines if one.get("name") == ROOT]) == RUNS
    assert "resource_metrics" in lines[-1]
    with pytest.raises(NotSent, match="exists"):
        telemetry(file=file, export=export[0], root=export[1])


def test_a_place_must_be_named(export: tuple[Path, Path]) -> None:
    with pytest.raises(NotSent, match="where"):
        telemetry(export=export[0], root=export[1])
