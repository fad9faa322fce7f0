"""One answer of the main agent's model as it comes in: without secrets, its calls told apart, its thoughts kept apart."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Mapping
from typing import Any
from uuid import uuid4

from dsbuilder_tui.models.agent_words import AgentWords, Piece
from dsbuilder_tui.models.chat_answer import finish_of, text_of, thoughts_of
from dsbuilder_tui.models.earlier_thoughts import EarlierThoughts
from dsbuilder_tui.models.redaction import StreamRedactor, hide

CUT_CALL = " …(cut off)"  # ends the arguments of a call that was not written to its end; no JSON ends like this
_CUT = ("length", "content_filter")
_THOUGHTS = ("reasoning_content", "reasoning", "thinking", "reasoning_details", "thinking_blocks")
_OF_A_CALL = ("index", "id", "type", "function")


class AgentAnswer:
    """Reads one answer. ``finish`` is how it ended; ``unread`` that it held a call, written out, that cannot be read."""

    def __init__(
        self, forms: tuple[str, ...], names: Collection[str], earlier: EarlierThoughts, *, opened: bool = False
    ) -> None:
        """``forms`` are the secrets, ``names`` the tools that may be called; ``earlier`` learns what comes with calls.

        ``opened`` when the model's template opens its thoughts.
        """
        self.finish = ""
        self.unread = False
        self._forms, self._earlier = forms, earlier
        self._words = AgentWords(names, opened=opened)
        self._held: defaultdict[str | int, StreamRedactor] = defaultdict(lambda: StreamRedactor(forms))
        self._ids: dict[int, str] = {}
        self._given: dict[int, str] = {}  # by index: the id that the server gave
        self._texts: dict[int, str] = {}  # and the arguments so far
        self._names: dict[int, str] = {}
        self._latest: dict[Any, int] = {}  # by the server's index: the call that its pieces belong to
        self._extras: dict[int, dict[str, Any]] = {}
        self._thoughts: dict[str, Any] = {}  # of the message, as they came

    def take(self, choice: Mapping[str, Any]) -> dict[str, Any]:
        """A choice of a chunk, or of a whole completion, as the SDK reads it."""
        given = choice.get("delta") or choice.get("message")
        given = given if isinstance(given, dict) else {}
        delta: dict[str, Any] = {"role": given["role"]} if isinstance(given.get("role"), str) else {}
        self._keep_thoughts(given)
        thoughts = thoughts_of(choice)
        if said := text_of(given.get("content")):
            piece = self._words.feed(self._held["content"].take(said))
            delta["content"], thoughts = piece.words, thoughts + piece.thoughts
        if thoughts:
            delta["reasoning_content"] = self._held["reasoning_content"].take(thoughts)
        if isinstance(refusal := given.get("refusal"), str):
            delta["refusal"] = self._held["refusal"].take(refusal)
        calls = given.get("tool_calls")
        if not calls and isinstance(given.get("function_call"), dict):
            calls = [{"index": 0, "function": given["function_call"]}]
        if isinstance(calls, list) and calls:
            delta["tool_calls"] = [self._call(call) for call in calls if isinstance(call, dict)]
        finish = finish_of(choice)
        if finish is not None:
            self.finish = finish
            self._let_go(delta)
            if self._ids and finish in _CUT:
                # Half of its arguments may be JSON by accident; nothing at all counts as no arguments.
                _add_arguments(delta, max(self._ids), CUT_CALL)
        return {"index": 0, "delta": delta, "finish_reason": finish}

    @property
    def thought(self) -> bool:
        """Whether thoughts stood in front of the words."""
        return self._words.thought

    @property
    def calls(self) -> int:
        """How many calls have begun."""
        return len(self._ids)

    def rest(self) -> dict[str, Any]:
        """A delta of what still waits; empty when nothing does."""
        delta: dict[str, Any] = {}
        self._let_go(delta)
        thoughts = {
            name: hide(value, self._forms) if isinstance(value, str) else value
            for name, value in self._thoughts.items()
        }
        for index, call_id in self._ids.items():
            self._earlier.learn(call_id, self._extras.get(index, {}), thoughts)
        return delta

    def _call(self, given: Mapping[str, Any]) -> dict[str, Any]:
        call, function = dict(given), given.get("function")
        function = dict(function) if isinstance(function, dict) else {}
        name, arguments = function.get("name"), function.get("arguments") or ""
        name = name if isinstance(name, str) and name else None
        # Some servers send the object itself.
        text = arguments if isinstance(arguments, str) else json.dumps(arguments)
        index = self._place(call.get("index"), call.get("id") or None, name)
        self._texts[index] = self._texts.get(index, "") + text
        if more := {key: value for key, value in call.items() if key not in _OF_A_CALL and value}:
            self._extras.setdefault(index, {}).update(more)
        taken: dict[str, Any] = {"index": index, "type": "function"}
        if index not in self._ids or call.get("id") is not None:
            # Some servers begin every answer with call_0, or leave the id out; what a call did is remembered by it.
            taken["id"] = self._ids.setdefault(index, f"call_{uuid4().hex[:24]}")
        redactor = self._held[index]
        if function:
            begins = name is not None and index not in self._names
            if begins and name is not None:
                self._names[index] = name
            taken["function"] = {
                "name": redactor.hide(name) if begins and name is not None else None,
                "arguments": redactor.take(text),
            }
        return taken

    def _place(self, index: Any, call_id: str | None, name: str | None) -> int:
        """Which call a piece belongs to. The server's index is not enough: some give 0 to all of them, or none at all."""
        key = index if isinstance(index, int) else None
        current = self._latest.get(key)
        if current is None and key is None and name is None and self._ids:
            current = max(self._ids)
        if current is None:
            begins = True
        elif call_id is not None and self._given.get(current) is not None:
            begins = name is not None and call_id != self._given[current]
        elif name is not None and key is None and call_id is None:
            begins = name != self._names.get(current) or bool(self._texts.get(current))
        else:
            begins = name is not None and _is_whole(self._texts.get(current, ""))
        place = len(self._latest_places()) if begins or current is None else current
        self._latest[key] = place
        if call_id is not None:
            self._given.setdefault(place, call_id)
        return place

    def _latest_places(self) -> set[int]:
        return {*self._ids, *self._latest.values()}

    def _keep_thoughts(self, given: Mapping[str, Any]) -> None:
        for name in _THOUGHTS:
            value = given.get(name)
            if isinstance(value, str | list) and value:
                before = self._thoughts.get(name)
                self._thoughts[name] = before + value if type(before) is type(value) else value  # type: ignore[operator]

    def _let_go(self, delta: dict[str, Any]) -> None:
        """Add what waited to a delta."""
        waited = {name: redactor.rest() for name, redactor in self._held.items()}
        before = self._words.feed(waited.pop("content", ""))
        last = self._words.finish(cut=self.finish in _CUT)
        self.unread = self.unread or last.unread
        thoughts = before.thoughts + last.thoughts
        for name, text in (
            ("content", before.words + last.words),
            ("reasoning_content", waited.pop("reasoning_content", "") + thoughts),
            ("refusal", waited.pop("refusal", "")),
        ):
            if text:
                delta[name] = (delta.get(name) or "") + text
        for index, text in waited.items():
            if text and isinstance(index, int):
                _add_arguments(delta, index, text)
        self._add_written(delta, last)

    def _add_written(self, delta: dict[str, Any], piece: Piece) -> None:
        for name, arguments in piece.calls:
            index = len(self._latest_places())
            self._latest[f"written {index}"] = index
            self._ids[index] = f"call_{uuid4().hex[:24]}"
            function = {"name": name, "arguments": json.dumps(arguments, ensure_ascii=False)}
            call = {"index": index, "id": self._ids[index], "type": "function", "function": function}
            delta.setdefault("tool_calls", []).append(call)


def _is_whole(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        return False


def _add_arguments(delta: dict[str, Any], index: int, text: str) -> None:
    delta.setdefault("tool_calls", []).append({"index": index, "function": {"arguments": text}})
