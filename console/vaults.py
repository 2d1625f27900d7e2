"""Opening a workspace's vault where its KMS can be reached from this machine."""

from bus.folder import DataFolder
from console.custody import workspace_kms
from crypto.kms import ensure_data_key
from sidecar.vault import Vault


def vault_of(folder: DataFolder) -> Vault:
    """The workspace's vault; its data key is made if there is none yet."""
    settings = folder.settings()
    workspace = settings.workspace
    with workspace_kms(folder, settings) as kms:
        kms.create(workspace)
        key = ensure_data_key(kms, folder.data_key_file(workspace), workspace)
    return Vault(folder.vault(workspace), key, workspace)
