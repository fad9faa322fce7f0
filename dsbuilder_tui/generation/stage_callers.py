"""The calls of the stages behind the draft: each to the model of its stage, under the limit that all calls share."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from dsbuilder_tui.domain.case import Candidate
from dsbuilder_tui.domain.clock import Clock
from dsbuilder_tui.domain.errors import EndpointRefused
from dsbuilder_tui.domain.judging import Verdict
from dsbuilder_tui.domain.plan import DatasetPlanInput
from dsbuilder_tui.domain.writing_stage import EvolveManner, PlannedStage, WritingStage
from dsbuilder_tui.generation.batch_outcome import BatchOutcome
from dsbuilder_tui.generation.budget import Budget
from dsbuilder_tui.generation.call_retries import CallRetries
from dsbuilder_tui.generation.judge_caller import JudgeCaller
from dsbuilder_tui.generation.ledger import Batch
from dsbuilder_tui.generation.output_limit import OutputLimit
from dsbuilder_tui.generation.prompts import Prompter
from dsbuilder_tui.generation.run_models import RunModels
from dsbuilder_tui.generation.runners import Runner
from dsbuilder_tui.generation.stage_prompts import StagePrompter
from dsbuilder_tui.generation.unfinished_case import UnfinishedCase
from dsbuilder_tui.models.adaptive_concurrency import AdaptiveConcurrency
from dsbuilder_tui.models.protocol import TransientError, WorkerModel, WorkerRequest
from dsbuilder_tui.quality.judge_prompt import JudgePrompter
from dsbuilder_tui.quality.rubric import rubric_of
from dsbuilder_tui.quality.verdict_reader import NoVerdict
from dsbuilder_tui.settings.schema import DatasetBuilderConfig


@dataclass(slots=True)
class StageAnswers:
    """What a call of a stage brought, by index of the case.

    ``unusable`` says why there is no verdict; ``not_allowed`` when the call was not made, since the budget is used up.
    """

    candidates: dict[int, Candidate] = field(default_factory=dict)
    verdicts: dict[int, Verdict] = field(default_factory=dict)
    unusable: dict[int, NoVerdict] = field(default_factory=dict)
    not_allowed: bool = False


class StageCallers:
    """Makes the calls of evolve, critique and revise."""

    def __init__(
        self,
        plan: DatasetPlanInput,
        config: DatasetBuilderConfig,
        models: RunModels,
        prompter: Prompter,
        runner_of: Callable[[WorkerModel], Runner],
        *,
        limit: AdaptiveConcurrency,
        budget: Budget,
        clock: Clock,
        on_retry: Callable[[Batch, TransientError, float, int], None],
    ) -> None:
        """``runner_of`` gives the one that executes calls of a model that writes."""
        self._plan, self._config, self._models = plan, config, models
        self._prompter, self._runner_of = StagePrompter(prompter), runner_of
        self._limit, self._budget, self._clock, self._on_retry = limit, budget, clock, on_retry
        self._critics: dict[str, JudgeCaller] = {}
        self._rooms: dict[str, OutputLimit] = {}  # by model

    def model_name(self, planned: PlannedStage) -> str:
        """Who does a stage, by name."""
        if planned.stage is WritingStage.CRITIQUE:
            return self._models.critic_of(planned).name
        return self._models.writer_of(planned).name

    async def call(
        self,
        batch: Batch,
        planned: PlannedStage,
        items: Sequence[UnfinishedCase],
        answers: StageAnswers,
        result: BatchOutcome,
    ) -> None:
        """Make one call for some cases of a category; ``answers`` are filled on the way.

        Raises ``EndpointRefused`` when only a person can help.
        """
        try:
            if planned.stage is WritingStage.CRITIQUE:
                await self._criticise(batch, planned, items, answers, result)
            else:
                await self._write(batch, planned, items, answers, result)
        except EndpointRefused as error:
            raise EndpointRefused(
                error.problem,
                f"It is the model of the stage {planned.stage} in {batch.category.name}: its `pipeline` names another one.",
            ) from error

    async def _write(
        self,
        batch: Batch,
        planned: PlannedStage,
        items: Sequence[UnfinishedCase],
        answers: StageAnswers,
        result: BatchOutcome,
    ) -> None:
        model = self._models.writer_of(planned)
        room = self._rooms.setdefault(model.name, OutputLimit(self._config.max_output_tokens))
        request = self._request(batch, planned, items, room)
        if result.trace is not None:
            result.trace.system, result.trace.prompt = request.system, request.prompt
        index_of = {item.wanted.slot.ordinal: index for index, item in enumerate(items)}

        async def deliver(candidate: Candidate) -> None:
            answers.candidates[index_of[candidate.slot.ordinal]] = candidate

        try:
            await self._runner_of(model).execute(batch, request, deliver, result)
        finally:
            if result.max_tokens:
                room.learn(
                    result.usage, cases=len(items), limit=result.max_tokens, cut=result.cut, written=result.written,
                    thought=result.thought,
                )  # fmt: skip

    def _request(
        self, batch: Batch, planned: PlannedStage, items: Sequence[UnfinishedCase], room: OutputLimit
    ) -> WorkerRequest:
        cases = [item.fitted for item in items]
        if planned.stage is WritingStage.EVOLVE:
            how = planned.how or EvolveManner.HARDER
            return self._prompter.evolve(batch.category, batch.slots, cases, how, room)
        return self._prompter.revise(batch.category, batch.slots, cases, [item.critique for item in items], room)

    async def _criticise(
        self,
        batch: Batch,
        planned: PlannedStage,
        items: Sequence[UnfinishedCase],
        answers: StageAnswers,
        result: BatchOutcome,
    ) -> None:
        read = await self._critic(planned).execute(batch, [item.presented() for item in items], result)
        if read is None:
            answers.not_allowed = self._budget.used_up
            return
        for index, one in enumerate(read):
            if isinstance(one, Verdict):
                answers.verdicts[index] = one
            else:
                answers.unusable[index] = one

    def _critic(self, planned: PlannedStage) -> JudgeCaller:
        model = self._models.critic_of(planned)
        if model.name not in self._critics:
            retries = CallRetries(
                self._limit, self._clock, random.Random(), self._config.max_retries, self._on_retry,
                startup_timeout=self._config.startup_timeout,
            )  # fmt: skip
            self._critics[model.name] = JudgeCaller(
                model, JudgePrompter(self._plan, rubric_of(self._plan)), self._limit, retries, self._clock,
                lambda: not self._budget.used_up,
            )  # fmt: skip
        return self._critics[model.name]
