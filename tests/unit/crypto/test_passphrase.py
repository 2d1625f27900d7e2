"""Keys sealed under a passphrase: what opens them, and what is refused before it is derived."""

import json
from pathlib import Path

import pytest

from crypto.errors import KeyFileError, KeyFileTooOpen, KmsSetup, PassphraseMissing, WrongPassphrase
from crypto.kms import KeyFiles, LocalKms
from crypto.kms.passphrase import open_key, seal_key

KEY = bytes(range(32))
WORDS = "correct horse battery staple"
SEALED = seal_key(KEY, WORDS, b"acme root")


def changed(**fields: object) -> bytes:
    """The sealed key with fields of its file changed."""
    return json.dumps(json.loads(SEALED) | fields).encode()


def test_the_passphrase_opens_and_the_key_does_not_show() -> None:
    assert open_key(SEALED, WORDS, b"acme root", "acme.root.sealed") == KEY
    assert KEY not in SEALED and KEY.hex().encode() not in SEALED


def test_each_sealing_has_a_salt_and_a_nonce_of_its_own() -> None:
    one, two = json.loads(SEALED), json.loads(seal_key(KEY, WORDS, b"acme root"))
    assert one["salt"] != two["salt"] and one["nonce"] != two["nonce"]


@pytest.mark.parametrize("words", ["correct horse battery stapl", WORDS.upper(), "", f"{WORDS} "])
def test_another_passphrase_is_one_clear_error_that_names_the_file(words: str) -> None:
    with pytest.raises(WrongPassphrase, match=r"does not open acme\.root\.sealed") as wrong:
        open_key(SEALED, words, b"acme root", "acme.root.sealed")
    assert wrong.value.__cause__ is None and wrong.value.exit_code == 2


@pytest.mark.parametrize("context", [b"other root", b"acme kek-1", b""])
def test_a_sealed_key_under_another_name_does_not_open(context: bytes) -> None:
    with pytest.raises(WrongPassphrase):
        open_key(SEALED, WORDS, context, "moved")


def test_a_passphrase_is_the_same_composed_and_decomposed() -> None:
    sealed = seal_key(KEY, "caf\u00e9 au lait, s'il vous pla\u00eet", b"acme root")
    assert open_key(sealed, "cafe\u0301 au lait, s'il vous plai\u0302t", b"acme root", "x") == KEY


@pytest.mark.parametrize(
    "fields",
    [
        {"memory_kib": 8},
        {"memory_kib": 2**40},
        {"iterations": 1},
        {"iterations": 10**9},
        {"lanes": 0},
        {"salt": ""},
        {"nonce": "AAAA"},
        {"kdf": "none"},
        {"form": "anyteam sealed key v2"},
        {"ciphertext": None},
        {"colour": 1},
    ],
)
def test_parameters_out_of_bounds_are_refused_by_name_and_not_derived(
    fields: dict[str, object],
) -> None:
    with pytest.raises(KeyFileError, match=next(iter(fields))):
        open_key(changed(**fields), WORDS, b"acme root", "acme.root.sealed")


@pytest.mark.parametrize("data", [b"", b"{}", b"\xff\xfe", KEY])
def test_a_file_that_holds_no_sealed_key_is_told(data: bytes) -> None:
    with pytest.raises(KeyFileError, match="holds no sealed key"):
        open_key(data, WORDS, b"acme root", "acme.root.sealed")


def test_changed_parameters_within_bounds_do_not_open() -> None:
    with pytest.raises(WrongPassphrase):
        open_key(changed(iterations=4), WORDS, b"acme root", "acme.root.sealed")


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with acme's keys, sealed."""
    folder = tmp_path_factory.mktemp("kms")
    LocalKms(folder, WORDS).create("acme")
    return folder


def test_sealed_files_without_a_passphrase_ask_for_one(sealed: Path) -> None:
    with pytest.raises(PassphraseMissing, match="sealed under a passphrase"):
        LocalKms(sealed).root_public("acme")


def test_creating_with_another_passphrase_fails_and_makes_nothing(sealed: Path) -> None:
    before = {file: file.read_bytes() for file in sealed.iterdir()}
    with pytest.raises(WrongPassphrase):
        LocalKms(sealed, "something else entirely").create("acme")
    assert {file: file.read_bytes() for file in sealed.iterdir()} == before


def test_keys_in_the_clear_are_not_used_where_a_passphrase_is_promised(tmp_path: Path) -> None:
    LocalKms(tmp_path).create("acme")
    with pytest.raises(KeyFileError, match="in the clear"):
        LocalKms(tmp_path, WORDS).root_public("acme")


def test_a_sealed_file_that_others_may_read_is_not_used(tmp_path: Path) -> None:
    LocalKms(tmp_path, WORDS).create("acme")
    (tmp_path / "acme.root.sealed").chmod(0o640)
    with pytest.raises(KeyFileTooOpen):
        LocalKms(tmp_path, WORDS).root_public("acme")


def test_a_short_passphrase_seals_nothing(tmp_path: Path) -> None:
    with pytest.raises(KmsSetup, match="12 characters"):
        LocalKms(tmp_path, "eleven char").create("acme")
    assert list(tmp_path.iterdir()) == []


def test_sealing_that_was_cut_short_can_be_done_again(tmp_path: Path) -> None:
    kms = LocalKms(tmp_path)
    kms.create("acme")
    kms.rotate("acme")
    wrapped, root = kms.wrap("acme", KEY), kms.root_public("acme")
    clear = (tmp_path / "acme.root").read_bytes()
    KeyFiles(tmp_path, None).seal_all("acme", WORDS)
    (tmp_path / "acme.root").touch(mode=0o600)
    (tmp_path / "acme.root").write_bytes(clear)
    assert KeyFiles(tmp_path, None).seal_all("acme", WORDS) == ["kek-1", "kek-2", "root"]
    assert not (tmp_path / "acme.root").exists()
    again = LocalKms(tmp_path, WORDS)
    assert again.unwrap("acme", wrapped) == KEY and again.root_public("acme") == root
