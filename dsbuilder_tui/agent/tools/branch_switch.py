"""Another branch, worked on from now on."""

from __future__ import annotations

from dsbuilder_tui.agent.tool import Tool, ToolAnswer, ToolArguments, ToolCall
from dsbuilder_tui.agent.tools.rewinding import require_rest
from dsbuilder_tui.wording import switched_words


class SwitchBranchArguments(ToolArguments):
    branch: str
    """Its name, as list_branches says it."""


class SwitchBranch(Tool[SwitchBranchArguments]):
    name = "switch_branch"
    order = 126
    description = "Work on another branch from now on; the one that is left stays as it is. Not while it runs."
    arguments = SwitchBranchArguments

    def doing(self, arguments: SwitchBranchArguments) -> str:
        return "going to another branch"

    async def run(self, call: ToolCall, arguments: SwitchBranchArguments) -> ToolAnswer:
        require_rest(call)
        event = await call.host.session.branches.switch(arguments.branch)
        await call.host.reread()
        return ToolAnswer(f"{switched_words(event)}.", {"branch": event.branch, "left": event.left})
