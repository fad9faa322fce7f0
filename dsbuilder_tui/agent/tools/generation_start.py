"""The start of a run, and its resumption."""

from __future__ import annotations

from dsbuilder_tui.agent.tool import NoArguments, Tool, ToolAnswer, ToolCall
from dsbuilder_tui.domain.approval import QuestionApproval, QuestionSubject
from dsbuilder_tui.domain.plain_words import counted, dollar_words
from dsbuilder_tui.domain.session_state import BuilderState
from dsbuilder_tui.wording import writer_name


class StartGeneration(Tool[NoArguments]):
    name = "start_generation"
    order = 40
    description = "Begin writing the cases of the plan in force. Workers write in the background; you need not wait."
    arguments = NoArguments
    asks = True

    def doing(self, arguments: NoArguments) -> str:
        return "starting the workers"

    def slots_to_write(self, state: BuilderState) -> int:
        """How many slots the run is to fill, as far as can be said before it begins."""
        return state.total_instances_planned - state.instances_created - state.exhausted_slots

    async def question(self, call: ToolCall, arguments: NoArguments) -> QuestionApproval | None:
        session, config = call.host.session, call.host.session.config
        call.require_plan()
        if call.host.running:
            return None
        summary = await session.summary()
        left = self.slots_to_write(summary)
        expected = await session.costs.expected(summary.instances_created, left)
        cost = expected.dollars
        if left <= config.confirm_cases and (cost or 0.0) <= config.confirm_dollars:
            return None
        own = f" (main agent {dollar_words(expected.main_agent)})" if expected.main_agent else ""
        guess = f", about {dollar_words(cost)}{own}" if cost else "" if cost == 0 else ", at a price that is not known"
        return QuestionApproval(
            text=f"Write {counted(left, 'case')} with {writer_name(config)}{guess}?", subject=QuestionSubject.RUN
        )

    async def run(self, call: ToolCall, arguments: NoArguments) -> ToolAnswer:
        call.require_plan()
        host = call.host
        if host.running:
            return ToolAnswer("The run is going on already.", {"running": True})
        cut_off = not (await host.session.summary()).state.is_settled
        unread = await host.session.verdicts.unread(cut_off=cut_off)
        state = await host.session.settle()
        left = state.total_instances_planned - state.instances_created - state.exhausted_slots
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
