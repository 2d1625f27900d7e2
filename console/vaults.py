"""Opening a workspace's vault where its KMS is on this machine."""

from bus.folder import DataFolder
from crypto.kms import LocalKms, ensure_data_key
from sidecar.vault import Vault


def vault_of(folder: DataFolder) -> Vault:
    """The workspace's vault; its data key is made if there is none yet."""
    workspace = folder.settings().workspace
    kms = LocalKms(folder.root / "kms")
    kms.create(workspace)
    key = ensure_data_key(kms, folder.data_key_file(workspace), workspace)
    return Vault(folder.vault(workspace), key, workspace)
