"""Where the files are that come with xlbias: recipes, and a small trained encoder."""

from __future__ import annotations

from pathlib import Path


def models_folder() -> Path:
    """Folder of the recipes and encoders that come with xlbias: in the installed package, or in a checkout."""
    package = Path(__file__).parent
    installed = package / "_models"
    return installed if installed.is_dir() else package.parent / "models"


def packaged_encoders() -> dict[str, Path]:
    """Return the encoders that come with xlbias: name → folder."""
    return {path.parent.name: path.parent for path in sorted(models_folder().glob("*/modules.json"))}
