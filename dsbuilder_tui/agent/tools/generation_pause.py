"""The pause of a run."""

from __future__ import annotations

from dsbuilder_tui.agent.tool import NoArguments, Tool, ToolAnswer, ToolCall


class PauseGeneration(Tool[NoArguments]):
    name = "pause_generation"
    order = 50
    description = "Pause the run: work in flight ends or is dropped, everything accepted is saved."
    arguments = NoArguments

    def doing(self, arguments: NoArguments) -> str:
        return "pausing; work in flight drains"

    async def run(self, call: ToolCall, arguments: NoArguments) -> ToolAnswer:
        host = call.host
        if not host.running:
            return ToolAnswer("Nothing is running.", {"running": False})
        host.pause()
        await host.wait()
        state = await host.session.summary()
        said = (
            f"Paused at {state.instances_created:,} of {state.total_instances_planned:,}; everything accepted is saved."
        )
        return ToolAnswer(said, {"running": False, "accepted": state.instances_created})
