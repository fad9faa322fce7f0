"""YAML texts: their size with aliases followed, told before anything is built of them, and what is wrong with one."""

from __future__ import annotations

from typing import Any

import yaml

from dsbuilder_tui.domain.errors import InputError

_MOST_DEPTH = 100


class YamlTooLarge(ValueError):
    """A YAML text would be huge, or is nested without reason. The message ends a sentence."""


def check_yaml_size(text: str, loader: Any, most_values: int, most_anchors: int) -> None:
    """Walk the parser's events, which build nothing. Raises ``YamlTooLarge``, and ``yaml.YAMLError`` for what is none."""
    sizes: dict[str, int] = {}
    open_nodes: list[list[Any]] = []  # [anchor, size]
    anchors, total = 0, 0
    for event in yaml.parse(text, Loader=loader):
        if isinstance(event, yaml.NodeEvent):
            anchors += event.anchor is not None
            if anchors > most_anchors:
                raise YamlTooLarge(f"it has more than {most_anchors:,} anchors and aliases")
        size = 0
        if isinstance(event, yaml.CollectionStartEvent):
            open_nodes.append([event.anchor, 1])
            if len(open_nodes) > _MOST_DEPTH:
                raise YamlTooLarge("it is nested too deeply")
        elif isinstance(event, yaml.CollectionEndEvent):
            anchor, size = open_nodes.pop()
            if anchor:
                sizes[anchor] = size
        elif isinstance(event, yaml.AliasEvent):
            if any(event.anchor == anchor for anchor, _ in open_nodes):
                raise YamlTooLarge("a part of it holds itself")
            size = sizes.get(str(event.anchor), 1)
        elif isinstance(event, yaml.ScalarEvent):
            size = 1
            if event.anchor:
                sizes[event.anchor] = 1
        if open_nodes:
            open_nodes[-1][1] += size
        total = max(total, open_nodes[-1][1] if open_nodes else size)
        if total > most_values:
            raise YamlTooLarge("it holds too many values")


def yaml_problem(error: yaml.YAMLError, name: str) -> InputError:
    """What is wrong with a YAML text called ``name``, and where."""
    mark = getattr(error, "problem_mark", None)
    where = f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""
    what = getattr(error, "problem", None) or "it cannot be read"
    return InputError(f"{name}{where}: not valid YAML: {what}.", "Mend that line.")
