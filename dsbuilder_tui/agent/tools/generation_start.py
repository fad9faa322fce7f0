"""The start of a run, and its resumption."""

from __future__ import annotations

from dsbuilder_tui.agent.tool import NoArguments, Tool, ToolAnswer, ToolCall
from dsbuilder_tui.domain.approval import QuestionApproval, QuestionSubject
from dsbuilder_tui.domain.case import Usage
from dsbuilder_tui.domain.plain_words import counted, dollar_words
from dsbuilder_tui.models.prices import PriceTable
from dsbuilder_tui.models.providers import provider_of
from dsbuilder_tui.wording import writer_name

# What a case takes of a worker's prompt and answer, roughly, before anything is known.
_PROMPT_TOKENS, _ANSWER_TOKENS = 80, 150


class StartGeneration(Tool[NoArguments]):
    name = "start_generation"
    order = 40
    description = "Begin writing the cases of the plan in force. Workers write in the background; you need not wait."
    arguments = NoArguments
    asks = True

    def doing(self, arguments: NoArguments) -> str:
        return "starting the workers"

    async def question(self, call: ToolCall, arguments: NoArguments) -> QuestionApproval | None:
        session, config = call.host.session, call.host.session.config
        call.require_plan()
        if call.host.running:
            return None
        summary = await session.summary()
        left = summary.total_instances_planned - summary.instances_created - summary.exhausted_slots
        cost = await _expected_dollars(call, summary.instances_created, left)
        if left <= config.confirm_cases and (cost or 0.0) <= config.confirm_dollars:
            return None
        guess = f", about {dollar_words(cost)}" if cost else "" if cost == 0 else ", at a price that is not known"
        return QuestionApproval(
            text=f"Write {counted(left, 'case')} with {writer_name(config)}{guess}?", subject=QuestionSubject.RUN
        )

    async def run(self, call: ToolCall, arguments: NoArguments) -> ToolAnswer:
        call.require_plan()
        host = call.host
        if host.running:
            return ToolAnswer("The run is going on already.", {"running": True})
        state = await host.session.settle()
        left = state.total_instances_planned - state.instances_created - state.exhausted_slots
        unread = await host.session.verdicts.unread()
        if not left and not unread:
            return ToolAnswer(
                f"All {counted(state.total_instances_planned, 'slot')} are settled already; there is nothing to write.",
                {"running": False},
            )
        host.start()
        if not left:
            return ToolAnswer(
                f"Started: the judge reads {counted(unread, 'case')}; bad ones are written again.",
                {"running": True, "open": 0, "to_judge": unread},
            )
        workers = counted(host.session.config.workers, "worker")
        return ToolAnswer(
            f"Started: {counted(left, 'case')} to write, up to {workers}.", {"running": True, "open": left}
        )


class ResumeGeneration(StartGeneration):
    name = "resume_generation"
    order = 60
    description = "Go on with the open slots after a pause. The same as start_generation on a session that has begun."


async def _expected_dollars(call: ToolCall, accepted: int, left: int) -> float | None:
    """What the open slots may cost: as the accepted ones did, else by what a case usually takes; None when unknown."""
    session, config = call.host.session, call.host.session.config
    if provider_of(config).is_free:
        return 0.0
    spent = (await session.costs.spending()).workers.dollars
    if spent and accepted >= 10:
        return spent / accepted * left
    return PriceTable(config.prices).cost(
        config.worker_model, Usage(_PROMPT_TOKENS * left, _ANSWER_TOKENS * left, known=True)
    )
