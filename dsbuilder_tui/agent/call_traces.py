"""The main agent's calls of its model, as they are told to MLflow. Imported with the agents SDK."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Sequence
from typing import Any

import agents

from dsbuilder_tui.domain.call_outcome import CallOutcome
from dsbuilder_tui.domain.case import Usage
from dsbuilder_tui.domain.traced_call import MOST_TEXT, TracedCall, begun_with
from dsbuilder_tui.session import Session

_CALLER = "main agent"


class AgentCallTraces(agents.RunHooks[Any]):
    """Hears of each call from the SDK: what goes to the model, and what comes back."""

    def __init__(self, session: Session, model: str) -> None:
        self._session, self._model = session, model
        self._open: tuple[float, str, tuple[tuple[str, str], ...]] | None = None

    async def on_llm_start(
        self, context: Any, agent: Any, system_prompt: str | None, input_items: Sequence[Any]
    ) -> None:
        """A call begins."""
        self._open = time.time(), begun_with(system_prompt or ""), _latest(input_items)

    async def on_llm_end(self, context: Any, agent: Any, response: agents.ModelResponse) -> None:
        """The model has answered."""
        used = response.usage
        usage = Usage(used.input_tokens, used.output_tokens, known=bool(used.input_tokens or used.output_tokens))
        self._end("\n".join(text for item in response.output for _, text in _said(item)), usage, CallOutcome.OK)

    def leave(self, error: BaseException | None) -> None:
        """The turn is over. A call that has had no answer was cut off, or failed."""
        outcome = CallOutcome.CANCELLED if error is None else CallOutcome.FAILED
        self._end("", Usage(), outcome, "" if error is None else str(error) or type(error).__name__)

    def _end(self, answer: str, usage: Usage, outcome: CallOutcome, detail: str = "") -> None:
        if self._open is None:
            return
        (started, system, messages), self._open = self._open, None
        self._session.tracking.trace(
            TracedCall(
                caller=_CALLER, model=self._model, system=system, messages=messages, answer=begun_with(answer),
                started=started, ended=time.time(), outcome=outcome, usage=usage, detail=begun_with(detail),
            )
        )  # fmt: skip


def _latest(items: Sequence[Any]) -> tuple[tuple[str, str], ...]:
    """The last messages, as many as are kept of a prompt."""
    found: list[tuple[str, str]] = []
    room = MOST_TEXT
    for item in reversed(items):
        for role, text in _said(item):
            found.append((role, begun_with(text)))
            room -= len(text)
        if room <= 0:
            break
    return tuple(reversed(found))


def _said(item: Any) -> Iterable[tuple[str, str]]:
    """Role and text of an item of the SDK's, be it a dictionary or a model."""
    values: dict[str, Any] = dict(item) if isinstance(item, dict) else item.model_dump(exclude_none=True)
    match values.get("type", "message"):
        case "message":
            content = values.get("content") or ""
            parts = [content] if isinstance(content, str) else [_text(part) for part in content]
            yield str(values.get("role", "assistant")), "".join(parts)
        case "function_call":
            yield "assistant", f"{values.get('name')}({values.get('arguments')})"
        case "function_call_output":
            output = values.get("output")
            yield "tool", output if isinstance(output, str) else json.dumps(output, default=str)
        case "reasoning":
            yield "assistant", "".join(_text(part) for part in values.get("summary") or ())


def _text(part: Any) -> str:
    return str(part.get("text") or part.get("refusal") or "")
