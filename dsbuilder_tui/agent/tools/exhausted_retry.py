"""Another set of attempts for the exhausted slots."""

from __future__ import annotations

from dsbuilder_tui.agent.host import at_rest
from dsbuilder_tui.agent.tool import NoArguments, ToolAnswer, ToolCall
from dsbuilder_tui.agent.tools.generation_start import StartGeneration
from dsbuilder_tui.domain.plain_words import are, counted
from dsbuilder_tui.domain.session_state import BuilderState


class RetryExhausted(StartGeneration):
    name = "retry_exhausted"
    order = 65
    description = "Open the exhausted slots again, with a fresh set of attempts for each, and go on writing."

    def doing(self, arguments: NoArguments) -> str:
        return "opening the exhausted slots again"

    def slots_to_write(self, state: BuilderState) -> int:
        return state.total_instances_planned - state.instances_created

    async def run(self, call: ToolCall, arguments: NoArguments) -> ToolAnswer:
        call.require_plan()
        host = call.host
        state = await host.session.summary()
        if not state.exhausted_slots:
            left = state.total_instances_planned - state.instances_created
            if not left or host.running:
                more = "what is turned away is written again by itself" if left else "all cases are there"
                return ToolAnswer(f"No slot is exhausted; {more}.", {"running": host.running, "opened": 0})
            answer = await super().run(call, arguments)
            return ToolAnswer(f"No slot is exhausted. {answer.said}", {**answer.data, "opened": 0})
        running = host.running
        async with at_rest(host, "exhausted slots are opened again"):
            opened = await host.session.cases.retry_exhausted()
            await host.reread()
        if not running:
            host.start()
        them = "it" if opened == 1 else "them"
        return ToolAnswer(
            f"{counted(opened, 'exhausted slot')} {are(opened)} open again; the workers are at {them}.",
            {"running": True, "opened": opened},
        )
