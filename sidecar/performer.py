"""The sidecar's hands: tools, receipts, content keys. The only code that holds credentials.

An action is executed under its idempotency key and confirmed at the tool. One that a former
incarnation may have begun is first asked about; what cannot be known is `unknown` and goes
to a person, never retried blindly. `Withdraw` ends the waiting for one that is under way.
"""

import asyncio
import hashlib
import logging

import msgspec

from bus.decider import Effect
from crypto.sealing import WorkspaceKeys, wrap_run_key
from crypto.signing import Signer
from ledger.receipt import authenticate
from schemas.actions import ActionOutcome
from schemas.runs import WrappedKey
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
    Withdraw,
    WrapKeys,
)
from sidecar.errors import ConnectorError, VaultError
from sidecar.execution import GRACE_S, NOT_BEGUN, SETTLE_S, executed, failed, unknown
from sidecar.models import ModelGateway

_LOG = logging.getLogger("anyteam.sidecar")


class Performer:
    """Performs the sidecar's effects for one workspace.

    A tool run that was stopped is asked about for `settle_s` seconds; a mutation may answer for
    `grace_s` before.
    """

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
        settle_s: float = SETTLE_S,
        grace_s: float = GRACE_S,
    ) -> None:
        self._workspace = workspace
        self._connectors = connectors
        self._keys = keys
        self._receipts = receipts
        self._receipt_key = receipt_key
        self._gateway = gateway
        self._resolver = resolver
        self._settle_s, self._grace_s = settle_s, grace_s
        self._stops: dict[str, asyncio.Event] = {}

    async def perform(self, effect: Effect) -> object:
        """Do one effect; see `sidecar.effects` for the results."""
        if isinstance(effect, WrapKeys):
            return self._wrap(effect)
        if isinstance(effect, Execute):
            return await self._execute(effect)
        if isinstance(effect, Withdraw):
            if effect.action in self._stops:
                self._stops[effect.action].set()
            return None
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
        if not effect.allowed and not (effect.reconcile and effect.begun):
            return failed(NOT_BEGUN, reconciled=effect.reconcile)
        stop = self._stops[effect.key] = asyncio.Event()
        try:
            async with self._connectors.serving(effect.tool, effect.rep) as connector:
                if connector is None:
                    missing = "no connector serves this tool"
                    return unknown(missing) if effect.reconcile else failed(missing)
                return await executed(
                    effect, connector, stop, settle_s=self._settle_s, grace_s=self._grace_s
                )
        except (ConnectorError, VaultError) as error:
            # Without its credential the tool can be asked nothing, not even what was done.
            _LOG.warning("%s: %s: %s", effect.tool, type(error).__name__, error)
            return unknown(str(error)) if effect.reconcile else failed(str(error))
        finally:
            del self._stops[effect.key]


def _answered(effect: Execute, answer: Answer) -> Performed:
    if answer.problem or not effect.allowed:
        return failed(answer.problem or "not done: halted or ended", reconciled=effect.reconcile)
    evidence = msgspec.json.encode(answer.result)
    return Performed(
        outcome=ActionOutcome.CONFIRMED,
        evidence=hashlib.sha256(evidence).digest(),
        detail=f"{len(evidence)} bytes of memory",
        result=answer.result,
        reconciled=effect.reconcile,
    )
