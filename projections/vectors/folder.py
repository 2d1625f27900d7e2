"""Where a workspace's index by meaning lies."""

from pathlib import Path

from bus.folder import DataFolder


def vector_folder(folder: DataFolder, workspace: str) -> Path:
    """Its folder in an installation's data folder; may be removed, and is then made anew."""
    return folder.root / "vectors" / workspace
