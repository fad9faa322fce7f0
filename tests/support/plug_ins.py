"""Packages as an installer leaves them: modules, and the metadata that names their entry points."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from dsbuilder_tui.registry import Registry


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


@contextmanager
def plugged_in(folder: Path, *registries: Registry[Any]) -> Iterator[None]:
    """Have this process see the packages of a folder in these registries, which read their rows only once; then forget them."""
    loaded = [(registry, dict(registry._loaded)) for registry in registries]
    modules = set(sys.modules)
    sys.path.insert(0, str(folder))
    importlib.invalidate_caches()
    for registry in registries:
        registry.__dict__.pop("rows", None)
    try:
        yield
    finally:
        sys.path.remove(str(folder))
        for registry, rows in loaded:
            registry.__dict__.pop("rows", None)
            registry._loaded = rows
        for name in set(sys.modules) - modules:
            if str(getattr(sys.modules[name], "__file__", "")).startswith(str(folder)):
                del sys.modules[name]


SAMPLE = Path(__file__).parent / "plug_in_package"


def install_sample(folder: Path) -> Path:
    """Install the package of ``plug_in_package``, called ``sample-parts``, which adds one of each kind."""
    modules = {path.stem: path.read_text() for path in SAMPLE.glob("*.py")}
    return install_plug_in(folder, "sample-parts", modules, (SAMPLE / "entry_points.txt").read_text())
