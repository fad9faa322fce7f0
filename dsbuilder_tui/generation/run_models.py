"""The models of a run: who writes in which stage, who criticises, and who judges."""

from __future__ import annotations

from collections.abc import Iterator

from dsbuilder_tui.domain.notice_level import NoticeLevel
from dsbuilder_tui.domain.plan import DatasetCategory, DatasetPlanInput
from dsbuilder_tui.domain.writing_stage import PlannedStage, WritingStage
from dsbuilder_tui.generation.judging import judge_of
from dsbuilder_tui.generation.templating import templates_model
from dsbuilder_tui.models.chat_options import OptionMemory
from dsbuilder_tui.models.prices import PriceTable
from dsbuilder_tui.models.protocol import LearningModel, TextModel, WorkerModel
from dsbuilder_tui.models.providers import require_judge, worker_model
from dsbuilder_tui.settings.schema import DatasetBuilderConfig


class RunModels:
    """Makes the models that plan and settings call for besides the workers' own, and closes those that it has made."""

    def __init__(self, writer: WorkerModel) -> None:
        self.writer = writer
        self.judge: TextModel | None = None
        self.templates: TextModel | None = None  # who writes templates
        self._writers: dict[str, WorkerModel] = {}
        self._critics: dict[str | None, TextModel] = {}

    def make(self, plan: DatasetPlanInput, config: DatasetBuilderConfig, memory: OptionMemory) -> None:
        """Make them; ``memory`` is what is known of their endpoints.

        Raises ``InputError`` where a critique or a judge is asked for and no model is there to be it, or as
        ``worker_model``.
        """
        self.judge = judge_of(plan, config, self.writer)
        self.templates = templates_model(plan, config, self.writer)
        for model in (self.judge, self.templates):
            if model is not None:
                self._learn(model, memory)
        if self.writer.ordered:  # it depends on the slot alone: there are no stages
            return
        for stage in (stage for category in plan.categories for stage in category.pipeline):
            if stage.stage is WritingStage.CRITIQUE:
                self._make_critic(stage.model, config, memory)
            elif stage.model not in (None, self.writer.name) and stage.model not in self._writers:
                named = config.model_copy(update={"worker_model": stage.model})
                self._writers[stage.model] = made = worker_model(named)
                self._learn(made, memory)

    def _make_critic(self, name: str | None, config: DatasetBuilderConfig, memory: OptionMemory) -> None:
        if name in self._critics:
            return
        if name is not None:
            config = config.model_copy(update={"judge_model": name})
        self._critics[name] = critic = require_judge(config)
        self._learn(critic, memory)

    @staticmethod
    def _learn(model: WorkerModel | TextModel, memory: OptionMemory) -> None:
        if isinstance(model, LearningModel):
            model.learn_from(memory)

    def writer_of(self, stage: PlannedStage | None) -> WorkerModel:
        """Who writes in a stage: the model that it names, or the workers'."""
        return self.writer if stage is None or stage.model is None else self._writers.get(stage.model, self.writer)

    def drafter_of(self, category: DatasetCategory) -> WorkerModel:
        """Who drafts the cases of a category."""
        return self.writer_of(next((one for one in category.pipeline if one.stage is WritingStage.DRAFT), None))

    def critic_of(self, stage: PlannedStage) -> TextModel:
        return self._critics[stage.model]

    def notices(self, prices: PriceTable, *, budget: bool) -> Iterator[tuple[NoticeLevel, str]]:
        """What a person should know of the stages' models beforehand; ``budget`` when the session has one."""
        for critic in {critic.name: critic for critic in self._critics.values()}.values():
            if critic.name == self.writer.name:
                text = f"The critique is made by the model that writes, {critic.name}: it is mild with its own cases. "
                yield NoticeLevel.INFO, f"{text}judge_model, or `critique: {{model: …}}` in the plan, names another."
        names = dict.fromkeys([*self._writers, *(critic.name for critic in self._critics.values())])
        for name in names if budget else ():
            if name != self.writer.name and prices.price(name) is None:
                text = f"The price of {name} is unknown, so the budget cannot be kept; set it under [prices] in the settings."
                yield NoticeLevel.WARNING, text

    async def close(self) -> None:
        """Close the models that it has made; the workers' own is the caller's."""
        made: list[WorkerModel | TextModel] = [*self._writers.values(), *self._critics.values()]
        for model in (*made, self.judge, self.templates):
            if model is not None:
                await model.close()
