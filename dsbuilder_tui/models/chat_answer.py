"""The pieces of a chat completion, read out of whatever shape a server gives them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from dsbuilder_tui.domain.case import Usage

LENGTH = "length"  # the finish reason of an answer that was cut off at its limit
# Gateways hand on the words of Gemini, Anthropic, Mistral, Cohere, Zhipu and others.
_LENGTH_WORDS = ("length", "max_tokens", "max_output_tokens", "model_length", "token_limit", "max_length")
_FILTER_WORDS = (
    "content_filter",
    "safety",
    "prohibited",
    "recitation",
    "blocklist",
    "sensitive",
    "spii",
    "guardrail",
    "refusal",
)


def read_usage(value: Any) -> Usage:
    """The tokens of a ``usage`` object; not known when it holds none."""
    try:
        prompt, completion = int(value.get("prompt_tokens") or 0), int(value.get("completion_tokens") or 0)
    except (AttributeError, TypeError, ValueError, OverflowError):
        return Usage()
    cached = _detail(value, "prompt_tokens_details", "cached_tokens")
    reasoning = _detail(value, "completion_tokens_details", "reasoning_tokens") or _number(
        value.get("reasoning_tokens")
    )
    return Usage(
        prompt,
        completion,
        known=bool(value),
        cached_tokens=min(cached, prompt),
        reasoning_tokens=min(reasoning, completion),
    )


def _detail(value: Any, group: str, name: str) -> int:
    try:
        return _number(value[group][name])
    except (KeyError, TypeError):
        return 0


def _number(value: Any) -> int:
    try:
        return max(0, int(value))
    except (TypeError, ValueError, OverflowError):
        return 0


def choices_of(message: Any) -> list[Any]:
    """The choices of a chunk or a completion."""
    choices = message.get("choices") if isinstance(message, dict) else None
    return choices if isinstance(choices, list) else []


def read_choice(choice: Any) -> tuple[str, str, str | None]:
    """Text, refusal and finish reason of one choice."""
    if not isinstance(choice, dict):
        return "", "", None
    delta = choice.get("delta") or choice.get("message")
    reason = finish_of(choice)
    if not isinstance(delta, dict):
        return "", "", reason
    refusal = delta.get("refusal")
    return text_of(delta.get("content")), refusal if isinstance(refusal, str) else "", reason


def finish_of(choice: Mapping[str, Any]) -> str | None:
    """The finish reason of one choice in OpenAI's words (``length``, ``content_filter`` …), whoever gave it."""
    reason = choice.get("finish_reason")
    if isinstance(reason, Mapping):
        reason = reason.get("type")
    if not isinstance(reason, str) or not reason:
        return None
    word = reason.lower()
    if word in _LENGTH_WORDS:
        return LENGTH
    return "content_filter" if any(part in word for part in _FILTER_WORDS) else reason


def thoughts_of(choice: Any) -> str:
    """What a model thinks before it answers, where the server keeps it apart, under whatever name."""
    delta = (choice.get("delta") or choice.get("message")) if isinstance(choice, dict) else None
    if not isinstance(delta, dict):
        return ""
    for name in ("reasoning_content", "reasoning", "thinking"):
        value = delta.get(name)
        if value and isinstance(value, str):
            return value
    found = [*_parts(delta.get("content")), *_parts(delta.get("reasoning_details"))]
    return "".join(_thought(part) for part in found if _is_thought(part))


def arguments_of(choice: Any) -> str:
    """What a model says in the arguments of a call: some hand an answer in that way though no tool was offered."""
    delta = (choice.get("delta") or choice.get("message")) if isinstance(choice, dict) else None
    if not isinstance(delta, dict):
        return ""
    calls = delta.get("tool_calls")
    functions = [call.get("function") for call in _parts(calls)] if calls else [delta.get("function_call")]
    found = [function.get("arguments") for function in functions if isinstance(function, dict)]
    return "".join(text if isinstance(text, str) else json.dumps(text) for text in found if text)


def _parts(value: Any) -> list[Any]:
    return [part for part in value if isinstance(part, dict)] if isinstance(value, list) else []


def _is_thought(part: Any) -> bool:
    kind = part.get("type")
    return isinstance(kind, str) and ("thinking" in kind or "reasoning" in kind)


def _thought(part: Any) -> str:
    for name in ("thinking", "text", "summary", "reasoning"):
        value = part.get(name)
        if value:
            return text_of(value)
    return ""


def text_of(content: Any) -> str:
    """The words of a ``content``: a text, or a list of parts, as some servers send them."""
    if isinstance(content, list):
        return "".join(str(part.get("text") or "") for part in _parts(content) if not _is_thought(part))
    return content if isinstance(content, str) else ""
