"""The user's words, out of the inputs of a trace's root span, in whatever shape the application or a tracer has put them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from dsbuilder_tui.domain.conversation import Speaker

_LONGEST = 20_000  # characters of what a user says at once
_DEEPEST = 6
_ROLES = {
    **dict.fromkeys(("user", "human", "customer", "client"), Speaker.USER),
    **dict.fromkeys(("assistant", "ai", "bot", "model", "agent", "aimessage"), Speaker.ASSISTANT),
    **dict.fromkeys(("system", "developer"), Speaker.SYSTEM),
    "humanmessage": Speaker.USER, "systemmessage": Speaker.SYSTEM, "aimessagechunk": Speaker.ASSISTANT,
}  # fmt: skip
# Where chats lie, then where a question does, then what merely wraps the inputs.
_CHATS = ("messages", "conversation", "contents", "history", "chat_history")
_QUESTIONS = (
    "question", "query", "user_query", "user_input", "user_message", "user_prompt", "prompt", "message", "utterance", "text",
    "query_str", "str_or_query_bundle", "task", "request_text", "content", "q",
)  # fmt: skip
_WRAPPERS = (
    "input", "inputs", "request", "kwargs", "args", "model_input", "data", "body", "payload", "state", "input_data", "params",
    "json", "value",
)  # fmt: skip
_TEXT_PARTS = ("text", "input_text", "output_text")


class TraceProblem(StrEnum):
    """Why a trace gives no input, in words."""

    NO_SPANS = "its spans cannot be read"
    NOT_ENDED = "it has no root span"
    NO_INPUTS = "its root span has no inputs"
    NO_USER_TURN = "no message in it is a user's"
    UNKNOWN_FIELDS = "none of its fields is known for what a user says"
    NO_TEXT = "there is no text in its inputs"
    TOO_LONG = "its input is longer than 20,000 characters"


class NotUnderstood(Exception):
    """A trace that gives no input."""

    def __init__(self, problem: TraceProblem, fields: Sequence[str] = ()) -> None:
        super().__init__(problem.value)
        self.problem, self.fields = problem, tuple(fields)


@dataclass(frozen=True, slots=True)
class UserInput:
    """``text`` is the user's last turn; ``history`` what was said before it in the same inputs, without the system's words;
    ``field`` the application's own parameter that held it, where there was one."""

    text: str
    history: tuple[dict[str, str], ...] = ()
    field: str = ""


def user_input(inputs: Any) -> UserInput:
    """The user's input. Raises ``NotUnderstood`` saying why there is none."""
    found = _find(inputs, 0, "")
    if found is None:
        empty = inputs in (None, "", [], {})
        fields = [str(name) for name in inputs] if isinstance(inputs, Mapping) else []
        raise NotUnderstood(
            TraceProblem.NO_INPUTS if empty else TraceProblem.UNKNOWN_FIELDS if fields else TraceProblem.NO_TEXT, fields
        )
    if len(found.text) > _LONGEST:
        raise NotUnderstood(TraceProblem.TOO_LONG)
    return found


def answer_text(outputs: Any) -> str:
    """What the application answered, as text; empty where there is none to tell."""
    return _answer(outputs, 0)[:_LONGEST]


def _find(value: Any, depth: int, field: str) -> UserInput | None:
    if depth > _DEEPEST:
        return None
    if isinstance(value, str):
        return _of_text(value, depth, field)
    if isinstance(value, list | tuple):
        return _of_list(value, depth, field)
    if not isinstance(value, Mapping):
        return None
    if (message := _message(value)) is not None:
        return _of_turns([message], field)
    for name in _CHATS:
        history = value.get(name)
        if isinstance(history, list | tuple | Mapping) and history and (turns := list(_turns(history))):
            # A history beside the new question: the question is the last turn.
            asked = _first(value, (*_QUESTIONS, "input"), depth) if name not in ("messages", "contents") else None
            if asked is None:
                return _of_turns(turns, name if name == "messages" else field)
            return UserInput(asked.text, _said(turns), asked.field)
    if (found := _first(value, _QUESTIONS, depth)) is not None:
        return found
    if (found := _first(value, _WRAPPERS, depth)) is not None:
        return found
    texts = [(name, inner) for name, inner in value.items() if isinstance(inner, str) and inner.strip()]
    if len(value) == 1 or len(texts) == 1:
        name, inner = texts[0] if texts else next(iter(value.items()))
        return _find(inner, depth + 1, str(name))
    return None


def _first(value: Mapping[str, Any], names: Sequence[str], depth: int) -> UserInput | None:
    lowered = {str(name).casefold(): name for name in value}
    for name in names:
        if name in lowered and value[lowered[name]] not in (None, "", [], {}):
            found = _find(value[lowered[name]], depth + 1, str(lowered[name]))
            if found is not None:
                return found
    return None


def _of_text(value: str, depth: int, field: str) -> UserInput | None:
    text = value.strip()
    if text[:1] in ("{", "[") and len(text) <= 10 * _LONGEST:
        try:
            parsed = json.loads(text)
        except (ValueError, RecursionError):
            parsed = None
        if isinstance(parsed, dict | list) and (found := _find(parsed, depth + 1, field)) is not None:
            return found
    return UserInput(text, field=field) if text else None


def _of_list(value: Sequence[Any], depth: int, field: str) -> UserInput | None:
    if not value:
        return None
    if turns := list(_turns(value)):
        return _of_turns(turns, field)
    if len(value) == 1:  # a batch of one, as chains and models of a registry have it
        return _find(value[0], depth + 1, field)
    return None


def _of_turns(turns: list[tuple[Speaker | None, str]], field: str) -> UserInput:
    """Raises ``NotUnderstood`` where no user says anything."""
    last = next((n for n in range(len(turns) - 1, -1, -1) if turns[n][0] is Speaker.USER and turns[n][1]), None)
    if last is None:
        raise NotUnderstood(TraceProblem.NO_USER_TURN)
    return UserInput(turns[last][1], _said(turns[:last]), field)


def _said(turns: Sequence[tuple[Speaker | None, str]]) -> tuple[dict[str, str], ...]:
    """The turns of the user and the assistant that say something."""
    known = (Speaker.USER, Speaker.ASSISTANT)
    return tuple({"role": speaker.value, "content": text} for speaker, text in turns if speaker in known and text)


def _turns(value: Any) -> Iterator[tuple[Speaker | None, str]]:
    """The messages of a chat in order; nothing where it is none."""
    found: list[tuple[Speaker | None, str]] = []
    items = [value] if isinstance(value, Mapping) else list(value)
    if len(items) == 1 and isinstance(items[0], list | tuple) and not _is_pair(items[0]):  # chat models get batches
        items = list(items[0])
    for item in items:
        message = _message(item)
        if message is not None:
            found.append(message)
        elif not (
            isinstance(item, Mapping) and ("type" in item or "role" in item)
        ):  # tool calls and the like say nothing
            return
    yield from found


def _message(item: Any) -> tuple[Speaker | None, str] | None:
    if _is_pair(item):
        return _ROLES[item[0].casefold()], str(item[1]).strip()
    if not isinstance(item, Mapping):
        return None
    kwargs = item.get("kwargs")
    if (
        isinstance(kwargs, Mapping) and isinstance(item.get("id"), list) and item["id"]
    ):  # a message as LangChain dumps it
        role, item = str(item["id"][-1]), kwargs
    else:
        role = str(item.get("role") or item.get("from") or item.get("type") or "")
    said = next((item[key] for key in ("content", "parts", "value", "text") if item.get(key) is not None), None)
    if not role or said is None:
        return None
    return _ROLES.get(role.casefold()), _content(said).strip()


def _is_pair(item: Any) -> bool:
    """("user", "Hello"), as graphs take them."""
    return (
        isinstance(item, list | tuple) and len(item) == 2 and all(isinstance(part, str) for part in item)
        and item[0].casefold() in _ROLES
    )  # fmt: skip


def _content(said: Any) -> str:
    """The text of a message's content, which may come in parts; pictures and the like are left out."""
    if isinstance(said, str):
        return said
    if isinstance(said, Mapping):
        return _content(said.get("text", "")) if said.get("type", "text") in _TEXT_PARTS else ""
    if isinstance(said, list | tuple):
        return "\n".join(text for part in said if (text := _content(part)))
    return ""


def _answer(value: Any, depth: int) -> str:
    if isinstance(value, str):
        return value.strip()
    if depth > _DEEPEST:
        return ""
    if isinstance(value, list | tuple):
        if not value:
            return ""
        spoken = [text for speaker, text in _turns(value) if speaker is Speaker.ASSISTANT and text]
        return spoken[-1] if spoken else _answer(value[-1], depth + 1)
    if not isinstance(value, Mapping):
        return ""
    if (message := _message(value)) is not None:
        return message[1]
    for name in (
        "choices",
        "message",
        "messages",
        "output",
        "answer",
        "response",
        "content",
        "result",
        "text",
        "generations",
    ):
        if name in value and (found := _answer(value[name], depth + 1)):
            return found
    texts = [inner for inner in value.values() if isinstance(inner, str)]
    return texts[0].strip() if len(texts) == 1 else ""
