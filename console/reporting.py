"""Faults of components, to an error tracker that speaks Sentry's protocol: what may be said, and no
more.

The supervisor sends, which keeps no content; a component hands it a `Fault` and reaches nobody. The
event is built here, field by field, and built once more from a list of fields after the library has
prepared it: what a later version adds of its own accord does not go. No integration is switched on,
so nothing is collected, and no fault is lost in the ledger's place: the component's log has it all.
Source: Sentry's event payloads, https://develop.sentry.dev/sdk/event-payloads/.
"""

from typing import Any, Final

import sentry_sdk
from sentry_sdk.transport import HttpTransport

from schemas.faults import Fault, Raised

FLUSH_S: Final = 2.0

_FIELDS: Final = {
    "event_id": None,
    "timestamp": None,
    "platform": None,
    "level": None,
    "logger": None,
    "environment": None,
    "fingerprint": None,
    "tags": ("component", "exit_code"),
    "exception": ("values",),
}
"""What of an event goes, and which keys of a field that has keys."""


class Reporter:
    """Sends faults. To be closed: what is on its way then has two seconds."""

    def __init__(self, dsn: str, environment: str) -> None:
        self._client = sentry_sdk.Client(
            dsn=dsn,
            environment=environment,
            before_send=_only_listed,
            transport=HttpTransport,
            integrations=[],
            default_integrations=False,
            auto_enabling_integrations=False,
            auto_session_tracking=False,
            include_local_variables=False,
            include_source_context=False,
            send_client_reports=False,
            max_request_body_size="never",
            max_breadcrumbs=0,
            server_name="",
            shutdown_timeout=FLUSH_S,
        )

    def report(self, component: str, code: int, fault: Fault | None) -> None:
        """A component has ended with `code`. Returns at once, wherever the tracker is."""
        self._client.capture_event(event_of(component, code, fault))

    def close(self) -> None:
        """Send what is on its way, and end."""
        self._client.close(timeout=FLUSH_S)


def event_of(component: str, code: int, fault: Fault | None) -> Any:
    """A fault as an event. Of a component that could not say why it ended: that it did."""
    raised = fault.raised if fault is not None else ()
    kinds = [one.kind for one in raised] or ["killed" if code < 0 else "ended"]
    return {
        "platform": "python",
        "level": "error",
        "logger": "anyteam",
        "fingerprint": [component, *kinds],
        "tags": {"component": component, "exit_code": str(code)},
        # The outermost last, as Sentry has them.
        "exception": {"values": [_exception(one) for one in reversed(raised)] or [_none(kinds[0])]},
    }


def _exception(raised: Raised) -> dict[str, Any]:
    module, _, kind = raised.kind.rpartition(".")
    frames = [
        {"module": frame.module, "function": frame.function, "lineno": frame.line}
        for frame in raised.frames
    ]
    return {"type": kind, "module": module, "stacktrace": {"frames": frames}}


def _none(kind: str) -> dict[str, Any]:
    return {"type": kind}


def _only_listed(event: Any, hint: Any) -> Any:
    """The event with what `_FIELDS` lists, and nothing else."""
    kept: dict[str, Any] = {}
    for field, keys in _FIELDS.items():
        if field not in event:
            continue
        value = event[field]
        kept[field] = value if keys is None else {k: value[k] for k in keys if k in value}
    return kept
