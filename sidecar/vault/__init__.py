"""The vault: what the sidecar holds for a workspace and its reps, sealed on disk."""

from sidecar.vault.credentials import Credential, Credentials, Grant, Secret
from sidecar.vault.store import Kept, Vault

__all__ = ["Credential", "Credentials", "Grant", "Kept", "Secret", "Vault"]
