"""An identity provider's answer, and each way to forge, redirect or reuse one.

Answers are signed with signxml, which shares no code with what verifies them.
"""

import base64
import copy
import datetime
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs, urlsplit
from zlib import decompress

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree
from signxml import DigestAlgorithm, SignatureConstructionMethod, SignatureMethod, XMLSigner

from console.web.errors import LinkInvalid, NotAllowed, NotHere, ProviderFailed
from console.web.identity import Identity
from console.web.saml.answers import Expected, asserted
from console.web.saml.description import described, own_description, read_description
from console.web.saml.providers import PENDING_S, TICKET_S, SamlProviders
from schemas.webconsole import SamlProvider

IDP = "https://id.acme.example/saml"
OURS = "https://trust.acme.example/sign-in/saml/corp"
ACS = f"{OURS}/acs"
P = "{urn:oasis:names:tc:SAML:2.0:protocol}"
A = "{urn:oasis:names:tc:SAML:2.0:assertion}"
BEARER = "urn:oasis:names:tc:SAML:2.0:cm:bearer"
OK = "urn:oasis:names:tc:SAML:2.0:status:Success"


class Signing:
    """A key and its certificate."""

    def __init__(self) -> None:
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "id.acme.example")])
        now = datetime.datetime.now(datetime.UTC)
        self.certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(self.key.public_key())
            .serial_number(7)
            .not_valid_before(now)
            .not_valid_after(now + datetime.timedelta(days=1))
            .sign(self.key, hashes.SHA256())
        )
        self.pem = self.certificate.public_bytes(Encoding.PEM).decode()


ACME, EVIL = Signing(), Signing()


def metadata(*certificates: str, entity: str = IDP, sign_on: str = f"{IDP}/sso") -> bytes:
    keys = "".join(
        '<md:KeyDescriptor use="signing"><ds:KeyInfo><ds:X509Data><ds:X509Certificate>'
        + "".join(pem.splitlines()[1:-1])
        + "</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>"
        for pem in certificates
    )
    return (
        '<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" '
        f'xmlns:ds="http://www.w3.org/2000/09/xmldsig#" entityID="{entity}">'
        '<md:IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">'
        f"{keys}<md:SingleSignOnService "
        'Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" '
        f'Location="{sign_on}"/></md:IDPSSODescriptor></md:EntityDescriptor>'
    ).encode()


EXPECTED = Expected(described(metadata(ACME.pem)), OURS, ACS)


def instant(after_s: float) -> str:
    when = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=after_s)
    return when.strftime("%Y-%m-%dT%H:%M:%SZ")


def answer(
    name: str = "ada@acme.example",
    *,
    request: str = "_asked",
    issuer: str = IDP,
    audience: str = OURS,
    recipient: str = ACS,
    destination: str = ACS,
    method: str = BEARER,
    format_: str = "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress",
    before_s: float = -5,
    ends_s: float = 300,
    confirmed_s: float = 300,
    status: str = OK,
    attributes: str = "",
) -> etree._Element:
    """An unsigned answer with all that it should have."""
    return etree.fromstring(
        f'<p:Response xmlns:p="{P[1:-1]}" xmlns:a="{A[1:-1]}" ID="_answer" Version="2.0" '
        f'IssueInstant="{instant(0)}" Destination="{destination}" InResponseTo="{request}">'
        f'<a:Issuer>{issuer}</a:Issuer><p:Status><p:StatusCode Value="{status}"/></p:Status>'
        f'<a:Assertion ID="_assertion" Version="2.0" IssueInstant="{instant(0)}">'
        f'<a:Issuer>{issuer}</a:Issuer><a:Subject><a:NameID Format="{format_}">{name}</a:NameID>'
        f'<a:SubjectConfirmation Method="{method}"><a:SubjectConfirmationData '
        f'InResponseTo="{request}" Recipient="{recipient}" NotOnOrAfter="{instant(confirmed_s)}"/>'
        "</a:SubjectConfirmation></a:Subject>"
        f'<a:Conditions NotBefore="{instant(before_s)}" NotOnOrAfter="{instant(ends_s)}">'
        f"<a:AudienceRestriction><a:Audience>{audience}</a:Audience></a:AudienceRestriction>"
        f'</a:Conditions><a:AuthnStatement AuthnInstant="{instant(0)}"/>{attributes}'
        "</a:Assertion></p:Response>"
    )


def signed(
    root: etree._Element, by: Signing = ACME, *, what: str = "assertion", hashed: str = "sha256"
) -> etree._Element:
    """The answer with its assertion signed, or the whole of it, or both."""
    signer = XMLSigner(
        method=SignatureConstructionMethod.enveloped,
        signature_algorithm=SignatureMethod(f"http://www.w3.org/2001/04/xmldsig-more#rsa-{hashed}"),
        digest_algorithm=DigestAlgorithm.SHA256 if hashed == "sha256" else DigestAlgorithm.SHA512,
        c14n_algorithm="http://www.w3.org/2001/10/xml-exc-c14n#",  # type: ignore[arg-type]
    )
    if what in ("assertion", "both"):
        inner = root.find(f"{A}Assertion")
        assert inner is not None
        done = signer.sign(inner, key=by.key, cert=by.pem, reference_uri="_assertion")
        root.replace(inner, done)
    if what in ("response", "both"):
        root = signer.sign(root, key=by.key, cert=by.pem, reference_uri="_answer")
    return root


def sent(root: etree._Element) -> str:
    return base64.b64encode(etree.tostring(root)).decode()


def name_in(text: str) -> str:
    return asserted(text, EXPECTED, time.time()).name


@pytest.mark.parametrize("what", ["assertion", "response", "both"])
def test_an_answer_names_its_holder_whichever_of_its_parts_are_signed(what: str) -> None:
    said = asserted(sent(signed(answer(), what=what)), EXPECTED, time.time())
    assert (said.name, said.request) == ("ada@acme.example", "_asked")


def test_either_of_two_certificates_verifies_while_a_provider_changes_them() -> None:
    both = Expected(described(metadata(EVIL.pem, ACME.pem)), OURS, ACS)
    assert asserted(sent(signed(answer())), both, time.time()).name == "ada@acme.example"


@pytest.mark.parametrize(
    "changes",
    [
        {"issuer": "https://id.evil.example/saml"},
        {"audience": "https://other.example"},
        {"recipient": "https://other.example/acs"},
        {"destination": "https://other.example/acs"},
        {"method": "urn:oasis:names:tc:SAML:2.0:cm:sender-vouches"},
        {"format_": "urn:oasis:names:tc:SAML:2.0:nameid-format:transient"},
        {"before_s": 120},
        {"ends_s": -120},
        {"confirmed_s": -120},
        {"name": ""},
    ],
)
def test_a_signed_answer_with_one_thing_wrong_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(ProviderFailed):
        name_in(sent(signed(answer(**changes))))  # type: ignore[arg-type]


def test_a_provider_that_says_no_is_taken_at_its_word() -> None:
    with pytest.raises(NotAllowed):
        name_in(sent(answer(status="urn:oasis:names:tc:SAML:2.0:status:Responder")))


def test_an_answer_that_nobody_signed_is_refused() -> None:
    with pytest.raises(ProviderFailed):
        name_in(sent(answer()))


@pytest.mark.parametrize("what", ["assertion", "response", "both"])
def test_an_answer_that_another_signed_is_refused_though_it_brings_the_certificate(
    what: str,
) -> None:
    with pytest.raises(ProviderFailed):
        name_in(sent(signed(answer(), EVIL, what=what)))


def test_an_answer_signed_inside_by_another_is_refused_though_its_outside_is_good() -> None:
    root = signed(signed(answer("eve@acme.example"), EVIL), what="response")
    with pytest.raises(ProviderFailed):
        name_in(sent(root))


def test_a_digest_that_was_not_agreed_on_is_refused() -> None:
    with pytest.raises(ProviderFailed):
        name_in(sent(signed(answer(), hashed="sha512")))


def renamed(root: etree._Element) -> etree._Element:
    """A copy of the assertion about somebody else, unsigned."""
    forged = copy.deepcopy(root.find(f"{A}Assertion"))
    assert forged is not None
    found = forged.find(f"{A}Subject/{A}NameID")
    assert found is not None
    found.text = "admin@acme.example"
    for each in forged.findall("{http://www.w3.org/2000/09/xmldsig#}Signature"):
        forged.remove(each)
    return forged


def tampered(root: etree._Element) -> None:
    found = root.find(f".//{A}NameID")
    assert found is not None
    found.text = "admin@acme.example"


def beside(root: etree._Element) -> None:
    forged = renamed(root)
    forged.set("ID", "_forged")
    root.insert(0, forged)


def after(root: etree._Element) -> None:
    forged = renamed(root)
    forged.set("ID", "_forged")
    root.append(forged)


def with_the_same_id(root: etree._Element) -> None:
    root.insert(0, renamed(root))


def around(root: etree._Element) -> None:
    forged, real = renamed(root), root.find(f"{A}Assertion")
    assert real is not None
    forged.set("ID", "_forged")
    root.replace(real, forged)
    forged.append(real)


def in_an_extension(root: etree._Element) -> None:
    forged, real = renamed(root), root.find(f"{A}Assertion")
    assert real is not None
    forged.set("ID", "_forged")
    root.replace(real, forged)
    etree.SubElement(root, f"{P}Extensions").append(real)


def in_the_signature(root: etree._Element) -> None:
    forged, real = renamed(root), root.find(f"{A}Assertion")
    assert real is not None
    signature = real.find("{http://www.w3.org/2000/09/xmldsig#}Signature")
    assert signature is not None
    real.remove(signature)
    forged.set("ID", "_forged")
    root.replace(real, forged)
    forged.insert(1, signature)
    etree.SubElement(signature, "{http://www.w3.org/2000/09/xmldsig#}Object").append(real)


@pytest.mark.parametrize(
    "wrap", [beside, after, with_the_same_id, around, in_an_extension, in_the_signature]
)
def test_a_signature_that_is_wrapped_speaks_for_what_it_signed_or_for_nobody(
    wrap: Callable[[etree._Element], None],
) -> None:
    root = signed(answer())
    wrap(root)
    try:
        assert name_in(sent(root)) == "ada@acme.example"
    except ProviderFailed:
        pass


def test_a_signed_answer_that_was_changed_is_refused() -> None:
    root = signed(answer())
    tampered(root)
    with pytest.raises(ProviderFailed):
        name_in(sent(root))


@pytest.mark.parametrize(
    "inserted", ["<!-- -->", "<?x y?>", "<!---->.evil.example"], ids=["comment", "pi", "rest"]
)
def test_a_name_that_a_comment_or_an_instruction_cuts_in_two_is_refused(inserted: str) -> None:
    text = etree.tostring(signed(answer("admin@acme.example.evil.example"))).decode()
    cut = text.replace("admin@acme.example.evil", f"admin@acme.example{inserted}.evil")
    assert cut != text
    with pytest.raises(ProviderFailed):
        name_in(base64.b64encode(cut.encode()).decode())


@pytest.mark.parametrize(
    "dtd",
    [
        '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE x SYSTEM "http://127.0.0.1:9/x.dtd">',
        '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;"><!ENTITY e "&b;&b;">]>',
        '<!DOCTYPE x [<!ATTLIST p:Response x CDATA "y">]>',
    ],
    ids=["external", "remote", "expanding", "default"],
)
def test_an_answer_with_a_document_type_is_refused_before_anything_of_it_is_looked_up(
    dtd: str,
) -> None:
    text = etree.tostring(signed(answer())).decode()
    for body in (text, text.replace("ada@acme.example", "&e;")):
        with pytest.raises(ProviderFailed):
            name_in(base64.b64encode(f"{dtd}{body}".encode()).decode())


@pytest.mark.parametrize("text", ["", "=", "bm8geG1s", "PHgvPg==", "\x00", "é"])
def test_what_is_no_answer_is_refused(text: str) -> None:
    with pytest.raises(ProviderFailed):
        name_in(text)


class Clock:
    """Seconds that a test moves on."""

    def __init__(self) -> None:
        self.now = time.time()

    def __call__(self) -> float:
        return self.now


def providers(tmp_path: Path, clock: Clock, **changes: object) -> SamlProviders:
    (tmp_path / "idp.xml").write_bytes(metadata(ACME.pem))
    chosen = {"metadata": "idp.xml", "domains": ["acme.example"], **changes}
    corp = SamlProvider(**chosen)  # type: ignore[arg-type]
    return SamlProviders(
        {"corp": corp, "twin": corp}, tmp_path, "https://trust.acme.example", clock
    )


def request_of(url: str) -> etree._Element:
    packed = parse_qs(urlsplit(url).query)["SAMLRequest"][0]
    return etree.fromstring(decompress(base64.b64decode(packed), -15))


def test_who_was_asked_for_enters_once_in_the_browser_that_asked(tmp_path: Path) -> None:
    ours = providers(tmp_path, Clock())
    url = ours.begin("corp", "browser")
    assert url.startswith(f"{IDP}/sso?")
    asked = request_of(url)
    assert asked.get("AssertionConsumerServiceURL") == ACS
    text = sent(signed(answer(request=asked.get("ID") or "")))
    ticket = ours.answered("corp", text)
    with pytest.raises(LinkInvalid, match="not begun"):
        ours.answered("corp", text)
    assert ours.enter("corp", ticket, "browser") == Identity(
        "ada@acme.example", f"{IDP} ada@acme.example"
    )
    with pytest.raises(LinkInvalid):
        ours.enter("corp", ticket, "browser")


def test_an_answer_opens_nothing_in_another_browser_at_another_provider_or_too_late(
    tmp_path: Path,
) -> None:
    clock = Clock()
    ours = providers(tmp_path, clock)

    def fresh() -> str:
        return request_of(ours.begin("corp", "browser")).get("ID") or ""

    ticket = ours.answered("corp", sent(signed(answer(request=fresh()))))
    with pytest.raises(LinkInvalid):
        ours.enter("corp", ticket, "another")
    with pytest.raises(LinkInvalid):
        ours.enter("corp", ticket, "browser")
    ticket = ours.answered("corp", sent(signed(answer(request=fresh()))))
    clock.now += TICKET_S
    with pytest.raises(LinkInvalid):
        ours.enter("corp", ticket, "browser")
    stale = fresh()
    clock.now += PENDING_S
    with pytest.raises(LinkInvalid):
        ours.answered("corp", sent(signed(answer(request=stale, confirmed_s=3_600))))
    twin = OURS.replace("corp", "twin")
    text = sent(signed(answer(request=fresh(), audience=twin, recipient=f"{twin}/acs")))
    with pytest.raises(ProviderFailed):
        ours.answered("corp", text)


def test_what_nobody_asked_for_opens_nothing(tmp_path: Path) -> None:
    ours = providers(tmp_path, Clock())
    for request in ("", "_never"):
        with pytest.raises(LinkInvalid):
            ours.answered("corp", sent(signed(answer(request=request))))
    with pytest.raises(NotHere):
        ours.begin("nowhere", "browser")
    with pytest.raises(NotHere):
        ours.metadata("nowhere")


@pytest.mark.parametrize(
    "name", ["admin@evil.example", "admin@sub.acme.example", "admin", "acme.example@"]
)
def test_a_provider_speaks_for_its_own_domains_alone(tmp_path: Path, name: str) -> None:
    ours = providers(tmp_path, Clock())
    asked = request_of(ours.begin("corp", "browser")).get("ID") or ""
    with pytest.raises(NotAllowed):
        ours.answered("corp", sent(signed(answer(name, request=asked))))


def test_the_address_is_read_from_the_attribute_that_the_settings_name(tmp_path: Path) -> None:
    ours = providers(tmp_path, Clock(), address="mail")
    asked = request_of(ours.begin("corp", "browser")).get("ID") or ""
    mail = (
        '<a:AttributeStatement><a:Attribute Name="mail"><a:AttributeValue>ada@acme.example'
        "</a:AttributeValue></a:Attribute></a:AttributeStatement>"
    )
    text = sent(signed(answer("00u7", request=asked, attributes=mail)))
    identity = ours.enter("corp", ours.answered("corp", text), "browser")
    assert identity == Identity("ada@acme.example", f"{IDP} 00u7")


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (b"", "0 bytes"),
        (b"no", "no XML"),
        (b'<!DOCTYPE x [<!ENTITY e "f">]><x/>', "no XML without a DTD"),
        (b"<x/>", "0 identity providers"),
        (metadata(), "no signing certificate"),
        (metadata(ACME.pem, entity=""), "no entityID"),
        (metadata(ACME.pem, sign_on="http://id.acme.example/sso"), "no https"),
        (metadata("-----\nbm8=\n-----"), "cannot be read"),
    ],
)
def test_metadata_that_does_not_do_says_which_file_and_what_it_lacks(
    tmp_path: Path, said: bytes, why: str
) -> None:
    file = tmp_path / "idp.xml"
    file.write_bytes(said)
    with pytest.raises(ProviderFailed, match=rf"idp\.xml .*{why}"):
        read_description(file)


def test_metadata_that_is_not_there_says_so(tmp_path: Path) -> None:
    with pytest.raises(ProviderFailed, match=r"idp\.xml cannot be read"):
        read_description(tmp_path / "idp.xml")


def test_our_own_metadata_says_where_answers_are_taken_and_that_they_are_to_be_signed() -> None:
    root = etree.fromstring(own_description(OURS, ACS).encode())
    assert root.get("entityID") == OURS
    role = root[0]
    assert role.get("WantAssertionsSigned") == "true"
    assert role[0].get("Location") == ACS
