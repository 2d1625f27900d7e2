"""A person's own passkeys: those on record, and enrolling another."""

from starlette.requests import Request
from starlette.responses import Response

from console.web import passkeys
from console.web.errors import BadForm
from console.web.here import Here, see
from console.web.permissions import Visitor

LABEL_CHARS = 60


async def listed(request: Request, here: Here, visitor: Visitor) -> Response:
    """Mine, how each stands, and what the browser is asked for to make another."""
    mine = here.view.passkeys.of(visitor.person)
    policy = here.view.policy
    return here.page(
        "passkeys.html",
        request,
        visitor,
        passkeys=mine,
        asked_for=policy.passkey if policy is not None else (),
        options=passkeys.to_enrol(here.origin, visitor.csrf, visitor.person, mine),
        most=LABEL_CHARS,
    )


async def enrol(request: Request, here: Here, visitor: Visitor) -> Response:
    """Put the passkey on record that the browser made."""
    form = await request.form()
    label = str(form.get("label", "")).strip()
    if len(label) > LABEL_CHARS:
        raise BadForm(f"the name is over {LABEL_CHARS} characters", fix="shorten it")
    made = passkeys.enrolled(
        str(form.get("credential", "")), here.origin, visitor.csrf, label or "a passkey"
    )
    await here.desk.enrol(visitor, made)
    return see("/passkeys")
