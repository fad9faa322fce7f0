"""An entry of a plan's ``validators``: a name, a name that is turned off, or a name with what to set."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

from pydantic import BeforeValidator

EVERY = "all"  # `-all` turns off every validator named before it, and those that are on by default


@dataclass(frozen=True, slots=True)
class ValidatorChoice:
    """What one entry says. ``options`` are as they stand in the plan; the validator itself knows which it takes."""

    name: str
    is_on: bool = True
    options: Mapping[str, Any] = field(default_factory=dict)


def choice_of(entry: str | Mapping[str, Mapping[str, Any]]) -> ValidatorChoice:
    """An entry of a checked plan, read."""
    if isinstance(entry, str):
        return ValidatorChoice(entry.removeprefix("-"), is_on=not entry.startswith("-"))
    ((name, options),) = entry.items()
    return ValidatorChoice(name, options=options)


def merged_entries(
    *lists: Iterable[str | dict[str, dict[str, Any]]],
) -> tuple[str | dict[str, dict[str, Any]], ...]:
    """The entries of several lists, one for each name: what a later list says of a name holds."""
    merged: dict[str, str | dict[str, dict[str, Any]]] = {}
    for entries in lists:
        for entry in entries:
            choice = choice_of(entry)
            if choice.name == EVERY:
                merged.clear()
            merged[choice.name] = entry
    return tuple(merged.values())


def _checked_entries(value: object) -> object:
    """Whether the names are registered, and what a validator can be set to, is not for the plan to know."""
    if value is None:
        return ()
    entries = [value] if isinstance(value, str | Mapping) else value
    if not isinstance(entries, list | tuple):
        raise ValueError("must be the name of a validator or a list of names")
    checked = [_checked_entry(entry) for entry in entries]
    times = Counter(choice_of(entry).name for entry in checked)
    if repeated := sorted(name for name, number in times.items() if number > 1):
        raise ValueError(f"names {repeated[0]!r} twice; remove one of them")
    return tuple(checked)


def _checked_entry(entry: object) -> str | dict[str, dict[str, Any]]:
    if isinstance(entry, str) and (name := entry.strip()).removeprefix("-").strip():
        return f"-{name[1:].strip()}" if name.startswith("-") else name
    if isinstance(entry, Mapping) and len(entry) == 1:
        ((name, options),) = entry.items()
        if isinstance(name, str) and name.strip() and not name.strip().startswith("-") and isinstance(options, Mapping):
            return {name.strip(): {str(key): option for key, option in options.items()}}
    raise ValueError(
        "must be the name of a validator or a list of names; write `-name` to turn one off, "
        "or for example {length: {max: 400}} to set something"
    )


ValidatorEntries = Annotated[tuple[str | dict[str, dict[str, Any]], ...], BeforeValidator(_checked_entries)]
