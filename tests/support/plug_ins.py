"""Packages as an installer leaves them: modules, and the metadata that names their entry points."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path


def install_plug_in(folder: Path, name: str, modules: Mapping[str, str], entry_points: str) -> Path:
    """Lay a package into a folder that is, or will be, on the path. ``modules`` are texts by module name.

    ``entry_points`` is the text of its ``entry_points.txt``. Returns the folder.
    """
    info = folder / f"{name.replace('-', '_')}-1.0.dist-info"
    info.mkdir(parents=True)
    for module, text in modules.items():
        (folder / f"{module}.py").write_text(text)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(entry_points)
    return folder
