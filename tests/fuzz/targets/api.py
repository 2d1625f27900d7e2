"""What programs send to the HTTP API, and identity providers to the console."""

import base64

from console.api import asks
from console.api.answers import key_from
from console.api.bearers import Bearers
from console.api.errors import ApiError
from console.api.paging import cursor_of, key_of
from console.api.serving import _fitting
from console.tokens import PREFIX
from console.view.state import Workspace
from console.web.errors import WebError
from console.web.saml.answers import Expected, asserted
from console.web.saml.description import Description, described
from schemas.events import AnyBody
from tests.fuzz.target import Target

_WISHES = (
    (asks.RunWish, b'{"agent":"a","summary":"s","tools":["x.y"],"effects":["egress"],"ttl_s":9}'),
    (asks.Answer, b'{"decision":"deny","note":"no"}'),
    (asks.HaltWish, b'{"scope":"run","target":"r-1","reason":"x"}'),
    (asks.ReleaseWish, b'{"reason":"over"}'),
)


def targets() -> tuple[Target, ...]:
    """The targets of this room."""
    return (
        *(
            Target(
                name=f"API body {shape.__name__}",
                seeds=(seed,),
                decode=lambda data, shape=shape: _fitting(data, shape),  # type: ignore[misc]
                errors=(ApiError,),
            )
            for shape, seed in _WISHES
        ),
        Target(
            name="API cursor",
            seeds=(cursor_of("runs", 41).encode(),),
            refused=(cursor_of("run.r-1", 7).encode(),),
            decode=lambda data: key_of("runs", data.decode("latin-1")),
            errors=(ApiError,),
        ),
        Target(
            name="Idempotency-Key",
            seeds=(b'"8e03978e-40d5-43dd"', b"8e03978e"),
            decode=lambda data: key_from(data.decode("latin-1")),
            errors=(ApiError,),
        ),
        Target(
            name="API token",
            refused=(f"Bearer {PREFIX}{'s' * 43}".encode(),),
            decode=_token,
            errors=(ApiError,),
        ),
        Target(
            name="SAML metadata",
            refused=(_METADATA,),
            decode=described,
            errors=(ValueError,),
        ),
        Target(
            name="SAML answer",
            refused=(_ANSWER,),
            decode=lambda data: asserted(base64.b64encode(data).decode(), _EXPECTED, 0.0),
            errors=(WebError,),
        ),
    )


_METADATA = (
    b'<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" entityID="https://i.example">'
    b'<IDPSSODescriptor><KeyDescriptor use="signing"><KeyInfo '
    b'xmlns="http://www.w3.org/2000/09/xmldsig#"><X509Data><X509Certificate>MIIB</X509Certificate>'
    b"</X509Data></KeyInfo></KeyDescriptor><SingleSignOnService Binding="
    b'"urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="https://i.example/sso"/>'
    b"</IDPSSODescriptor></EntityDescriptor>"
)
_ANSWER = (
    b'<p:Response xmlns:p="urn:oasis:names:tc:SAML:2.0:protocol" '
    b'xmlns:a="urn:oasis:names:tc:SAML:2.0:assertion" ID="_r" Destination="https://t.example/acs">'
    b'<p:Status><p:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"/></p:Status>'
    b'<a:Assertion ID="_a"><a:Issuer>https://i.example</a:Issuer><ds:Signature '
    b'xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:SignedInfo><ds:CanonicalizationMethod '
    b'Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"/><ds:SignatureMethod '
    b'Algorithm="http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"/><ds:Reference URI="#_a"/>'
    b"</ds:SignedInfo><ds:SignatureValue>eA==</ds:SignatureValue><ds:KeyInfo><ds:X509Data>"
    b"<ds:X509Certificate>MIIB</ds:X509Certificate></ds:X509Data></ds:KeyInfo></ds:Signature>"
    b"<a:Subject><a:NameID>ada@acme.example</a:NameID></a:Subject></a:Assertion></p:Response>"
)
_EXPECTED = Expected(
    Description("https://i.example", "https://i.example/sso", ()),
    "https://t.example",
    "https://t.example/acs",
)


async def _unrecorded(body: AnyBody) -> None:
    """Nobody comes as far."""


_BEARERS = Bearers(Workspace("acme"), _unrecorded, 1_000_000)


def _token(data: bytes) -> object:
    return _BEARERS.token(data.decode("latin-1"), "peer")
