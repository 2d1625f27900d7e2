"""One tool run at its connector: done once, asked about where it may be done, given up on a halt.

A halt ends the waiting, not what the far side has begun. A mutation may still answer for a moment;
what leaves is cut off at once. A run that was stopped, or begun by a former incarnation and may not
be begun again, is failed only where the tool says so for good. Where it is merely not seen, it is
asked about for a while longer, and then unknown.
"""

import asyncio
import hashlib
import logging
from collections.abc import Coroutine
from typing import Any, Final

from tenacity import AsyncRetrying, retry_if_result, wait_exponential

from schemas.actions import ActionOutcome
from schemas.names import NO_DIGEST
from schemas.tools import Effect as EffectClass
from sidecar.connectors.connector import Connector, Finding, Found, Outcome
from sidecar.effects import Execute, Performed
from sidecar.errors import ConnectorError

SETTLE_S: Final = 10.0
"""How long a tool run that was stopped is asked about, in seconds."""

GRACE_S: Final = 1.0
"""How long a mutation may still answer once it is to stop, in seconds."""

NOT_BEGUN: Final = "not done: halted, ended or blocked before it began"

_LOG = logging.getLogger("anyteam.sidecar")


async def executed(
    effect: Execute, connector: Connector, stop: asyncio.Event, *, settle_s: float, grace_s: float
) -> Performed:
    """What came of `effect` at its connector; once `stop` is set, what is known of it by then."""
    try:
        if effect.reconcile:
            known = await _reconciled(effect, connector, stop, settle_s)
            if known is not None:
                return known
        if not effect.allowed or stop.is_set():
            return failed(NOT_BEGUN, reconciled=effect.reconcile)
        work = connector.execute(effect.tool, effect.arguments, effect.idempotency_key)
        mutates = _class_of(effect, connector) is EffectClass.MUTATION
        outcome = await _until(stop, work, grace_s if mutates else 0.0)
    except ConnectorError as error:
        _LOG.warning("%s: %s: %s", effect.tool, type(error).__name__, error)
        if effect.reconcile and error.before_effect is False:
            return unknown(str(error))
        return failed(str(error), reconciled=effect.reconcile)
    if outcome is None:
        return await _given_up(effect, connector, settle_s)
    return _performed(outcome, reconciled=effect.reconcile)


async def _reconciled(
    effect: Execute, connector: Connector, stop: asyncio.Event, settle_s: float
) -> Performed | None:
    """What the tool says of a run that may have been begun; None where it may be begun now."""
    if effect.allowed:
        found = await _asked(effect, connector)
        if found.finding is not Finding.NOT_DONE:
            return _known(found)
        if not stop.is_set():
            return None
    return await _given_up(effect, connector, settle_s)


async def _given_up(effect: Execute, connector: Connector, settle_s: float) -> Performed:
    """What the tool says, in the end, of a run that nobody waits for any more."""
    if _class_of(effect, connector) is EffectClass.READ:
        return failed("stopped before it answered: a read, which leaves nothing", reconciled=True)
    asking = AsyncRetrying(
        retry=retry_if_result(lambda one: one.finding is Finding.NOT_DONE and not one.settled),
        wait=wait_exponential(multiplier=0.1, max=2.0),
    )
    try:
        async with asyncio.timeout(settle_s):
            found: Found = await asking(_asked, effect, connector)
    except ConnectorError as error:
        return unknown(str(error))
    except TimeoutError:
        return unknown(f"stopped, and not seen for {settle_s:g} s; it may come to be all the same")
    if found.finding is Finding.NOT_DONE:
        return failed("stopped before it was done, and nothing of it is under way", reconciled=True)
    return _known(found)


async def _asked(effect: Execute, connector: Connector) -> Found:
    return await connector.reconcile(effect.tool, effect.arguments, effect.idempotency_key)


async def _until(
    stop: asyncio.Event, work: Coroutine[Any, Any, Outcome], grace_s: float
) -> Outcome | None:
    """What `work` comes to; None where it was stopped first. Returns once it has ended."""
    task = asyncio.ensure_future(work)
    stopped = asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait({task, stopped}, return_when=asyncio.FIRST_COMPLETED)
        await asyncio.wait({task}, timeout=grace_s)
    finally:
        stopped.cancel()
        task.cancel()
        await asyncio.gather(task, stopped, return_exceptions=True)
    return None if task.cancelled() else task.result()


def _class_of(effect: Execute, connector: Connector) -> EffectClass | None:
    return next((tool.effect for tool in connector.tools if tool.name == effect.tool), None)


def _known(found: Found) -> Performed:
    if found.finding is Finding.DONE and found.outcome is not None:
        return _performed(found.outcome, reconciled=True)
    return unknown(found.detail or "the tool cannot say whether it was done")


def _performed(outcome: Outcome, *, reconciled: bool) -> Performed:
    return Performed(
        outcome=outcome.status,
        evidence=hashlib.sha256(outcome.evidence).digest(),
        detail=outcome.detail[:1000],
        result=outcome.result,
        reconciled=reconciled,
    )


def failed(detail: str, *, reconciled: bool = False) -> Performed:
    """It was not done."""
    return Performed(
        outcome=ActionOutcome.FAILED,
        evidence=NO_DIGEST,
        detail=detail[:1000],
        result=None,
        reconciled=reconciled,
    )


def unknown(detail: str) -> Performed:
    """It may have been done, and the tool cannot say."""
    return Performed(
        outcome=ActionOutcome.UNKNOWN,
        evidence=NO_DIGEST,
        detail=detail[:1000],
        result=None,
        reconciled=True,
    )
