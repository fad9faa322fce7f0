"""Every module of the engine and of the command line, imported: for the server that test processes are forked from."""

from __future__ import annotations

import importlib
import pkgutil

import dsbuilder_tui

for _info in pkgutil.walk_packages(dsbuilder_tui.__path__, "dsbuilder_tui."):
    if ".tui" not in _info.name.removeprefix("dsbuilder_tui") and not _info.name.endswith("__main__"):
        importlib.import_module(_info.name)
