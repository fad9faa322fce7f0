"""A table of named rows: built-in ones as import paths, plug-ins' from entry points. A row is imported when it is asked for."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Generic, TypeVar, cast

from dsbuilder_tui.domain.errors import ConfigError, DsbuilderError
from dsbuilder_tui.domain.exhaustion import exhaustion
from dsbuilder_tui.domain.sanitise import one_line

T = TypeVar("T")


class PlugInBroken(DsbuilderError):
    """A row that is registered but cannot be loaded, or that fails at its work."""


@dataclass(frozen=True, slots=True)
class RegistryRow:
    """One entry of a registry. ``path`` is ``module:attribute``; ``package`` is the distribution, "" for a built-in one."""

    name: str
    path: str
    package: str = ""


class Registry(Generic[T]):
    """The rows of one kind, such as providers.

    Args:
        group: the entry-point group that plug-ins add rows to, such as ``dsbuilder.providers``.
        kind: what a row is called in a sentence, such as ``provider``.
        builtin: the rows of this package, from name to ``module:attribute``. A plug-in cannot take a built-in row's name.
        expects: a class, or the import path of one, whose instance (or subclass) a loaded row must be; without it
            anything goes.
    """

    def __init__(self, group: str, kind: str, builtin: Mapping[str, str], expects: type | str | None = None) -> None:
        self.group, self.kind, self._builtin, self._expects = group, kind, dict(builtin), expects
        self._loaded: dict[str, T] = {}

    @cached_property
    def rows(self) -> dict[str, RegistryRow]:
        """All rows by name, built-in ones first, without importing any. Read once: installing a plug-in needs a new process."""
        found = {name: RegistryRow(name, path) for name, path in self._builtin.items()}
        for entry in sorted(entry_points(group=self.group), key=lambda entry: (entry.name, entry.value)):
            found.setdefault(entry.name, RegistryRow(entry.name, entry.value, _package(entry)))
        return found

    def names(self) -> tuple[str, ...]:
        """The names of all rows, built-in ones first, without importing any."""
        return tuple(self.rows)

    def load(self, name: str) -> T:
        """The row of that name, imported on first use.

        Raises ``ConfigError`` for a name that is not registered, ``PlugInBroken`` for a row that cannot be loaded.
        """
        if name in self._loaded:
            return self._loaded[name]
        row = self.rows.get(name)
        if row is None:
            raise ConfigError(f"There is no {self.kind} {name!r}.", f"Choose from: {', '.join(self.names())}.")
        self._loaded[name] = loaded = self._import(row)
        return loaded

    def all(self) -> dict[str, T]:
        """Every row that can be loaded, by name. What cannot is in ``broken``."""
        return {
            name: row for name, row in ((n, self._try(n)) for n in self.names()) if not isinstance(row, PlugInBroken)
        }

    def broken(self) -> dict[str, PlugInBroken]:
        """Why each row that cannot be loaded cannot, by name."""
        return {name: row for name, row in ((n, self._try(n)) for n in self.names()) if isinstance(row, PlugInBroken)}

    def failed(self, name: str, error: Exception) -> PlugInBroken:
        """What is to be raised when the row of that name, loaded and at work, has raised ``error``.

        Raises that itself where the machine has no more of something: no plug-in is to blame for it.
        """
        if exhaustion(error) is not None:
            raise error
        row = self.rows[name]
        return PlugInBroken(
            f"The {self.kind} {name!r}{_origin(row)} failed: {type(error).__name__}: {one_line(str(error), 300)}.",
            _way_out(row),
        )

    def _try(self, name: str) -> T | PlugInBroken:
        try:
            return self.load(name)
        except PlugInBroken as error:
            return error

    def _import(self, row: RegistryRow) -> T:
        origin = _origin(row)
        try:
            loaded = _at(row.path)
        except Exception as error:  # whatever a stranger's module does while it is imported
            raise PlugInBroken(
                f"The {self.kind} {row.name!r}{origin} cannot be loaded: {type(error).__name__}: {error}.",
                _way_out(row),
            ) from error
        expected = _at(self._expects) if isinstance(self._expects, str) else self._expects
        if expected is not None and not _is_a(loaded, expected):
            raise PlugInBroken(
                f"The {self.kind} {row.name!r}{origin} is no {expected.__name__}.",
                f"{row.path} must be one.",
            )
        return cast(T, loaded)


def _origin(row: RegistryRow) -> str:
    return f" of the package {row.package}" if row.package else ""


def _way_out(row: RegistryRow) -> str:
    return "Update or uninstall that package." if row.package else "Install dsbuilder-tui again."


def _at(path: str) -> Any:
    """What an import path names."""
    module, _, attribute = path.partition(":")
    found: Any = importlib.import_module(module.strip())
    for part in attribute.split(" ")[0].split("."):  # an entry point may name extras behind the attribute
        found = getattr(found, part)
    return found


def _is_a(loaded: object, kind: type) -> bool:
    return isinstance(loaded, kind) or (isinstance(loaded, type) and issubclass(loaded, kind))


def _package(entry: EntryPoint) -> str:
    return entry.dist.name if entry.dist is not None else "another package"
