"""Findings in an application's files."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from dsbuilder_tui.domain.sanitise import one_line
from dsbuilder_tui.sources.foreign_text import kept, label

MOST_TOOLS = 200
MOST_PROMPTS = 50
_MOST_PARAMETERS = 40


@dataclass(frozen=True, slots=True)
class TargetTool:
    """One tool of the application: its name, its parameters as they are written, what it says it does, where it stands."""

    name: str
    parameters: tuple[str, ...]
    description: str
    where: str


@dataclass(frozen=True, slots=True)
class TargetPrompt:
    """One text that tells the application how to behave. ``name`` is what the code calls it, or empty."""

    name: str
    text: str
    where: str


@dataclass(slots=True)
class TargetFindings:
    """What has been read so far, in the order in which it was read."""

    prompts: list[TargetPrompt] = field(default_factory=list)
    tools: list[TargetTool] = field(default_factory=list)
    readmes: list[TargetPrompt] = field(default_factory=list)
    # names that stand in a `tools=[…]`, with where, and every function and call that such a name could mean
    listed: list[tuple[str, str]] = field(default_factory=list)
    defined: dict[str, TargetTool] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def prompt(self, name: str, text: str, where: str) -> None:
        """Keep a prompt, once, however many places it stands in."""
        text = kept(text).strip() if len(self.prompts) < MOST_PROMPTS else ""
        if text and all(text != other.text for other in self.prompts):
            self.prompts.append(TargetPrompt(label(name), text, where))

    def settle(self) -> None:
        """Find what the listed names mean, now that every file has been read; leave one tool a name, and not too many."""
        by_name: dict[str, TargetTool] = {}
        listed = (self.defined.get(name) or make_tool(name, (), "", where) for name, where in self.listed)
        for tool in (*self.tools, *listed):
            other = by_name.setdefault(tool.name, tool)
            if (bool(tool.parameters), bool(tool.description)) > (bool(other.parameters), bool(other.description)):
                by_name[tool.name] = tool
        if len(by_name) > MOST_TOOLS:
            self.notes.append(f"{len(by_name) - MOST_TOOLS:,} tools beyond the first {MOST_TOOLS} are left out")
        self.tools = list(by_name.values())[:MOST_TOOLS]


def make_tool(name: str, parameters: tuple[str, ...] | list[str], description: str, where: str) -> TargetTool:
    """A tool with its texts cleaned and of bounded length."""
    shown = [one_line(kept(parameter), 160) for parameter in parameters[:_MOST_PARAMETERS]]
    if len(parameters) > _MOST_PARAMETERS:
        shown.append(f"… {len(parameters) - _MOST_PARAMETERS:,} more")
    return TargetTool(label(name), tuple(shown), one_line(kept(first_paragraph(description)), 600), where)


def first_paragraph(text: str) -> str:
    return re.split(r"\n[ \t]*\n", text.strip(), maxsplit=1)[0]
