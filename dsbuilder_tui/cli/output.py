"""Lines, JSON and tables on standard output, with foreign text made visible."""

from __future__ import annotations

import json
import sys
import textwrap
from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from dsbuilder_tui.domain.events import Event, Notice
from dsbuilder_tui.domain.sanitise import json_for_terminal, visible


class AsDict(Protocol):
    """What can be printed as JSON."""

    def as_dict(self) -> dict[str, Any]: ...


def say(text: str = "") -> None:
    """A line that may hold foreign text: names of folders, of categories, what a model said."""
    print(visible(text))


def warn_of(event: Event) -> None:
    """What a person should know, on standard error: for commands that print something else."""
    if isinstance(event, Notice):
        print(f"dsbuilder: {visible(event.text)}", file=sys.stderr)


def print_json(value: Any) -> None:
    print(json_for_terminal(json.dumps(value, ensure_ascii=False, indent=2)))


def print_json_lists(head: Mapping[str, Any], lists: Mapping[str, Iterable[AsDict]]) -> None:
    """An object with lists behind its other members, printed as ``print_json`` does, of which one item at a time is in memory."""
    print(json_for_terminal(json.dumps(head, ensure_ascii=False, indent=2)).removesuffix("\n}"), end="")
    for name, items in lists.items():
        print(f",\n  {json.dumps(name)}: [", end="")
        separator = "\n"
        for item in items:
            text = json_for_terminal(json.dumps(item.as_dict(), ensure_ascii=False, indent=2))
            print(separator + textwrap.indent(text, "    "), end="")
            separator = ",\n"
        print("]" if separator == "\n" else "\n  ]", end="")
    print("\n}")


def print_table(rows: list[list[str]], right: tuple[int, ...] = ()) -> None:
    """Aligned columns; the first row is the head."""
    shown = [[visible(cell) for cell in row] for row in rows]
    widths = [max(len(row[column]) for row in shown) for column in range(len(shown[0]))]
    for row in shown:
        cells = [c.rjust(w) if i in right else c.ljust(w) for i, (c, w) in enumerate(zip(row, widths, strict=True))]
        print("  ".join(cells).rstrip())
