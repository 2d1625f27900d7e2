"""Who signs on this machine beside the components: the root, in its KMS, and people."""

from bus.client import Client
from bus.folder import DataFolder
from console.author import Pen, Reader
from crypto.keyfile import load_signer
from crypto.kms import Kms
from crypto.signing import key_id_of
from crypto.trust import Trust
from schemas.authority import of_the_workspace
from schemas.events import Actor
from schemas.names import Role


def root_pen(kms: Kms, workspace: str) -> Pen:
    """The root's pen: it signs in the KMS."""
    public = kms.root_public(workspace)
    return Pen(Actor(Role.ROOT, "root"), key_id_of(public), lambda m: kms.sign_root(workspace, m))


def person_pen(folder: DataFolder, name: str, role: Role) -> Pen:
    """A rep's or admin's pen. Raises `KeyFileError` where their key is not here."""
    signer = load_signer(folder.person(name) / "event.key")
    return Pen(Actor(role, name), signer.key_id, signer.sign_raw)


def root_reader(client: Client, folder: DataFolder, workspace: str) -> Reader:
    """What the root must have read to sign: all that is in no run, however long the ledger is."""
    trust = Trust(workspace, folder.root_public())
    return Reader(client, trust, name=Role.ROOT.value, only=of_the_workspace(workspace))
