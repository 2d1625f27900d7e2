"""The sidecar's hands: tools, receipts, content keys. The only code that holds credentials.

An action is executed under its idempotency key and confirmed at the tool. One that a former
incarnation may have begun is first asked about; what cannot be known is `unknown` and goes
to a person, never retried blindly.
"""

import hashlib
import logging

import msgspec

from bus.decider import Effect
from crypto.sealing import WorkspaceKeys, wrap_run_key
from crypto.signing import Signer
from ledger.receipt import authenticate
from schemas.actions import ActionOutcome
from schemas.names import NO_DIGEST
from schemas.runs import WrappedKey
from sidecar.connectors.connector import Connector, Finding, Outcome
from sidecar.connectors.serving import Connectors
from sidecar.destinations.resolver import Resolver
from sidecar.effects import (
    Answer,
    CallModel,
    Execute,
    IssueReceipt,
    LookUp,
    ModelAnswer,
    Performed,
    WrapKeys,
)
from sidecar.errors import ConnectorError, VaultError
from sidecar.models import ModelGateway

_LOG = logging.getLogger("anyteam.sidecar")


class Performer:
    """Performs the sidecar's effects for one workspace."""

    def __init__(
        self,
        workspace: str,
        *,
        connectors: Connectors,
        keys: WorkspaceKeys,
        receipts: Signer,
        receipt_key: bytes,
        gateway: ModelGateway | None,
        resolver: Resolver,
    ) -> None:
        self._workspace = workspace
        self._connectors = connectors
        self._keys = keys
        self._receipts = receipts
        self._receipt_key = receipt_key
        self._gateway = gateway
        self._resolver = resolver

    async def perform(self, effect: Effect) -> object:
        """Do one effect; see `sidecar.effects` for the results."""
        if isinstance(effect, WrapKeys):
            return self._wrap(effect)
        if isinstance(effect, Execute):
            return await self._execute(effect)
        if isinstance(effect, IssueReceipt):
            return authenticate(effect.receipt, self._receipts, self._receipt_key)
        if isinstance(effect, CallModel):
            if self._gateway is None:
                return ModelAnswer(model="", text="", error="no model is configured")
            return await self._gateway.call(effect)
        if isinstance(effect, LookUp):
            return await self._resolver.observe(effect.domain)
        raise TypeError(f"not an effect of the sidecar: {effect.key}")

    def _wrap(self, effect: WrapKeys) -> tuple[WrappedKey, ...]:
        run = effect.run or ""
        key = self._keys.run_key(run)
        return tuple(
            WrappedKey(
                recipient=recipient.key_id,
                ciphertext=wrap_run_key(key, recipient.exchange, self._workspace, run),
            )
            for recipient in effect.recipients
            if recipient.exchange is not None
        )

    async def _execute(self, effect: Execute) -> Performed:
        if effect.answer is not None:
            return _answered(effect, effect.answer)
        try:
            async with self._connectors.serving(effect.tool, effect.rep) as connector:
                if connector is None:
                    return _failed("no connector serves this tool", reconciled=effect.reconcile)
                return await _done(effect, connector)
        except (ConnectorError, VaultError) as error:
            # Without its credential the tool can be asked nothing, not even what was done.
            _LOG.warning("%s: %s: %s", effect.tool, type(error).__name__, error)
            return _unknown(str(error)) if effect.reconcile else _failed(str(error))


async def _done(effect: Execute, connector: Connector) -> Performed:
    arguments, key = effect.arguments, effect.idempotency_key
    try:
        if effect.reconcile:
            found = await connector.reconcile(effect.tool, arguments, key)
            if found.finding is Finding.DONE and found.outcome is not None:
                return _performed(found.outcome, reconciled=True)
            if found.finding is Finding.UNKNOWN:
                return _unknown(found.detail or "the tool cannot say whether it was done")
        if not effect.allowed:
            return _failed("not done: halted, ended or blocked before it began", reconciled=True)
        outcome = await connector.execute(effect.tool, arguments, key)
    except ConnectorError as error:
        _LOG.warning("%s: %s: %s", effect.tool, type(error).__name__, error)
        if effect.reconcile and error.before_effect is False:
            return _unknown(str(error))
        return _failed(str(error), reconciled=effect.reconcile)
    return _performed(outcome, reconciled=effect.reconcile)


def _performed(outcome: Outcome, *, reconciled: bool) -> Performed:
    return Performed(
        outcome=outcome.status,
        evidence=hashlib.sha256(outcome.evidence).digest(),
        detail=outcome.detail,
        result=outcome.result,
        reconciled=reconciled,
    )


def _answered(effect: Execute, answer: Answer) -> Performed:
    if answer.problem or not effect.allowed:
        return _failed(answer.problem or "not done: halted or ended", reconciled=effect.reconcile)
    evidence = msgspec.json.encode(answer.result)
    return Performed(
        outcome=ActionOutcome.CONFIRMED,
        evidence=hashlib.sha256(evidence).digest(),
        detail=f"{len(evidence)} bytes of memory",
        result=answer.result,
        reconciled=effect.reconcile,
    )


def _failed(detail: str, *, reconciled: bool = False) -> Performed:
    return Performed(
        outcome=ActionOutcome.FAILED,
        evidence=NO_DIGEST,
        detail=detail[:1000],
        result=None,
        reconciled=reconciled,
    )


def _unknown(detail: str) -> Performed:
    return Performed(
        outcome=ActionOutcome.UNKNOWN,
        evidence=NO_DIGEST,
        detail=detail[:1000],
        result=None,
        reconciled=True,
    )
