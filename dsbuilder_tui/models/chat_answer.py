"""The pieces of a chat completion, read out of whatever shape a server gives them."""

from __future__ import annotations

from typing import Any

from dsbuilder_tui.domain.case import Usage


def read_usage(value: Any) -> Usage:
    """The tokens of a ``usage`` object; not known when it holds none."""
    try:
        prompt, completion = int(value.get("prompt_tokens") or 0), int(value.get("completion_tokens") or 0)
    except (AttributeError, TypeError, ValueError, OverflowError):
        return Usage()
    try:
        cached = int(value["prompt_tokens_details"]["cached_tokens"])
    except (KeyError, TypeError, ValueError, OverflowError):
        cached = 0
    return Usage(prompt, completion, bool(value), max(0, min(cached, prompt)))


def choices_of(message: Any) -> list[Any]:
    """The choices of a chunk or a completion."""
    choices = message.get("choices") if isinstance(message, dict) else None
    return choices if isinstance(choices, list) else []


def read_choice(choice: Any) -> tuple[str, str, str | None]:
    """Text, refusal and finish reason of one choice."""
    if not isinstance(choice, dict):
        return "", "", None
    delta = choice.get("delta") or choice.get("message")
    reason = choice.get("finish_reason")
    reason = reason if isinstance(reason, str) else None
    if not isinstance(delta, dict):
        return "", "", reason
    refusal = delta.get("refusal")
    return text_of(delta.get("content")), refusal if isinstance(refusal, str) else "", reason


def text_of(content: Any) -> str:
    """The words of a ``content``: a text, or a list of parts, as some servers send them."""
    if isinstance(content, list):
        return "".join(str(part.get("text") or "") for part in content if isinstance(part, dict))
    return content if isinstance(content, str) else ""
