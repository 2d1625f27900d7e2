"""TLS for the bus: a local authority, and certificates for the server and its clients.

Both sides show a certificate of this authority, TLS 1.2 at least (RFC 8446, RFC 5246).
Certificates say only "a component of this installation"; who it is, the NATS identity
says. A run has one of its own, of a second authority that vouches for runs alone and that no
client believes. Keys are ECDSA P-256, since not every TLS peer speaks Ed25519.
"""

import contextlib
import datetime
import hashlib
import ipaddress
import os
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from msgspec import Struct

from bus.errors import IdentityError
from crypto.keyfile import read_secret, write_secret

LIFETIME_DAYS: Final = 3650
_SERVER_NAMES: Final = ("localhost",)
_SERVER_ADDRESSES: Final = ("127.0.0.1", "::1")


class TlsFiles(Struct, frozen=True):
    """Where the certificates and keys lie (PEM)."""

    folder: Path

    @property
    def ca(self) -> Path:
        """The authority's certificate."""
        return self.folder / "ca.crt"

    @property
    def server(self) -> tuple[Path, Path]:
        """The server's certificate and key."""
        return self.folder / "server.crt", self.folder / "server.key"

    @property
    def client(self) -> tuple[Path, Path]:
        """The components' certificate and key."""
        return self.folder / "client.crt", self.folder / "client.key"

    @property
    def runs(self) -> tuple[Path, Path]:
        """The certificate and key of the authority that vouches for runs."""
        return self.folder / "runs.crt", self.folder / "runs.key"

    @property
    def clients(self) -> Path:
        """The certificates of both authorities: whom the server believes."""
        return self.folder / "clients.crt"


def ensure_tls(folder: Path) -> TlsFiles:
    """The certificates in `folder`, made where any is missing. Keys have mode 0600.

    Raises `crypto.errors.KeyFileTooOpen` where a key that is there can be read by others.
    """
    files = TlsFiles(folder)
    pairs = ((files.ca, folder / "ca.key"), files.server, files.client, files.runs)
    if all(path.exists() for path in (files.clients, *(path for pair in pairs for path in pair))):
        for _, secret in pairs:
            read_secret(secret)
        return files
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    ca_key, runs_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    ca = _authority("AnyTeam Trust local authority", ca_key)
    runs = _authority("AnyTeam Trust authority of runs", runs_key)
    _write(pairs[0], ca, ca_key)
    _write(files.runs, runs, runs_key)
    files.clients.write_bytes(files.ca.read_bytes() + files.runs[0].read_bytes())
    names: list[x509.GeneralName] = [x509.DNSName(name) for name in _SERVER_NAMES]
    names += [x509.IPAddress(ipaddress.ip_address(text)) for text in _SERVER_ADDRESSES]
    for pair, usage, alternative in (
        (files.server, ExtendedKeyUsageOID.SERVER_AUTH, names),
        (files.client, ExtendedKeyUsageOID.CLIENT_AUTH, []),
    ):
        key = ec.generate_private_key(ec.SECP256R1())
        ends = _now() + datetime.timedelta(days=LIFETIME_DAYS)
        _write(
            pair, _leaf(pair[0].stem, key.public_key(), (ca, ca_key), usage, alternative, ends), key
        )
    return files


class RouteTls(Struct, frozen=True):
    """What the servers of a cluster show one another, below the TLS folder: they believe this one
    authority, and nobody else has a certificate of it. A client's would let it act as a server.
    """

    folder: Path

    @property
    def ca(self) -> Path:
        """The authority's certificate; its key is gone."""
        return self.folder / "route-ca.crt"

    @property
    def pair(self) -> tuple[Path, Path]:
        """Certificate and key, for both ends of a route."""
        return self.folder / "route.crt", self.folder / "route.key"


def ensure_route_tls(folder: Path) -> RouteTls:
    """The routes' certificates in `folder`, made where any is missing. The key has mode 0600.

    Raises `crypto.errors.KeyFileTooOpen` where a key that is there can be read by others.
    """
    files = RouteTls(folder)
    if all(path.exists() for path in (files.ca, *files.pair)):
        read_secret(files.pair[1])
        return files
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    ca_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    ca = _authority("AnyTeam Trust routes of the bus", ca_key)
    names: list[x509.GeneralName] = [x509.DNSName(name) for name in _SERVER_NAMES]
    names += [x509.IPAddress(ipaddress.ip_address(text)) for text in _SERVER_ADDRESSES]
    ends = _now() + datetime.timedelta(days=LIFETIME_DAYS)
    usages = (ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH)
    made = _leaf("route", key.public_key(), (ca, ca_key), usages, names, ends)
    _write(files.pair, made, key)
    files.ca.write_bytes(_pem(ca))
    return files


def ensure_site(folder: Path) -> tuple[Path, Path, Path]:
    """What a browser on this machine is shown: authority, certificate, key, made where missing.

    The authority signs this one certificate and its key is then gone: who has a browser believe
    it believes nothing else. It is another than the bus's, so that a site cannot pass for a bus.
    """
    authority, certificate, secret = (folder / f"site{end}" for end in ("-ca.crt", ".crt", ".key"))
    if all(path.exists() for path in (authority, certificate, secret)):
        read_secret(secret)
        ends = x509.load_pem_x509_certificate(certificate.read_bytes()).not_valid_after_utc
        if ends > _now() + datetime.timedelta(days=7):
            return authority, certificate, secret
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    ca_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    ca = _authority("AnyTeam Trust console on this machine", ca_key)
    names: list[x509.GeneralName] = [x509.DNSName(name) for name in _SERVER_NAMES]
    names += [x509.IPAddress(ipaddress.ip_address(text)) for text in _SERVER_ADDRESSES]
    # Browsers take no server certificate that lives longer.
    ends = _now() + datetime.timedelta(days=397)
    made = _leaf(
        "localhost", key.public_key(), (ca, ca_key), ExtendedKeyUsageOID.SERVER_AUTH, names, ends
    )
    _write((certificate, secret), made, key)
    authority.write_bytes(_pem(ca))
    return authority, certificate, secret


def client_context(files: TlsFiles) -> ssl.SSLContext:
    """How a component speaks to the server: TLS 1.2 or later, both sides certified.

    Raises `IdentityError` where the certificates cannot be used.
    """
    try:
        context = ssl.create_default_context(ssl.Purpose.SERVER_AUTH, cafile=str(files.ca))
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(*(str(path) for path in files.client))
    except (OSError, ssl.SSLError) as error:
        raise IdentityError(
            f"TLS files in {files.folder} cannot be used: {error}",
            fix="restore the folder from your backup, or empty it to have it made anew",
        ) from error
    return context


class TlsIdentity(Struct, frozen=True):
    """What one client shows and trusts, held in memory (PEM). `certificate` may be a chain."""

    authority: bytes
    certificate: bytes
    key: bytes

    def context(self) -> ssl.SSLContext:
        """As `client_context`, from no file. Raises `IdentityError`."""
        try:
            context = ssl.create_default_context(
                ssl.Purpose.SERVER_AUTH, cadata=self.authority.decode()
            )
            context.minimum_version = ssl.TLSVersion.TLSv1_2
            with _as_path(self.certificate) as certificate, _as_path(self.key) as key:
                context.load_cert_chain(certificate, key)
        except (OSError, ValueError, ssl.SSLError) as error:
            raise IdentityError(f"the TLS identity that was given is no use: {error}") from error
        return context


@contextlib.contextmanager
def _as_path(pem: bytes) -> Iterator[str]:
    """A path under which OpenSSL reads `pem`, which is in no file: `ssl` takes nothing else."""
    read, write = os.pipe()
    try:
        # Less than any pipe holds, so that nobody has to read at the same time.
        os.set_blocking(write, False)
        os.write(write, pem)
        os.close(write)
        yield f"/dev/fd/{read}"
    finally:
        os.close(read)


class RunsAuthority:
    """Makes the TLS identities of runs, which live no longer than their lease."""

    def __init__(self, files: TlsFiles) -> None:
        """Raises `KeyFileError` or `IdentityError` where the authority's files are no use."""
        try:
            self._certificate = x509.load_pem_x509_certificate(files.runs[0].read_bytes())
            key = serialization.load_pem_private_key(read_secret(files.runs[1]), None)
            self._believed = files.ca.read_bytes()
        except (OSError, ValueError) as error:
            raise IdentityError(
                f"TLS files in {files.folder} cannot be used: {error}", fix="anyteam up"
            ) from error
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise IdentityError(f"{files.runs[1]} holds no key of a curve", fix="anyteam up")
        self._key = key

    def mint(self, ends: datetime.datetime) -> TlsIdentity:
        """A new key, certified until `ends`."""
        key = ec.generate_private_key(ec.SECP256R1())
        usage = ExtendedKeyUsageOID.CLIENT_AUTH
        made = _leaf("run", key.public_key(), (self._certificate, self._key), usage, [], ends)
        return TlsIdentity(self._believed, _pem(made), _secret_pem(key))

    def certify(self, public: bytes, ends: datetime.datetime) -> tuple[bytes, bytes]:
        """What a device shows for its own key (`public`, PEM), and whom it believes, both PEM.

        Raises `IdentityError` where `public` is no key of the curve that is used here.
        """
        try:
            key = serialization.load_pem_public_key(public)
        except (ValueError, UnsupportedAlgorithm) as error:
            raise IdentityError("what was given is no public TLS key", fix="enrol again") from error
        if not isinstance(key, ec.EllipticCurvePublicKey):
            raise IdentityError("the TLS key that was given is of no curve", fix="enrol again")
        usage = ExtendedKeyUsageOID.CLIENT_AUTH
        made = _leaf("device", key, (self._certificate, self._key), usage, [], ends)
        return _pem(made), self._believed


def new_tls_key() -> tuple[bytes, bytes]:
    """A new key (PEM), and its public part (PEM)."""
    key = ec.generate_private_key(ec.SECP256R1())
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return _secret_pem(key), public


def passing_site(minutes: int) -> tuple[ssl.SSLContext, bytes]:
    """How to be called for some minutes by who was told the certificate's SHA-256, which is the
    second value. The key is in no file.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    ends = _now() + datetime.timedelta(minutes=minutes)
    name = _name("AnyTeam Trust enrolment")
    made = _certificate(name, name, key.public_key(), ends).sign(key, hashes.SHA256())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    with _as_path(_pem(made)) as certificate, _as_path(_secret_pem(key)) as secret:
        context.load_cert_chain(certificate, secret)
    return context, made.fingerprint(hashes.SHA256())


def stranger_context() -> ssl.SSLContext:
    """How to call a site that is known by its certificate alone: check `shown_by` before a word."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def shown_by(connection: ssl.SSLObject) -> bytes:
    """The SHA-256 of the certificate that the other side showed."""
    return hashlib.sha256(connection.getpeercert(binary_form=True) or b"").digest()


def _authority(common_name: str, key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    usage = x509.KeyUsage(
        digital_signature=False,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=True,
        encipher_only=False,
        decipher_only=False,
    )
    name = _name(common_name)
    ends = _now() + datetime.timedelta(days=LIFETIME_DAYS)
    return (
        _certificate(name, name, key.public_key(), ends)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )


def _leaf(
    common_name: str,
    key: ec.EllipticCurvePublicKey,
    authority: tuple[x509.Certificate, ec.EllipticCurvePrivateKey],
    usage: x509.ObjectIdentifier | tuple[x509.ObjectIdentifier, ...],
    alternative: list[x509.GeneralName],
    ends: datetime.datetime,
) -> x509.Certificate:
    ca, ca_key = authority
    usages = usage if isinstance(usage, tuple) else (usage,)
    issuer_key = x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key())
    builder = (
        _certificate(_name(common_name), ca.subject, key, ends)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage(usages), critical=False)
        .add_extension(issuer_key, critical=False)
    )
    if alternative:
        builder = builder.add_extension(x509.SubjectAlternativeName(alternative), critical=False)
    return builder.sign(ca_key, hashes.SHA256())


def _certificate(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePublicKey,
    ends: datetime.datetime,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        # A clock set back a little must not make a fresh certificate invalid.
        .not_valid_before(_now() - datetime.timedelta(hours=1))
        .not_valid_after(ends)
    )


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _write(
    pair: tuple[Path, Path], certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey
) -> None:
    write_secret(pair[1], _secret_pem(key))
    pair[0].write_bytes(_pem(certificate))


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _secret_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)
