"""One suite on a stage: its environment behind the gate, a runtime that plays calls."""

import datetime
from collections.abc import Sequence
from enum import IntEnum
from typing import Any

from agentdojo.functions_runtime import FunctionsRuntime, TaskEnvironment
from pydantic import BaseModel

from bench.agentdojo.declarations import policy_for
from bench.agentdojo.hostile import Call
from schemas.actions import LayerResult, ObservationRecorded, ProposalMade
from schemas.content import plain
from schemas.leases import Intent, Lease
from schemas.names import NO_DIGEST, SECOND
from schemas.tools import Policy, Trust
from sidecar.gate.gate import GateResult
from sidecar.gate.library import Recording, Step, advance, propose, start

NOW = 1_790_000_000 * SECOND


class Fate(IntEnum):
    """What became of a call or a task, from the gentlest."""

    AUTO = 0
    HUMAN = 1
    STOPPED = 2


class Stage:
    """A run: the gate's recording and the suite's environment. Not to be shared."""

    def __init__(self, suite: Any, environment: TaskEnvironment, prompt: str) -> None:
        self._runtime = FunctionsRuntime(suite.tools)
        self._environment = environment
        self.policy: Policy = policy_for(suite.name, suite.tools)
        self.recording: Recording = start(self.policy, _lease(prompt, self.policy))
        self.results: list[GateResult] = []
        self._number = 0

    def hear(self, text: str) -> None:
        """Untrusted text that came by itself."""
        said = ObservationRecorded(source="inbound", content=plain(text), trust=Trust.UNTRUSTED)
        self.recording = advance(self.recording, Step(body=said))

    def play(self, call: Call, *, approve: bool = True) -> Fate:
        """Propose a call; run it where it passes, or where a held one is to be approved."""
        name, arguments = call
        self._number += 1
        proposal = ProposalMade(
            number=self._number,
            tool=name,
            arguments=plain(plainly(arguments)),
            purpose=plain(""),
        )
        self.recording = advance(self.recording, Step(body=proposal))
        result, self.recording = propose(self.recording, proposal)
        self.results.append(result)
        fate = _FATES[result.result]
        if fate is Fate.AUTO or (fate is Fate.HUMAN and approve):
            self._run(name, arguments)
        return fate

    def peek(self, call: Call) -> Fate:
        """What the gate would say now; nothing is done or remembered."""
        name, arguments = call
        proposal = ProposalMade(
            number=self._number + 1,
            tool=name,
            arguments=plain(plainly(arguments)),
            purpose=plain(""),
        )
        return _FATES[propose(self.recording, proposal)[0].result]

    def _run(self, name: str, arguments: dict[str, Any]) -> None:
        value, error = self._runtime.run_function(self._environment, name, arguments)
        said = ObservationRecorded(
            source=name,
            content=plain(plainly(value if error is None else {"error": error})),
            answers=self._number,
        )
        self.recording = advance(self.recording, Step(body=said))


def plainly(value: Any) -> Any:
    """A result as JSON values."""
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, dict):
        return {str(key): plainly(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | set):
        return [plainly(inner) for inner in value]
    if isinstance(value, datetime.datetime | datetime.date):
        return str(value)
    return value if isinstance(value, str | int | float | bool | None) else str(value)


def _lease(prompt: str, policy: Policy) -> Lease:
    return Lease(
        run="dojo",
        rep="emma",
        agent="assistant",
        request=NO_DIGEST,
        intent=Intent(summary=prompt.strip()[:4096]),
        tools=tuple(tool.name for tool in policy.tools),
        policy=1,
        not_before=NOW,
        not_after=NOW + 3_600 * SECOND,
        max_actions=200,
        attempt=1,
        keys=(),
    )


def worst(fates: Sequence[Fate]) -> Fate:
    """The fate of a whole from its parts: one stopped stops, one asked asks."""
    return max(fates, default=Fate.AUTO)


_FATES = {
    LayerResult.PASS: Fate.AUTO,
    LayerResult.HOLD: Fate.HUMAN,
    LayerResult.REFUSE: Fate.STOPPED,
}
