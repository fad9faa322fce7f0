"""The side of the fake endpoint that is asked for templates: what it says, in order."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

from tests.support.template_answers import answer, as_text


@dataclass(frozen=True, slots=True)
class TemplatesSay:
    """An answer; ``reason`` is the finish reason."""

    text: str
    thoughts: str = ""
    reason: str = "stop"


@dataclass
class FakeTemplates:
    """Answers the calls for templates with ``script``, in order, and then with ``otherwise``.

    A text is an answer, or the name of a behaviour of the endpoint (server_error, hang …); a mapping is an answer as JSON.
    """

    script: list[dict[str, Any] | TemplatesSay | str] = field(default_factory=list)
    otherwise: dict[str, Any] | TemplatesSay | str = field(default_factory=answer)
    bodies: list[dict[str, Any]] = field(default_factory=list)
    gate: asyncio.Event | None = None  # while set and not signalled, answers wait
    in_gate: asyncio.Event = field(default_factory=asyncio.Event)

    async def says(self, body: dict[str, Any]) -> TemplatesSay | str:
        """The next answer, or the name of a behaviour."""
        self.bodies.append(body)
        if self.gate is not None:
            self.in_gate.set()
            await self.gate.wait()
        said = self.script.pop(0) if self.script else self.otherwise
        if isinstance(said, str):
            return TemplatesSay(said) if " " in said or not said else said
        return TemplatesSay(as_text(said)) if isinstance(said, dict) else said

    @property
    def prompts(self) -> list[str]:
        return [str(body["messages"][-1]["content"]) for body in self.bodies]
