"""Extras of earlier answers, besides words and calls, for providers that want them back in later requests.

Signatures stand at a call (Gemini), thoughts at the message that calls (DeepSeek). Both are known by the ids of the calls.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

EXTRAS = "extras"  # the field of a remembered call that holds them
_MOST = 16_000  # characters that are kept of one answer
_NOT_KEPT = "(not kept)"
# Gemini's own word for a call that another model has made.
_NO_SIGNATURE = {"google": {"thought_signature": "skip_thought_signature_validator"}}


class EarlierThoughts:
    """The extras of one conversation with one model."""

    def __init__(self, model: str) -> None:
        self._model = model
        self._calls: dict[str, dict[str, Any]] = {}
        self._messages: dict[str, dict[str, Any]] = {}

    def learn(self, call_id: str, call: Mapping[str, Any], message: Mapping[str, Any]) -> None:
        """Take in what came with a call, and with the message that it stood in."""
        if call:
            self._calls[call_id] = dict(call)
        if message:
            self._messages[call_id] = dict(message)

    def extras(self, call_id: str) -> dict[str, Any]:
        """What is to be remembered with a call; empty when there is nothing."""
        call, message = self._calls.get(call_id), self._messages.get(call_id)
        kept = {"call": call or {}, "message": message or {}}
        if not (call or message):
            return {}
        if len(json.dumps(kept)) > _MOST:
            kept["message"] = {}
        return {"model": self._model, **kept}

    def recall(self, items: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Take in what was remembered of this model's calls. Returns the items without it."""
        plain = []
        for item in items:
            extras = item.get(EXTRAS)
            if isinstance(extras, dict) and extras.get("model") == self._model:
                self.learn(str(item.get("call_id")), extras.get("call") or {}, extras.get("message") or {})
            plain.append({name: value for name, value in item.items() if name != EXTRAS})
        return plain

    def added_to(
        self, messages: Sequence[Mapping[str, Any]], *, thoughts: bool, signatures: bool
    ) -> list[Mapping[str, Any]]:
        """The messages with what came with their calls.

        ``thoughts`` too where they are wanted, and ``signatures`` for calls that have none, where those are insisted on.
        """
        made: list[Mapping[str, Any]] = []
        for message in messages:
            calls = message.get("tool_calls")
            if not calls:
                made.append(message)
                continue
            missing = {"extra_content": _NO_SIGNATURE} if signatures else {}
            full = {**message, "tool_calls": [{**call, **(self._calls.get(call["id"]) or missing)} for call in calls]}
            if thoughts:
                known = (self._messages[call["id"]] for call in calls if call["id"] in self._messages)
                full |= next(known, {"reasoning_content": _NOT_KEPT})
            made.append(full)
        return made
