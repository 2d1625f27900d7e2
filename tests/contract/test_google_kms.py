"""Google Cloud KMS: what is sent, what is believed, what is tried again, and how it is refused."""

import logging
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import google_crc32c
import msgspec
import pytest
from google.cloud import kms_v1

from crypto.errors import (
    KmsCorrupted,
    KmsDenied,
    KmsError,
    KmsExhausted,
    KmsKeyMissing,
    KmsKeyUnusable,
    KmsSetup,
    KmsUnavailable,
    SealError,
)
from crypto.kms import LocalKms, ensure_data_key, load_data_key, rewrap
from crypto.kms.checks import crc32c
from crypto.kms.cloud import CloudKms, Deadlines, connected
from crypto.signing import verify_raw
from schemas.kms import KmsSettings
from tests.contract.google_kms import DECRYPT, ENCRYPT, SIGN, VIEW, GoogleKms
from tests.contract.kms_benches import GoogleBench

KEY = bytes(range(32))
State = kms_v1.CryptoKeyVersion.CryptoKeyVersionState
Alter = Callable[[Any], None]


@pytest.fixture
def bench() -> Iterator[GoogleBench]:
    with ExitStack() as stack:
        yield GoogleBench(stack)


@pytest.fixture
def server(bench: GoogleBench) -> GoogleKms:
    return bench.server


@pytest.fixture
def kms(bench: GoogleBench) -> CloudKms:
    return bench.kms("acme")


@pytest.fixture
def own(bench: GoogleBench) -> KmsSettings:
    return bench.settings["acme"]


def altering(kind: type, change: Alter, times: int | None = None) -> Callable[[Any], Any]:
    """Answers of one type changed on their way; the first `times` where that is given."""
    left = [times]

    def alter(answer: Any) -> Any:
        if isinstance(answer, kind) and left[0] != 0:
            left[0] = None if left[0] is None else left[0] - 1
            change(answer)
        return answer

    return alter


def setting(field: str, change: Callable[[Any], Any]) -> Alter:
    def alter(answer: Any) -> None:
        setattr(answer, field, change(getattr(answer, field)))

    return alter


def flipped(data: bytes) -> bytes:
    return data[:-1] + bytes([data[-1] ^ 1])


def unset(answer: Any, field: str) -> None:
    type(answer).pb(answer).ClearField(field)


def clearing(field: str) -> Alter:
    return lambda answer: unset(answer, field)


def elsewhere(name: str) -> str:
    """Another key of a name that begins alike."""
    key, _, version = name.partition("/cryptoKeyVersions/")
    return f"{key}-2/cryptoKeyVersions/{version}"


def forged(answer: Any) -> None:
    answer.signature = flipped(answer.signature)
    answer.signature_crc32c = google_crc32c.value(answer.signature)


Encrypted, Decrypted = kms_v1.EncryptResponse, kms_v1.DecryptResponse
Signed, Public = kms_v1.AsymmetricSignResponse, kms_v1.PublicKey
TAMPERED = {
    "ciphertext flipped": (Encrypted, setting("ciphertext", flipped)),
    "ciphertext checksum wrong": (Encrypted, setting("ciphertext_crc32c", lambda n: n ^ 1)),
    "ciphertext checksum missing": (Encrypted, clearing("ciphertext_crc32c")),
    "wrapped under another key": (Encrypted, setting("name", elsewhere)),
    "wrapped under no key": (Encrypted, clearing("name")),
    "plaintext unchecked": (Encrypted, clearing("verified_plaintext_crc32c")),
    "context unchecked": (Encrypted, clearing("verified_additional_authenticated_data_crc32c")),
    "plaintext flipped": (Decrypted, setting("plaintext", flipped)),
    "plaintext checksum wrong": (Decrypted, setting("plaintext_crc32c", lambda n: n ^ 1)),
    "plaintext checksum missing": (Decrypted, clearing("plaintext_crc32c")),
    "public key altered": (Public, setting("pem", lambda pem: pem.replace("A", "B"))),
    "public key checksum wrong": (Public, setting("pem_crc32c", lambda n: n ^ 1)),
    "public key checksum missing": (Public, clearing("pem_crc32c")),
    "public key of another key": (Public, setting("name", elsewhere)),
    "signature flipped": (Signed, setting("signature", flipped)),
    "signature checksum wrong": (Signed, setting("signature_crc32c", lambda n: n ^ 1)),
    "signature checksum missing": (Signed, clearing("signature_crc32c")),
    "signature forged, checksum right": (Signed, forged),
    "signed by another key": (Signed, setting("name", elsewhere)),
    "data unchecked": (Signed, clearing("verified_data_crc32c")),
}


def use_all(kms: CloudKms) -> None:
    """Wrap, unwrap and sign."""
    assert kms.unwrap("acme", kms.wrap("acme", KEY)) == KEY
    verify_raw(kms.root_public("acme"), b"message", kms.sign_root("acme", b"message"))


def test_the_checksum_is_crc32c_as_rfc_3720_gives_it() -> None:
    assert crc32c(b"\x00" * 32) == 0x8A9136AA
    assert crc32c(b"123456789") == 0xE3069283


def test_all_that_is_sent_goes_with_its_checksum(server: GoogleKms, kms: CloudKms) -> None:
    use_all(kms)
    assert len(server.asked) == 4 and server.unchecked == []


@pytest.mark.parametrize("case", list(TAMPERED))
def test_an_answer_that_stays_tampered_with_is_refused_after_three_tries(
    server: GoogleKms, kms: CloudKms, case: str
) -> None:
    kind, change = TAMPERED[case]
    tampered: list[Any] = []
    server.alter = altering(kind, lambda answer: (tampered.append(answer), change(answer)))
    with pytest.raises(KmsCorrupted) as refused:
        use_all(kms)
    assert len(tampered) == 3
    assert ("without its checksum" in refused.value.what) == case.endswith("checksum missing")


@pytest.mark.parametrize("case", list(TAMPERED))
def test_an_answer_tampered_with_once_is_asked_for_again(
    server: GoogleKms, kms: CloudKms, case: str
) -> None:
    kind, change = TAMPERED[case]
    server.alter = altering(kind, change, times=1)
    use_all(kms)


def test_a_request_that_arrives_garbled_is_sent_again_and_never_silently_used(
    server: GoogleKms, kms: CloudKms
) -> None:
    public = kms.root_public("acme")
    server.garbled = 1
    wrapped = kms.wrap("acme", KEY)
    server.garbled = 2
    assert kms.unwrap("acme", wrapped) == KEY
    server.garbled = 2
    verify_raw(public, b"message", kms.sign_root("acme", b"message"))
    server.asked.clear()
    server.garbled = 9
    with pytest.raises(KmsError, match="plaintext_crc32c did not match"):
        kms.wrap("acme", KEY)
    with pytest.raises(SealError):
        kms.unwrap("acme", wrapped)
    with pytest.raises(KmsError, match="data_crc32c did not match"):
        kms.sign_root("acme", b"message")
    assert set(server.asked.values()) == {3}


def test_a_service_that_is_away_for_a_moment_is_asked_again(
    server: GoogleKms, kms: CloudKms
) -> None:
    server.unavailable = 2
    use_all(kms)
    assert server.asked["EncryptRequest"] == 3


@pytest.mark.parametrize(
    ("permission", "field"),
    [
        (ENCRYPT, "wrapping_key"),
        (DECRYPT, "wrapping_key"),
        (SIGN, "root_key"),
        (VIEW, "root_key"),
    ],
)
def test_a_missing_permission_is_named_with_its_key_and_not_tried_again(
    server: GoogleKms, kms: CloudKms, own: KmsSettings, permission: str, field: str
) -> None:
    key = getattr(own, field)
    server.denied.add((permission, key))
    with pytest.raises(KmsDenied) as denied:
        use_all(kms)
    assert permission in denied.value.what and key in denied.value.what
    assert permission in denied.value.fix
    assert max(server.asked.values()) == 1


def test_a_quota_that_is_used_up_is_told_and_not_tried_again(
    server: GoogleKms, kms: CloudKms
) -> None:
    server.quota = 1
    with pytest.raises(KmsExhausted, match="Quota exceeded"):
        use_all(kms)
    assert server.asked == {"EncryptRequest": 1, "DecryptRequest": 1}


def test_a_service_slower_than_the_deadline_is_given_up(
    server: GoogleKms, own: KmsSettings
) -> None:
    server.silent = True
    with (
        connected(own, Deadlines(request_s=0.2, operation_s=0.5)) as kms,
        pytest.raises(KmsUnavailable, match="in time"),
    ):
        kms.wrap("acme", KEY)
    assert server.asked["EncryptRequest"] > 1


def test_a_service_that_is_not_there_is_told(server: GoogleKms, own: KmsSettings) -> None:
    server.stop()
    with (
        connected(own, Deadlines(request_s=0.2, operation_s=0.5)) as kms,
        pytest.raises(KmsUnavailable),
    ):
        kms.wrap("acme", KEY)


@pytest.mark.parametrize("state", [State.DISABLED, State.DESTROYED, State.DESTROY_SCHEDULED])
def test_a_key_that_is_out_of_use_is_told_with_its_state(
    server: GoogleKms, kms: CloudKms, own: KmsSettings, state: State
) -> None:
    wrapped = kms.wrap("acme", KEY)
    server.keys[own.wrapping_key][0].state = state
    with pytest.raises(KmsKeyUnusable, match=state.name):
        kms.wrap("acme", KEY)
    with pytest.raises(KmsKeyUnusable, match=state.name):
        kms.unwrap("acme", wrapped)
    root = own.root_key.partition("/cryptoKeyVersions/")[0]
    server.keys[root][0].state = state
    with pytest.raises(KmsKeyUnusable, match=state.name):
        kms.sign_root("acme", b"message")


def test_a_key_that_is_not_there_is_named(server: GoogleKms, kms: CloudKms) -> None:
    wrapped = kms.wrap("acme", KEY)
    server.keys.clear()
    for use in (
        lambda: kms.wrap("acme", KEY),
        lambda: kms.unwrap("acme", wrapped),
        lambda: kms.root_public("acme"),
    ):
        with pytest.raises(KmsKeyMissing, match="cryptoKeys/acme-"):
            use()


def test_a_root_of_another_algorithm_is_refused(bench: GoogleBench, own: KmsSettings) -> None:
    elliptic = bench.server.add_elliptic_root("p256")
    chosen = KmsSettings(
        provider="google",
        wrapping_key=own.wrapping_key,
        root_key=elliptic,
        endpoint=own.endpoint,
    )
    with connected(chosen) as kms, pytest.raises(KmsKeyUnusable, match="EC_SIGN_P256_SHA256"):
        kms.create("acme")


def test_a_wrapping_key_of_another_purpose_is_refused(
    server: GoogleKms, kms: CloudKms, own: KmsSettings
) -> None:
    root = own.root_key.partition("/cryptoKeyVersions/")[0]
    server.keys[own.wrapping_key] = server.keys[root]
    with pytest.raises(KmsKeyUnusable, match="purpose"):
        kms.wrap("acme", KEY)


def test_what_is_too_long_for_the_service_to_sign_is_told_before_it_is_sent(
    server: GoogleKms, kms: CloudKms
) -> None:
    kms.sign_root("acme", b"x" * 65_536)
    asked = server.asked.copy()
    with pytest.raises(KmsError, match="65537"):
        kms.sign_root("acme", b"x" * 65_537)
    assert server.asked == asked


def test_a_key_that_the_local_provider_wrapped_says_so(kms: CloudKms, tmp_path: Path) -> None:
    local = LocalKms(tmp_path)
    local.create("acme")
    with pytest.raises(SealError, match="provider local"):
        kms.unwrap("acme", local.wrap("acme", KEY))
    with pytest.raises(SealError, match="provider google"):
        local.unwrap("acme", kms.wrap("acme", KEY))


def test_a_key_wrapped_under_another_key_names_both(bench: GoogleBench) -> None:
    wrapped = bench.kms("other").wrap("acme", KEY)
    with pytest.raises(SealError, match=r"other-wrapping.*acme-wrapping"):
        bench.kms("acme").unwrap("acme", wrapped)


def test_rewrapping_puts_the_old_wrapping_back_where_the_new_cannot_be_read_back(
    server: GoogleKms, kms: CloudKms, own: KmsSettings, tmp_path: Path
) -> None:
    path = tmp_path / "acme.datakey"
    key = ensure_data_key(kms, path, "acme")
    old = path.read_bytes()
    server.rotate(own.wrapping_key)
    opened: list[Any] = []

    def deny_the_third(answer: Any) -> Any:
        if isinstance(answer, Decrypted):
            opened.append(answer)
            if len(opened) == 2:
                server.denied.add((DECRYPT, own.wrapping_key))
        return answer

    server.alter = deny_the_third
    with pytest.raises(KmsDenied):
        rewrap(kms, path, "acme")
    assert path.read_bytes() == old
    server.denied.clear()
    assert load_data_key(kms, path, "acme") == key
    assert rewrap(kms, path, "acme").after.endswith("/cryptoKeyVersions/2")


def test_an_intact_looking_but_wrong_wrapping_is_never_stored(
    server: GoogleKms, kms: CloudKms, tmp_path: Path
) -> None:
    path = tmp_path / "acme.datakey"

    def garble(answer: Any) -> None:
        answer.ciphertext = flipped(answer.ciphertext)
        answer.ciphertext_crc32c = google_crc32c.value(answer.ciphertext)

    server.alter = altering(Encrypted, garble)
    with pytest.raises(SealError):
        ensure_data_key(kms, path, "acme")
    assert not path.exists()


def test_no_key_reaches_a_log_even_at_the_librarys_debug_level(
    own: KmsSettings, caplog: pytest.LogCaptureFixture
) -> None:
    google = logging.getLogger("google")
    google.addHandler(caplog.handler)
    level = google.level
    google.setLevel(logging.DEBUG)
    try:
        with connected(own) as kms:
            use_all(kms)
    finally:
        google.setLevel(level)
        google.removeHandler(caplog.handler)
    written = "".join(str(vars(record)) for record in caplog.records)
    assert "AAECAwQFBgc" not in written and str(KEY) not in written


def test_without_application_default_credentials_it_says_how_to_log_in(
    own: KmsSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "none.json"))
    chosen = KmsSettings(provider="google", wrapping_key=own.wrapping_key, root_key=own.root_key)
    with pytest.raises(KmsSetup, match=r"none\.json") as refused, connected(chosen):
        pass
    assert "gcloud auth application-default login" in refused.value.fix


def test_without_its_library_the_extra_is_named(own: KmsSettings, tmp_path: Path) -> None:
    program = (
        "import pathlib, sys\n"
        "sys.modules['grpc'] = None\n"
        "import msgspec\n"
        "from crypto.errors import KmsSetup\n"
        "from crypto.kms import open_kms\n"
        "from schemas.kms import KmsSettings\n"
        "settings = msgspec.json.decode(sys.stdin.read(), type=KmsSettings)\n"
        "try:\n"
        "    open_kms(settings, pathlib.Path('.')).__enter__()\n"
        "except KmsSetup as error:\n"
        "    print(error)\n"
    )
    said = subprocess.run(
        [sys.executable, "-c", program],
        input=msgspec.json.encode(own).decode(),
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[2],
        check=True,
    )
    assert "anyteam-trust[gcp]" in said.stdout


def test_a_proxy_in_the_environment_does_not_lead_a_loopback_call_away(
    own: KmsSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "https_proxy", "grpc_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with connected(own) as kms:
        use_all(kms)


@pytest.mark.parametrize("endpoint", ["192.0.2.1:443", "localhost:80", "[2001:db8::1]:80"])
def test_an_endpoint_off_loopback_is_never_reached_without_credentials(
    own: KmsSettings, endpoint: str
) -> None:
    chosen = KmsSettings(
        provider="google",
        wrapping_key=own.wrapping_key,
        root_key=own.root_key,
        endpoint=endpoint,
    )
    with pytest.raises(ValueError, match="loopback"), connected(chosen):
        pass
