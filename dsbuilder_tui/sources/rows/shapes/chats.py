"""Chats: ShareGPT's ``conversations`` and OpenAI's ``messages``. The assistant's last word is what is expected."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dsbuilder_tui.sources.rows.expected import as_expectations, expected_field
from dsbuilder_tui.sources.rows.row_parts import Parts, is_chat, is_user_turn, parts_of, turn_text
from dsbuilder_tui.sources.rows.row_shape import RowShape
from dsbuilder_tui.store.imports.json_values import Unusable

_NAMES = {"human": "user", "gpt": "assistant", "chatgpt": "assistant", "bard": "assistant", "bing": "assistant"}


def chat_inputs(turns: list[Mapping[str, Any]]) -> dict[str, Any]:
    """The inputs of a chat: its text when a user says one thing, else the messages."""
    if len(turns) == 1 and is_user_turn(turns[0]) and isinstance(turns[0].get("content"), str):
        return {"input": turns[0]["content"]}
    return {"messages": [dict(turn) for turn in turns]}


def as_messages(turns: list[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """ShareGPT's turns as messages; what are messages already stay as they are."""
    found: list[Mapping[str, Any]] = []
    for turn in turns:
        if "role" in turn:
            found.append(turn)
        else:
            name = str(turn.get("from", turn.get("type", ""))).casefold()
            found.append({"role": _NAMES.get(name, name), "content": turn_text(turn)})
    return found


def chat_parts(record: Mapping[str, Any], name: str) -> Parts:
    """The parts of a record whose field ``name`` is a chat."""
    if not is_chat(record.get(name)):
        raise Unusable(f"no field {name}")
    turns = as_messages(record[name])
    last = turns[-1]
    expected: dict[str, Any] = {}
    stated = expected_field(record)
    if stated is not None:
        expected = as_expectations(stated, record[stated])
    elif len(turns) > 1 and last.get("role") in ("assistant", "model"):
        if last.get("tool_calls"):
            expected = {"expected_tool_calls": last["tool_calls"]}
        else:
            expected = as_expectations("answer", turn_text(last))
        turns = turns[:-1]
    return parts_of(record, chat_inputs(turns), expected, [name, *([stated] if stated else [])])


SHAREGPT = RowShape(
    label="conversations of ShareGPT",
    recognises=lambda record: is_chat(record.get("conversations")),
    parts=lambda record: chat_parts(record, "conversations"),
)
MESSAGES = RowShape(
    label="chats of messages",
    recognises=lambda record: is_chat(record.get("messages")),
    parts=lambda record: chat_parts(record, "messages"),
)
