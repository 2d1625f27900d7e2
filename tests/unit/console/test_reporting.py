"""Faults to an error tracker: where and of which kind, and not a word of what they were about."""

import gzip
import http.server
import threading
from collections.abc import Callable, Iterator

import pytest
import sentry_sdk

from bus.faults import fault_of
from console.faults import faults_of
from console.reporting import Reporter, _only_listed, event_of
from crypto.errors import Rejected
from schemas.faults import Fault, Frame, Raised, encode_fault, read_fault
from schemas.settings import Settings, parse_settings

CANARIES = (
    "Dana Whitfield",
    "dana@boeing.example",
    "sk_live_4eC39HqLyjWDarjtT1zdp7dc",
    "SUAIBDPBAUTWCWBKIO6XHQNINK5FWJW4OHLXC3HQ2KFE4PEJUA44CNHTC4",
    "the pipeline of the third quarter",
)
SETTINGS = 'workspace = "acme"\nreps = ["ann"]\nadmins = ["ada"]\n[policy]\ntools = []\n'


class Receiver:
    """A tracker on loopback that keeps every body that it is sent."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self._came = threading.Condition()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.headers.get("Content-Encoding") == "gzip":
                    body = gzip.decompress(body)
                with outer._came:
                    outer.bodies.append(str(self.headers).encode() + body)
                    outer._came.notify_all()
                self.send_response(200)
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, *_: object) -> None:
                """Nothing to the terminal."""

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    @property
    def dsn(self) -> str:
        return f"http://0123456789abcdef@127.0.0.1:{self._server.server_port}/7"

    def received(self, bodies: int) -> bytes:
        """All of it, once there is so much."""
        with self._came:
            assert self._came.wait_for(lambda: len(self.bodies) >= bodies, timeout=30)
            return b"\n".join(self.bodies)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    found = Receiver()
    yield found
    found.close()


def harmed() -> Exception:
    """An exception with a canary wherever one could be: words, locals, arguments, causes."""
    name, address, key, seed, words = CANARIES

    def send(to: str, token: str) -> None:
        content = words
        try:
            raise KeyError(to, token, content)
        except KeyError as error:
            raise Rejected(f"{name} cannot be reached with {token}") from error

    try:
        send(address, key)
    except Rejected as error:
        error.add_note(seed)
        return error
    raise AssertionError("it did not fail")


def test_an_exception_goes_as_kinds_and_places_without_a_canary(receiver: Receiver) -> None:
    reporter = Reporter(receiver.dsn, "test")
    said = b"ready\n" + encode_fault(fault_of(harmed()))
    reporter.report("sidecar", 70, read_fault(said))
    reporter.close()
    sent = receiver.received(1)
    assert b'"type":"Rejected"' in sent and b'"module":"crypto.errors"' in sent
    assert b'"type":"KeyError"' in sent
    assert b"tests.unit.console.test_reporting" in sent, "where it came from"
    assert b'"component":"sidecar"' in sent and b'"exit_code":"70"' in sent
    assert not [canary for canary in CANARIES if canary.encode() in sent]
    # Nor who and where we are.
    for word in (b"server_name", b"/home", b"/root", b"/work", b"hostname", b"context_line"):
        assert word not in sent


def test_the_library_left_to_itself_would_have_sent_them(receiver: Receiver) -> None:
    client = sentry_sdk.Client(dsn=receiver.dsn, default_integrations=False)
    error = harmed()
    event, hint = sentry_sdk.utils.event_from_exception(error, client_options=client.options)
    client.capture_event(event, hint=hint)
    client.close(timeout=2.0)
    assert CANARIES[0].encode() in receiver.received(1)


def test_what_the_library_adds_is_left_out_again() -> None:
    event = event_of("sidecar", 1, fault_of(harmed()))
    added = {
        **event,
        "server_name": "host-7",
        "modules": {"secret-lib": "1"},
        "extra": {"name": CANARIES[0]},
        "user": {"email": CANARIES[1]},
        "contexts": {"trace": {}},
        "tags": {**event["tags"], "customer": CANARIES[0]},
    }
    assert _only_listed(added, None) == event


@pytest.mark.parametrize(
    ("code", "kind"), [(-9, "killed"), (70, "ended")], ids=["killed", "by itself"]
)
def test_a_component_that_could_not_say_why_is_reported_all_the_same(code: int, kind: str) -> None:
    event = event_of("orchestrator", code, None)
    assert event["exception"]["values"] == [{"type": kind}]
    assert event["fingerprint"] == ["orchestrator", kind]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda fault: fault.replace(b"crypto.errors.Rejected", CANARIES[0].encode()),
        lambda fault: fault.replace(b'"frames"', b'"message":"dana","frames"', 1),
        lambda fault: fault[:-5],
        lambda fault: b"",
        lambda fault: b"\xff" + fault,
        lambda fault: b"[" * 100_000,
    ],
    ids=["words for a kind", "another field", "cut", "nothing", "no text", "deep"],
)
def test_what_is_no_fault_in_form_is_none(spoil: Callable[[bytes], bytes]) -> None:
    assert read_fault(encode_fault(fault_of(harmed()))) is not None
    assert read_fault(spoil(encode_fault(fault_of(harmed())))) is None


def test_a_class_with_words_for_a_name_is_unnamed() -> None:
    odd = type("Dana Whitfield", (Exception,), {"__module__": "dana@boeing.example"})
    assert fault_of(odd()) == Fault((Raised("unnamed", ()),))


def test_deep_recursion_keeps_the_innermost_frames() -> None:
    def down(left: int) -> None:
        if left:
            down(left - 1)
        raise ValueError

    with pytest.raises(ValueError) as caught:
        down(200)
    [raised] = fault_of(caught.value).raised
    assert len(raised.frames) == 60
    assert {type(frame) for frame in raised.frames} == {Frame}


def settings(more: str) -> Settings:
    return parse_settings(SETTINGS + more, "anyteam.toml")


def test_without_an_address_nobody_is_told() -> None:
    told = faults_of(settings(""))
    told.report("sidecar", 70, encode_fault(fault_of(harmed())))
    told.close()


def test_the_settings_lead_to_the_tracker(receiver: Receiver) -> None:
    told = faults_of(settings(f'[telemetry]\nsentry_dsn = "{receiver.dsn}"\n'))
    told.report("sidecar", -9, b"ready\n")
    told.close()
    assert b'"type":"killed"' in receiver.received(1)


@pytest.mark.parametrize(
    "dsn",
    ["sentry.example/1", "http://key@sentry.example/1", "https://key:secret@sentry.example/1"],
)
def test_an_address_in_the_clear_or_with_a_secret_is_refused(dsn: str) -> None:
    with pytest.raises(Exception, match="sentry_dsn"):
        settings(f'[telemetry]\nsentry_dsn = "{dsn}"\n')
