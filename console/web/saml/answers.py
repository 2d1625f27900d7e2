"""An identity provider's answer: believed only where its signature reaches, and for us alone.

SAML 2.0 Profiles section 4.1.4.3. minisaml verifies the signature, issuer, audience and conditions;
what names this sign-in (bearer, recipient, request, end) is read from the signed element alone, as
it was canonicalised and parsed again. Nothing outside of it counts, so it may be wrapped at will.
No document type, comment or instruction is taken: none has a use, each has had an attack.
"""

import base64
import binascii
import datetime
from typing import Final, NoReturn

from cryptography.x509 import Certificate
from lxml import etree
from minisaml.errors import MiniSAMLError
from minisaml.response import Response, TimeDriftLimits, validate_response
from minisignxml.errors import MiniSignXMLError
from minisignxml.verify import extract_verified_element_and_certificate
from msgspec import Struct

from console.web.errors import NotAllowed, ProviderFailed
from console.web.saml.description import Description

LEEWAY_S: Final = 60
_NS: Final = {
    "p": "urn:oasis:names:tc:SAML:2.0:protocol",
    "a": "urn:oasis:names:tc:SAML:2.0:assertion",
    "ds": "http://www.w3.org/2000/09/xmldsig#",
}
_RESPONSE: Final = "{urn:oasis:names:tc:SAML:2.0:protocol}Response"
_ASSERTION: Final = "{urn:oasis:names:tc:SAML:2.0:assertion}Assertion"
_SUCCESS: Final = "urn:oasis:names:tc:SAML:2.0:status:Success"
_BEARER: Final = "urn:oasis:names:tc:SAML:2.0:cm:bearer"
_TRANSIENT: Final = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient"
_DRIFT: Final = TimeDriftLimits(
    datetime.timedelta(seconds=LEEWAY_S), datetime.timedelta(seconds=LEEWAY_S)
)
# What the two libraries raise for bytes that are no answer, beside errors of their own.
_UNREADABLE: Final = (
    MiniSAMLError,
    MiniSignXMLError,
    etree.LxmlError,
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    TypeError,
    ValueError,
)


class Expected(Struct, frozen=True):
    """Whose answer is due, to whom, and where it is taken."""

    provider: Description
    audience: str
    consumer: str


class Asserted(Struct, frozen=True):
    """What the signed element says: in answer to which request, about whom."""

    request: str
    name: str
    attributes: dict[str, str]


def asserted(text: str, expected: Expected, now: float) -> Asserted:
    """What the base64 `text` says at `now` (seconds since the epoch).

    Raises `ProviderFailed` where anything about it is not right, `NotAllowed` where the provider
    itself says that it signed nobody in.
    """
    root = _parsed(text)
    _outside(root, expected)
    # One that signs its assertion and the answer around it: the assertion's own is the one we need.
    inner = root.findall("a:Assertion/ds:Signature", _NS)
    for outer in root.findall("ds:Signature", _NS):
        if inner:
            root.remove(outer)
    data = etree.tostring(root)
    certificates = frozenset(expected.provider.certificates)
    try:
        said = validate_response(
            data=base64.b64encode(data),
            certificate=certificates,
            expected_audience=expected.audience,
            idp_issuer=expected.provider.entity,
            allowed_time_drift=_DRIFT,
        )
        signed = _signed_assertion(data, certificates)
    except _UNREADABLE:
        _refuse("does not verify")
    return _inside(said, signed, expected, now)


def _signed_assertion(data: bytes, certificates: frozenset[Certificate]) -> etree._Element:
    """The signed assertion of `data`, parsed from the very bytes that the signature covers."""
    found, _ = extract_verified_element_and_certificate(xml=data, certificates=certificates)
    assertions = [found] if found.tag == _ASSERTION else found.findall("a:Assertion", _NS)
    if len(assertions) != 1:
        raise ValueError("no one signed assertion")
    return assertions[0]


def _parsed(text: str) -> etree._Element:
    parser = etree.XMLParser(
        resolve_entities=False, load_dtd=False, no_network=True, huge_tree=False
    )
    try:
        root = etree.fromstring(base64.b64decode("".join(text.split()), validate=True), parser)
    except (binascii.Error, etree.LxmlError, ValueError):
        _refuse("is no XML")
    if root.getroottree().docinfo.doctype:
        _refuse("has a document type")
    if next(root.iter(etree.Comment, etree.PI, etree.Entity), None) is not None:
        _refuse("has a comment, an entity or an instruction")
    if root.tag != _RESPONSE:
        _refuse("is no response")
    return root


def _outside(root: etree._Element, expected: Expected) -> None:
    """What stands outside the signature: it can end a sign-in and never begin one."""
    status = root.find("p:Status/p:StatusCode", _NS)
    if status is not None and status.get("Value") != _SUCCESS:
        raise NotAllowed("the provider did not sign you in", fix="try again, or use a link")
    if root.get("Destination", expected.consumer) != expected.consumer:
        _refuse("is for another place")
    if root.find("a:EncryptedAssertion", _NS) is not None:
        raise ProviderFailed(
            "the provider encrypts its assertion, and no key was agreed on",
            fix="an admin turns assertion encryption off at the provider; the answer goes over TLS",
        )


def _inside(said: Response, signed: etree._Element, expected: Expected, now: float) -> Asserted:
    name = signed.find("a:Subject/a:NameID", _NS)
    confirmation = signed.find("a:Subject/a:SubjectConfirmation", _NS)
    data = signed.find("a:Subject/a:SubjectConfirmation/a:SubjectConfirmationData", _NS)
    if name is None or confirmation is None or data is None or not name.text or len(name):
        _refuse("names nobody")
    if confirmation.get("Method") != _BEARER:
        _refuse("is not for whoever bears it")
    if data.get("Recipient") != expected.consumer:
        _refuse("is for another place")
    if _seconds(data.get("NotOnOrAfter", "")) + LEEWAY_S <= now:
        _refuse("came too late")
    if name.get("Format") == _TRANSIENT:
        raise ProviderFailed(
            "the provider gives people another name each time (transient)",
            fix="an admin chooses a lasting NameID at the provider: persistent, or emailAddress",
        )
    request = data.get("InResponseTo", "")
    attributes = {each.name: (each.value or "").strip() for each in said.attributes}
    return Asserted(request, name.text.strip(), attributes)


def _seconds(text: str) -> float:
    """A SAML time (Core section 1.3.3: UTC) in seconds since the epoch."""
    try:
        when = datetime.datetime.fromisoformat(text)
    except ValueError:
        _refuse("has no end")
    if when.tzinfo is None:
        _refuse("has an end in no time zone")
    return when.timestamp()


def _refuse(what: str) -> NoReturn:
    raise ProviderFailed(
        f"the provider's answer {what}", fix="try again; if it stays so, tell an admin"
    )
