"""Metadata, both ways: what an identity provider is, and what this console is to it.

SAML 2.0 Metadata sections 2.3 and 2.4. The provider's is a file that its admin gave and ours put
there, so its signature is not looked at: whoever may write that file may name any certificate.
"""

import base64
import binascii
from pathlib import Path
from typing import Final
from xml.etree.ElementTree import Element, ParseError
from xml.sax.saxutils import quoteattr

import defusedxml
from cryptography import x509
from defusedxml.ElementTree import fromstring
from msgspec import Struct

from console.web.errors import ProviderFailed
from schemas.webconsole import confidential

MAX_METADATA: Final = 1024 * 1024
_MD: Final = "{urn:oasis:names:tc:SAML:2.0:metadata}"
_DS: Final = "{http://www.w3.org/2000/09/xmldsig#}"
_REDIRECT: Final = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"
_OWN: Final = """\
<?xml version="1.0" encoding="UTF-8"?>
<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID={entity}>
  <md:SPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol" \
AuthnRequestsSigned="false" WantAssertionsSigned="true">
    <md:AssertionConsumerService index="0" isDefault="true" \
Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location={consumer}/>
  </md:SPSSODescriptor>
</md:EntityDescriptor>
"""


class Description(Struct, frozen=True):
    """An identity provider: its name, where it takes a browser, and whose signatures are its."""

    entity: str
    sign_on: str
    certificates: tuple[x509.Certificate, ...]


def read_description(file: Path) -> Description:
    """What `file` says of the provider. Raises `ProviderFailed`, naming the file."""
    try:
        size = file.stat().st_size
        said = file.read_bytes() if size <= MAX_METADATA else b""
    except OSError as error:
        raise _unusable(file, f"cannot be read: {error.strerror}") from None
    if not said:
        raise _unusable(file, f"has {size} bytes; 1 to {MAX_METADATA} are read")
    try:
        return described(said)
    except ValueError as error:
        raise _unusable(file, str(error)) from None


def described(said: bytes) -> Description:
    """The one identity provider of a metadata document. Raises ValueError, saying what it lacks."""
    try:
        root = fromstring(said, forbid_dtd=True)
    except (ParseError, defusedxml.DefusedXmlException) as error:
        raise ValueError(f"is no XML without a DTD: {type(error).__name__}") from None
    entities = [each for each in root.iter(f"{_MD}EntityDescriptor") if _role(each) is not None]
    if len(entities) != 1:
        raise ValueError(f"describes {len(entities)} identity providers; it must be one")
    entity, role = entities[0], _role(entities[0])
    assert role is not None
    name = entity.get("entityID", "")
    if not name:
        raise ValueError("has no entityID")
    places = [
        each.get("Location", "")
        for each in role.findall(f"{_MD}SingleSignOnService")
        if each.get("Binding") == _REDIRECT
    ]
    if not places or not confidential(places[0]):
        raise ValueError("has no https SingleSignOnService of the binding HTTP-Redirect")
    return Description(name, places[0], _certificates(role))


def own_description(entity: str, consumer: str) -> str:
    """What a provider's admin gives to it: this console's metadata."""
    return _OWN.format(entity=quoteattr(entity), consumer=quoteattr(consumer))


def _role(entity: Element) -> Element | None:
    return entity.find(f"{_MD}IDPSSODescriptor")


def _certificates(role: Element) -> tuple[x509.Certificate, ...]:
    """Those that sign; several while the provider changes from one to the next."""
    found: list[x509.Certificate] = []
    for key in role.findall(f"{_MD}KeyDescriptor"):
        if key.get("use", "signing") != "signing":
            continue
        for each in key.iter(f"{_DS}X509Certificate"):
            try:
                der = base64.b64decode("".join((each.text or "").split()), validate=True)
                found.append(x509.load_der_x509_certificate(der))
            except (binascii.Error, ValueError):
                raise ValueError("has a signing certificate that cannot be read") from None
    if not found:
        raise ValueError("has no signing certificate")
    return tuple(found)


def _unusable(file: Path, what: str) -> ProviderFailed:
    return ProviderFailed(
        f"the identity provider's metadata {file.name} {what}",
        fix="an admin replaces the file by what the provider gives; sign in by a link meanwhile",
    )
