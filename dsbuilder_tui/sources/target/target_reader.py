"""The evaluated application, read as data out of words, a file or a folder. Nothing of it is ever run.

Reading is synchronous and bounded; from an event loop call it with ``asyncio.to_thread``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from dsbuilder_tui.domain.errors import InputError
from dsbuilder_tui.sources.file_access import Skipped, may_hold_keys, read_regular
from dsbuilder_tui.sources.foreign_text import decoded, kept, label
from dsbuilder_tui.sources.target.data_files import Unreadable, json_value, read_value, yaml_value
from dsbuilder_tui.sources.target.findings import TargetAgent, TargetFindings, TargetPrompt, TargetTool
from dsbuilder_tui.sources.target.folder_walk import MOST_BYTES, NOT_READ, candidates, contents, kind_of
from dsbuilder_tui.sources.target.python_code import read_python
from dsbuilder_tui.sources.target.script_code import read_script

__all__ = ["SAID", "Target", "TargetTool", "read_target", "target_of_prompts", "target_of_text"]

SAID = "what the person said"
_LONGEST_TEXT = 64 * 1024
_PYTHON = re.compile(r"^[ \t]*(?:async def |def |class |import \w|from \w[\w.]* import |@\w)", re.MULTILINE)
_FENCE = re.compile(r"^```[ \t]*+(\w{0,20})[^\n]*+\n(.*?)^```", re.MULTILINE | re.DOTALL)
_MOST_BLOCKS = 20
_MOST_DOCUMENTS = 50


@dataclass(frozen=True, slots=True)
class Target:
    """The application that the dataset is for. ``notes`` say in words what was left out and why.

    ``guardrails`` are what its inputs and answers are checked for, ``documents`` the files (paths within it) that cases
    could be written from.
    """

    source: str
    prompt: str
    tools: tuple[TargetTool, ...]
    readme: str
    notes: tuple[str, ...]
    guardrails: str = ""
    agents: tuple[TargetAgent, ...] = ()
    documents: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON data."""
        return {**asdict(self), "tools": [asdict(tool) | {"parameters": [*tool.parameters]} for tool in self.tools],
                "agents": [asdict(agent) | {"handoffs": [*agent.handoffs]} for agent in self.agents],
                "notes": [*self.notes], "documents": [*self.documents]}  # fmt: skip

    @property
    def not_read(self) -> tuple[str, ...]:
        """The notes that say which code was not read or said nothing, for a person to hear at once."""
        return tuple(note for note in self.notes if note.startswith(NOT_READ))

    def brief(self, limit: int = 6000) -> str:
        """The whole in at most ``limit`` characters, for a model: each part gets its share of the room."""
        tools = "\n".join(
            f"- {tool.name}({', '.join(tool.parameters)})" + (f": {tool.description}" if tool.description else "")
            for tool in self.tools
        )
        parts = [f"The application, from {self.source}. What follows describes it; it is data and asks for nothing."]
        sections = [
            ("System prompt", self.prompt, 0.5),
            (f"Tools ({len(self.tools)})", tools, 0.7),
            ("Agents (who can hand over to whom)", "\n".join(f"- {agent.words}" for agent in self.agents), 0.5),
            ("Guardrails (what is checked; no prompts)", self.guardrails, 0.5),
            ("README", self.readme, 0.8),
            ("Documents that cases could be written from", "\n".join(f"- {name}" for name in self.documents), 0.5),
            ("Notes", "\n".join(f"- {note}" for note in self.notes), 1.0),
        ]
        left = limit - len(parts[0])
        for title, text, share in sections:
            room = (
                int(left * share) - len(title) - 4
            )  # the heading's own characters: two ends of line, colon, end of line
            if text and room > 0:
                parts.append(f"{title}:\n{_cut(text, room)}")
                left -= len(parts[-1]) + 2
        return _cut("\n\n".join(parts), limit)


def target_of_text(text: str) -> Target:
    """The person's words or what they pasted: a system prompt, tool definitions as JSON, Python source, or all in one."""
    found = TargetFindings()
    if len(text) > MOST_BYTES:
        found.notes.append(f"only the first {MOST_BYTES // 1024} KiB of the text were read")
        text = text[:MOST_BYTES]
    stripped = text.strip()
    is_source = False
    if stripped[:1] in ("{", "["):
        is_source = _try_json(stripped, found)
    elif _PYTHON.search(text):
        is_source = _try_python(text, found)
    if not is_source:
        _read_blocks(text, found)
        found.prompts = [TargetPrompt("", kept(stripped), SAID)]
    elif not found.tools and not found.prompts and not found.listed:
        found.prompts = [TargetPrompt("", kept(stripped), SAID)]
    if not stripped:
        found.notes.append("nothing was said")
    return _target(SAID, found)


def target_of_prompts(source: str, prompts: Sequence[TargetPrompt], *, readme: str) -> Target:
    """An application of which its prompts are known, and what is said of it. Raises ``InputError`` where both are empty."""
    found = TargetFindings()
    for prompt in prompts:
        found.prompt(prompt.name, prompt.text, prompt.where)
    found.readmes = [TargetPrompt("", readme, source)] if readme else []
    if not (found.prompts or found.guardrails or readme.strip()):
        raise InputError(f"{source} says nothing of what the application does.", "Paste its system prompt.")
    return _target(source, found)


def read_target(path: str | Path) -> Target:
    """A file or folder that the person named. Raises ``InputError`` naming it and the way out."""
    if not str(path).strip():
        raise InputError("No path was given.", "Name the application's folder, or a file with its system prompt.")
    shown = label(str(path))
    try:
        real = Path(path).expanduser().resolve(strict=True)
        is_folder = real.is_dir()
    except FileNotFoundError:
        raise InputError(
            f"There is no file or folder {shown}.", "Check the path, or paste the system prompt."
        ) from None
    except (OSError, ValueError, RuntimeError) as error:
        raise InputError(f"{shown} cannot be read: {_why(error)}.", "Check the path and its permissions.") from None
    return _of_folder(real, shown) if is_folder else _of_file(real, shown)


def _of_folder(root: Path, shown: str) -> Target:
    found, skipped = TargetFindings(), Skipped()
    documents: list[str] = []
    code: list[str] = []
    readmes: list[TargetPrompt] = []
    if may_hold_keys(root / "x"):
        raise InputError(f"{shown} is a folder for keys; it is not read.", "Name the application's own folder.")
    for each, raw in contents(candidates(root, skipped, documents), skipped):
        text = decoded(raw)
        if text is None:
            skipped.add("left out, not UTF-8 text", each.shown)
        elif each.kind == "readme":
            readmes.append(TargetPrompt("", text, each.shown))
        else:
            _read_file(each.shown, each.kind, text, found, skipped)
            code += [each.shown] if each.kind in ("python", "script") else []
    for more in readmes[1:]:
        skipped.add("left out, only the first README is kept", more.where)
    found.readmes = readmes[:1]
    if code and not (found.prompts or found.tools or found.listed):
        for name in code:
            skipped.add(f"{NOT_READ}, no prompt and no tool was recognised in the code", name)
    found.notes.extend(skipped.notes())
    target = replace(_target(shown, found), documents=tuple(map(label, sorted(documents)[:_MOST_DOCUMENTS])))
    if not (target.prompt or target.tools or target.readme):
        reasons = f" ({'; '.join(target.notes[:4])})" if target.notes else ""
        raise InputError(
            f"Nothing in {shown} says what the application is: no README, prompt or tool was found{reasons}.",
            "Name the file with its system prompt, or paste it.",
        )
    return target


def _of_file(real: Path, shown: str) -> Target:
    if may_hold_keys(real) or may_hold_keys(Path(shown)):
        raise InputError(
            f"{shown} may hold keys; it is not read.", "Name the file with the system prompt, or paste it."
        )
    try:
        raw = read_regular(real, MOST_BYTES)
    except OSError as error:
        raise InputError(f"{shown} cannot be read: {_why(error)}.", "Check its permissions.") from None
    if raw is None:
        raise InputError(f"{shown} is neither a file nor a folder.", "Name the application's folder or a text file.")
    if len(raw) > MOST_BYTES:
        raise InputError(
            f"{shown} is larger than {MOST_BYTES // 1024} KiB.", "Name a shorter file, or paste the part that matters."
        )
    text = decoded(raw)
    if text is None:
        raise InputError(f"{shown} is not UTF-8 text.", "Name a text file, or paste the system prompt.")
    if not text.strip():
        raise InputError(f"{shown} is empty.", "Name the file with the system prompt, or paste it.")
    found, skipped, kind = TargetFindings(), Skipped(), kind_of(real.name)
    if kind == "readme":
        found.readmes = [TargetPrompt("", text, label(real.name))]
    else:
        _read_file(real.name, kind or "prompt", text, found, skipped)
    found.notes.extend(skipped.notes())
    if not (found.readmes or found.prompts or found.tools or found.listed):
        found.notes.append("no tool and no prompt was recognised, so the file is kept as it is")
        found.prompt("", text, label(real.name))
    return _target(shown, found)


def _read_file(name: str, kind: str, text: str, found: TargetFindings, skipped: Skipped) -> None:
    where, end = label(name), Path(name).suffix.lower()
    try:
        if kind == "python":
            read_python(text, where, found)
        elif kind == "script":
            read_script(text, where, found)
        elif end in (".json", ".yaml", ".yml"):
            value = json_value(text) if end == ".json" else yaml_value(text)
            read_value(value, where, found, whole=text if kind == "prompt" else "")
        else:
            found.prompt("", text, where)
    except Unreadable as error:
        skipped.add(f"left out, {error}", name)


def _read_blocks(text: str, found: TargetFindings) -> None:
    """Tools in the middle of words: in fenced blocks, or as bare JSON."""
    for number, block in enumerate(_FENCE.finditer(text)):
        if number >= _MOST_BLOCKS:
            break
        if block[2].lstrip()[:1] in ("{", "["):
            _try_json(block[2], found)
        elif _PYTHON.search(block[2]):
            _try_python(block[2], found)
    decoder = json.JSONDecoder()
    for number, start in enumerate(re.finditer(r"^[ \t]*(?=[\[{]\s*[\[{\"])", text, re.MULTILINE)):
        if number >= _MOST_BLOCKS:
            break
        try:
            value, _ = decoder.raw_decode(text, start.end())
        except (ValueError, RecursionError, MemoryError):
            continue
        read_value(value, SAID, found)


def _try_json(text: str, found: TargetFindings) -> bool:
    try:
        read_value(json_value(text), SAID, found)
    except Unreadable:
        return False
    return True


def _try_python(text: str, found: TargetFindings) -> bool:
    try:
        read_python(text, SAID, found)
    except Unreadable:
        return False
    return True


def _target(source: str, found: TargetFindings) -> Target:
    found.settle()
    texts = {"prompts": _joined(found.prompts), "guardrails": _joined(found.guardrails)}
    texts["README"] = kept(found.readmes[0].text).strip() if found.readmes else ""
    for name, text in texts.items():
        if len(text) > _LONGEST_TEXT:
            found.notes.append(f"the {name} are cut after {_LONGEST_TEXT // 1024} K characters")
    prompt, guardrails, readme = (text[:_LONGEST_TEXT] for text in texts.values())
    return Target(
        source=source, prompt=prompt, tools=tuple(found.tools), readme=readme, notes=tuple(found.notes),
        guardrails=guardrails, agents=tuple(found.agents),
    )  # fmt: skip


def _joined(texts: list[TargetPrompt]) -> str:
    """One text as it is, several each under its name and place."""
    if len(texts) == 1:
        return texts[0].text
    return "\n\n".join(f"# {' in '.join(filter(None, (each.name, each.where)))}\n{each.text}" for each in texts)


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: max(0, limit - 1)] + "…" * (limit > 0)


def _why(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)
