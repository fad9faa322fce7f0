"""Answers of a batch job to worker calls, as a model that says them again."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

from dsbuilder_tui.domain.notice_level import NoticeLevel
from dsbuilder_tui.domain.plan import DatasetPlanInput
from dsbuilder_tui.models.protocol import BatchableModel, StreamEnd, Thought, WorkerRequest


@dataclass(frozen=True, slots=True)
class BatchAnswer:
    """The answer to one call: a chat completion, or how the provider turned the request away."""

    completion: Mapping[str, Any] | None = None
    failure: Exception | None = None


class AnsweredModel:
    """Says what a batch job answered. ``give`` it an answer for each request before that is asked."""

    ordered = False

    def __init__(self, model: BatchableModel, provider: str) -> None:
        self._model, self.name, self.provider = model, model.name, provider
        self._answers: dict[int, BatchAnswer] = {}  # by the identity of the request

    def give(self, request: WorkerRequest, answer: BatchAnswer) -> None:
        """Keep an answer until the request is asked, once."""
        self._answers[id(request)] = answer

    def check(self, plan: DatasetPlanInput) -> list[tuple[NoticeLevel, str]]:
        """Nothing: it was asked long ago."""
        return []

    async def stream(self, request: WorkerRequest) -> AsyncIterator[str | Thought | StreamEnd]:
        answer = self._answers.pop(id(request))
        if answer.failure is not None:
            raise answer.failure
        assert answer.completion is not None
        for piece in self._model.batch_answer(answer.completion):
            yield piece

    async def close(self) -> None:
        """Nothing: the model that was asked is closed by whoever has made it."""
