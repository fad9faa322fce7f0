"""The registry of the main agent's tools: those of the folder ``tools``, found there."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Iterable
from functools import cache
from types import ModuleType
from typing import Any

from dsbuilder_tui.agent.tool import Tool

_FOLDER = "dsbuilder_tui.agent.tools"


@cache
def tool_kinds() -> tuple[type[Tool[Any]], ...]:
    """All tools, in the order in which a model is told of them."""
    folder = importlib.import_module(_FOLDER)
    names = [found.name for found in pkgutil.iter_modules(folder.__path__)]
    return tools_of(importlib.import_module(f"{_FOLDER}.{name}") for name in names)


def tools_of(modules: Iterable[ModuleType]) -> tuple[type[Tool[Any]], ...]:
    """The tools that these modules define, by their ``order`` and name. Raises ``ValueError`` for a name used twice."""
    found: dict[str, type[Tool[Any]]] = {}
    for module in modules:
        for kind in vars(module).values():
            if not (inspect.isclass(kind) and issubclass(kind, Tool) and kind.__module__ == module.__name__):
                continue
            if inspect.isabstract(kind):
                continue
            if kind.name in found:
                raise ValueError(f"{kind.__qualname__} and {found[kind.name].__qualname__} are both named {kind.name}.")
            found[kind.name] = kind
    return tuple(sorted(found.values(), key=lambda kind: (kind.order, kind.name)))
