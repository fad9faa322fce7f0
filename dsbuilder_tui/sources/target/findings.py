"""Findings in an application's files, and how its text is kept: cleaned, and without keys."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from dsbuilder_tui.domain.sanitise import one_line, visible, whole_characters

HIDDEN = "(hidden)"
MOST_TOOLS = 200
MOST_PROMPTS = 50
_MOST_PARAMETERS = 40
# Runs of one alphabet start at a boundary only, so that a hostile file cannot make these slow.
_KEYS = re.compile(
    r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----.*?(?:-----END [A-Z ]{0,30}PRIVATE KEY-----|\Z)"
    r"|(?<![A-Za-z0-9])(?:sk-|[srp]k_(?:live|test)_)[A-Za-z0-9_\-]{16,}"
    r"|(?<![A-Za-z0-9])(?:AKIA|ASIA)[0-9A-Z]{12,}"
    r"|(?<![A-Za-z0-9])(?:gh[pousr]_|github_pat_|glpat-|hf_|xox[abeprs]-|AIza|whsec_)[A-Za-z0-9_\-]{16,}"
    r"|(?<![\w\-])eyJ[\w\-]{8,}\.[\w\-]{8,}\.[\w\-]*",
    re.DOTALL,
)
_NAMED = re.compile(
    r"(?P<name>(?:key|token|secret|passwd|password|pwd|authorization)[\"']?[ \t]*[:=][ \t]*"
    r"(?:\w{1,20}[ \t]*=[ \t]*)?[\"']?(?:(?:bearer|basic)[ \t]+)?)(?P<value>[A-Za-z0-9+/_\-.=~]{8,})"
    r"|(?P<bearer>\bbearer[ \t]+)(?P<carried>[A-Za-z0-9+/_\-.=~]{16,})",
    re.IGNORECASE,
)
_IN_ADDRESS = re.compile(r"(://[^\s/:@]{0,100}:)[^\s/@]{1,200}(?=@)")


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


def label(name: str) -> str:
    """A name out of a foreign file, on one line: a file's, a tool's."""
    return one_line(kept(name), 160)


def first_paragraph(text: str) -> str:
    return re.split(r"\n[ \t]*\n", text.strip(), maxsplit=1)[0]


def kept(text: str) -> str:
    """Foreign text as it may be kept and shown: whole characters, plain line ends, no control characters, no keys."""
    text = whole_characters(text).replace("\r\n", "\n").replace("\r", "\n")
    return visible(without_keys(text))


def without_keys(text: str) -> str:
    """The text with whatever looks like a key, a token or a password as ``(hidden)``."""
    return _IN_ADDRESS.sub(rf"\1{HIDDEN}", _NAMED.sub(_hide, _KEYS.sub(HIDDEN, text)))


def _hide(found: re.Match[str]) -> str:
    if found["bearer"]:
        return found["bearer"] + HIDDEN if _random(found["carried"]) else found.group()
    return found["name"] + HIDDEN if _random(found["value"]) else found.group()


def _random(value: str) -> bool:
    """Whether a value is no word: long, or letters and digits mixed."""
    return len(value) >= 32 or (any(c.isdigit() for c in value) and any(c.isalpha() for c in value))


def decoded(raw: bytes) -> str | None:
    """The text of a file, UTF-8 or UTF-16 with its mark; None when it is neither, or binary."""
    encoding = "utf-16" if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        text = raw.decode(encoding)
    except UnicodeDecodeError:
        return None
    return None if "\x00" in text else text
