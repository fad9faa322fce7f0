"""Messages of a conversation: who said what, the last of them the user's, which the application is to answer."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

MESSAGES = "messages"
TURNS = "turns"  # the axis of conversation lengths: messages of both sides together
_USUAL_LENGTHS = ("3", "5")
_MOST_MESSAGES = 50
_LENGTH = re.compile(r"(\d{1,3})(?:\s*(?:-|–|to)\s*(\d{1,3}))?")


class Speaker(StrEnum):
    """Who says a message, as chat endpoints have it."""

    USER = "user"
    ASSISTANT = "assistant"
    SYSTEM = "system"


_SPEAKERS = {
    **{speaker.value: speaker for speaker in Speaker},
    **dict.fromkeys(("human", "customer", "client"), Speaker.USER),
    **dict.fromkeys(("ai", "bot", "chatbot", "model", "agent"), Speaker.ASSISTANT),
}


@dataclass(frozen=True, slots=True)
class Turn:
    """One message. ``speaker`` is None for a role that we do not know."""

    speaker: Speaker | None
    text: str


def turns_of(value: object) -> list[Turn]:
    """A stored list of messages as turns; empty for anything else."""
    if not isinstance(value, list) or not value:
        return []
    found = []
    for message in value:
        if not isinstance(message, Mapping) or "content" not in message or "role" not in message:
            return []
        content = message["content"]
        found.append(Turn(_SPEAKERS.get(str(message["role"])), content if isinstance(content, str) else str(content)))
    return found


def user_turns(value: object) -> list[str]:
    """What the user says in a list of messages, in order."""
    return [turn.text for turn in turns_of(value) if turn.speaker is Speaker.USER]


def lengths_in(value: str) -> range | None:
    """How many messages a value of the axis ``turns`` allows: ``5``, or ``3-5``; None when it says no number."""
    found = _LENGTH.fullmatch(value.strip())
    if found is None:
        return None
    first = int(found[1])
    return range(first, int(found[2] or first) + 1)


def usual_lengths(examples: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """The lengths of conversations where a plan names none: those of its examples that have a history, or 3 and 5."""
    lengths = {sum(turn.speaker is not Speaker.SYSTEM for turn in turns_of(one.get(MESSAGES))) for one in examples}
    return tuple(str(length) for length in sorted(lengths) if length > 1) or _USUAL_LENGTHS


def checked_lengths(values: Sequence[str]) -> None:
    """Raises ``ValueError`` for values of the axis ``turns`` that are no lengths of conversations."""
    for value in values:
        lengths = lengths_in(value)
        if not lengths or lengths.start < 1 or lengths.stop - 1 > _MOST_MESSAGES:
            raise ValueError(
                f"{TURNS}: {value!r} is no length of a conversation; write how many messages it has with the user's last, "
                f"1 to {_MOST_MESSAGES}, such as 3, 5 or 3-5"
            )


def checked_messages(value: object, *, with_system: bool = False) -> list[dict[str, str]]:
    """Messages in the one shape that chat endpoints take, ``{"role", "content"}``; other names of the same are mended.

    ``with_system`` lets the first be the system's. Raises ``ValueError`` saying what is wrong.
    """
    if not isinstance(value, list | tuple):
        raise ValueError('is no list of messages; write [{"role": "user", "content": …}, …]')
    if not value:
        raise ValueError("is empty; write the history and the user's last message")
    if len(value) > _MOST_MESSAGES:
        raise ValueError(f"has {len(value)} messages; at most {_MOST_MESSAGES} can be kept")
    messages = [_message(number, message) for number, message in enumerate(value, 1)]
    for number, (speaker, _) in enumerate(messages, 1):
        if speaker is Speaker.SYSTEM and (number > 1 or not with_system):
            raise ValueError(f"message {number} is the system's; write what user and assistant say alone")
    if messages[-1][0] is not Speaker.USER:
        raise ValueError("ends with the assistant; the last message must be the user's, for the application to answer")
    return [{"role": speaker.value, "content": text} for speaker, text in messages]


def _message(number: int, given: object) -> tuple[Speaker, str]:
    if not isinstance(given, Mapping):
        raise ValueError(f'message {number} is no object; write {{"role": "user", "content": …}}')
    role = next((given[key] for key in ("role", "from", "speaker") if given.get(key)), None)
    if role is None:
        raise ValueError(f"message {number} has no role; write user or assistant")
    speaker = _SPEAKERS.get(str(role).strip().casefold())
    if speaker is None:
        raise ValueError(f"the role {str(role)[:40]!r} of message {number} is unknown; write user or assistant")
    content = next((given[key] for key in ("content", "text", "value", "message") if given.get(key) is not None), None)
    text = "\n".join(_parts(number, content)).strip()
    if not text:
        raise ValueError(f"message {number} is empty; write what the {speaker.value} says")
    return speaker, text


def _parts(number: int, content: object) -> list[str]:
    """The texts of a content, which may come in parts."""
    if content is None or isinstance(content, str):
        return [content or ""]
    if isinstance(content, list):
        return [text for part in content for text in _parts(number, part)]
    if isinstance(content, Mapping) and isinstance(text := content.get("text"), str):
        return [text]
    raise ValueError(f"message {number} holds something that is no text; write its content as a text")
