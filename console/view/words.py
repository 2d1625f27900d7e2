"""Events in plain words, one line each, without content above INTERNAL."""

from schemas import (
    access,
    actions,
    captures,
    destinations,
    memories,
    passkeys,
    runs,
    supervision,
    witnesses,
)
from schemas.events import AnyBody


def in_words(body: AnyBody) -> str:
    """What an event says, shortly; empty where its type says it all."""
    return _of_action(body) or _of_run(body) or _of_workspace(body)


def _of_action(body: AnyBody) -> str:
    match body:
        case actions.ProposalMade():
            return f"#{body.number} {body.tool}"
        case actions.VerdictGiven():
            return f"{body.verdict.value.replace('_', ' ')}: {body.reason}"
        case actions.ApprovalRequested():
            return f"{body.tool}: {body.question}"
        case actions.ApprovalDecided():
            how = " with a passkey" if body.assertion is not None else ""
            return body.decision.value + how + (f": {body.note}" if body.note else "")
        case actions.ActionStarted():
            return body.tool
        case actions.ActionRefused():
            return f"{body.tool}: {body.reason}"
        case actions.ActionFinished():
            again = " (reconciled)" if body.reconciled else ""
            return f"{body.outcome.value}{again}: {body.detail}"
        case actions.ObservationRecorded():
            return f"from {body.source}, {body.trust.value}"
        case actions.ModelCalled():
            said = body.error or f"{body.input_tokens} tokens in, {body.output_tokens} out"
            return f"{body.model}: {said}"
        case actions.EntryRejected():
            return f"entry {body.index} is no valid event: {body.reason}"
    return ""


def _of_run(body: AnyBody) -> str:
    match body:
        case runs.RunRequested():
            return f"{body.rep} asks {body.agent}: {body.intent.summary}"
        case runs.RunRefused():
            return body.reason
        case runs.RunStarted():
            return f"attempt {body.attempt}; confined by {', '.join(body.confined_by) or 'nothing'}"
        case runs.RunParked():
            return f"attempt {body.attempt} ended; waits for a person, holds no process"
        case runs.PlanFinished():
            word = "success" if body.success else "no success"
            return f"the runtime claims {word}, {len(body.claims)} effects"
        case runs.RunCompleted():
            return f"{body.outcome.value}: {body.reason}"
        case runs.RunHalted():
            return body.reason
        case runs.LeaseGranted() | runs.LeaseRenewed():
            return f"attempt {body.lease.attempt}: {', '.join(body.lease.tools)}"
        case runs.LeaseRevoked():
            return body.reason
        case runs.HaltEngaged() | runs.HaltReleased():
            return f"{body.scope.value} {body.target}".strip() + f": {body.reason}"
    return ""


def _of_workspace(body: AnyBody) -> str:
    match body:
        case witnesses.WitnessCosigned():
            return f"{_named(body.witness)} cosigned {body.size} entries"
        case witnesses.WitnessRefused():
            return (
                f"{_named(body.witness)} does not cosign {body.size} entries:"
                f" {body.objection.value.replace('_', ' ')}: {body.what}"
            )
        case runs.WorkspaceCreated():
            return body.name
        case runs.KeyCertified():
            return f"{body.certificate.role.value} {body.certificate.instance}"
        case runs.KeyRevoked():
            return body.reason
        case runs.PolicySet():
            return f"version {body.policy.version}, {len(body.policy.tools)} tools"
        case runs.RepActivated() | runs.RepRevoked():
            return body.rep
        case supervision.SupervisorFlagged():
            about = f"{body.scope.value} {body.target}".strip()
            return f"{body.pattern} on {about}: {body.response.value}: {body.reason}"
        case destinations.DestinationBlocked():
            return f"{body.domain}: {body.what}"
        case destinations.DestinationUnverified():
            return f"{body.domain}: {body.reason}"
        case destinations.DestinationExpired():
            return body.destination
        case destinations.DestinationAllowed() | destinations.DestinationRevalidated():
            return body.domain
        case destinations.DestinationReadmitted():
            return f"{body.domain}: {body.reason}"
        case memories.MemoryRetained():
            return f"{body.claim}, {body.trust.value}, {body.sensitivity.value}"
        case memories.MemoryForgotten() | memories.MemoryWithdrawn():
            return body.claim
        case access.AccessGranted():
            return f"{body.account} as {body.role.value}"
        case access.AccessRevoked():
            return f"{body.account}: {body.reason}"
        case access.TokenIssued():
            scopes = ", ".join(scope.value for scope in body.scopes)
            return f"{body.token} for {body.account}: {scopes}"
        case access.TokenRevoked():
            return f"{body.token}: {body.reason}"
        case access.SessionOpened():
            return f"{body.account} by {body.method}"
        case access.SessionClosed() | access.SignInLocked():
            return f"{body.account}: {body.reason}"
        case passkeys.PasskeyEnrolled():
            return f"{body.label}, for {body.origin}"
        case passkeys.PasskeyAdmitted():
            return body.enrolment.hex()[:12]
        case passkeys.PasskeyRevoked():
            return f"{body.enrolment.hex()[:12]}: {body.reason}"
    return _of_capture(body)


def _named(vkey: str) -> str:
    return vkey.partition("+")[0]


def _of_capture(body: AnyBody) -> str:
    match body:
        case captures.CaptureStarted():
            return f"capture {body.capture} of {body.source}"
        case captures.CapturePaused() | captures.CaptureResumed() | captures.CaptureStopped():
            return f"capture {body.capture}"
        case captures.TranscriptSynced():
            return f"capture {body.capture}, segment {body.segment}, {body.sensitivity.value}"
    return ""
