"""Compaction of what the main agent remembers: the last turns word for word, older ones as a running summary. Flat in size.

The summary is made by rule, not by a model: what the person said, what tools did, how each turn ended, in a line each. It
costs nothing, cannot fail, and the state of the session is told afresh before every step in any case.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from dsbuilder_tui.session import Session

# Characters; about a quarter of that in tokens.
MOST_REMEMBERED = 24_000
_KEPT = 12_000
_MOST_SUMMARY = 4_000
_MOST_LINE = 240
MOST_ITEM = 16_000  # of one message or one answer of a tool

Item = dict[str, Any]


def size_of(items: Sequence[Item]) -> int:
    return sum(len(json.dumps(item, ensure_ascii=False)) for item in items)


def whole_turns(items: Sequence[Item]) -> list[Item]:
    """The items with each answer of a tool right after its call, as endpoints insist on.

    Left out are calls that were never answered and answers nobody asked for: they come about when a process ends, or a
    person presses Esc, between the two. Something is said between a call and its answer while a question waits.
    """
    answers: dict[str, Item] = {}
    for item in items:
        if item.get("type") == "function_call_output":
            answers.setdefault(item["call_id"], item)
    kept: list[Item] = []
    due: list[Item] = []  # the answers of the calls just kept, which may be several in one breath
    for item in items:
        if item.get("type") == "function_call":
            if (answer := answers.pop(item["call_id"], None)) is not None:
                kept.append(item)
                due.append(answer)
            continue
        kept += due
        due = []
        if item.get("type") != "function_call_output":
            kept.append(item)
    return kept + due


def clipped(item: Item) -> Item:
    """An item at most ``MOST_ITEM`` characters long; the middle of a longer text is left out, and said to be."""
    for key in ("content", "output"):
        text = item.get(key)
        if isinstance(text, str) and len(text) > MOST_ITEM:
            half = MOST_ITEM // 2
            item = {**item, key: f"{text[:half]}\n… ({len(text) - MOST_ITEM:,} characters left out) …\n{text[-half:]}"}
    return item


def as_sent(item: Item, number: int) -> Item:
    """An item as the SDK wants it: what the agent said must be a whole message, or a saved run cannot go on from it."""
    if item.get("role") != "assistant" or not isinstance(item.get("content"), str):
        return item
    text = {"type": "output_text", "text": item["content"], "annotations": []}
    return {"type": "message", "id": f"msg_{number}", "role": "assistant", "status": "completed", "content": [text]}


async def compact(session: Session) -> bool:
    """Fold old turns into the running summary when there is more than the agent should carry. Says whether it did."""
    numbered = await session.agent_memory.items()
    if size_of([item for _, item in numbered]) <= MOST_REMEMBERED:
        return False
    cut, room = len(numbered), _KEPT
    for index in range(len(numbered) - 1, -1, -1):
        room -= size_of([numbered[index][1]])
        if room < 0:
            break
        if numbered[index][1].get("role") == "user":
            cut = index  # a turn begins with what the person says
    if cut == 0:
        return False
    old = [item for _, item in numbered[:cut]]
    await session.agent_memory.compact(numbered[cut - 1][0], summarised(session.agent_memory.summary, old))
    return True


def summarised(before: str, items: Sequence[Item]) -> str:
    """The running summary with some more items told in a line each; its oldest lines give way."""
    lines = before.splitlines()
    names = {item["call_id"]: item.get("name", "") for item in items if item.get("type") == "function_call"}
    for item in items:
        line = _line(item, names)
        if line:
            lines.append(line)
    size, kept = 0, list[str]()
    for line in reversed(lines):
        size += len(line) + 1
        if size > _MOST_SUMMARY:
            break
        kept.append(line)
    return "\n".join(reversed(kept))


def _line(item: Item, names: dict[str, str]) -> str:
    if item.get("role") == "user":
        return f"- person: {_clip(item.get('content'))}"
    if item.get("type") == "function_call_output":
        output = str(item.get("output", ""))
        try:
            answer = json.loads(output)
            output = answer.get("said") or answer.get("error") or output
        except (ValueError, AttributeError):
            pass
        return f"- {names.get(item['call_id']) or 'a tool'}: {_clip(output)}"
    if item.get("role") == "assistant":
        content = item.get("content")
        if isinstance(content, list):
            content = " ".join(str(part.get("text") or part.get("refusal") or "") for part in content)
        return f"- you: {_clip(content)}"
    return ""


def _clip(value: object) -> str:
    text = " ".join(str(value or "").split())
    return text if len(text) <= _MOST_LINE else text[: _MOST_LINE - 1] + "…"
