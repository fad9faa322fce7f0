"""The branches, and the checkpoints of the one that is worked on."""

from __future__ import annotations

from dsbuilder_tui.agent.tool import NoArguments, Tool, ToolAnswer, ToolCall
from dsbuilder_tui.domain.branch import branch_words
from dsbuilder_tui.domain.plain_words import counted

_MOST_BRANCHES, _MOST_POINTS = 40, 30


class ListBranches(Tool[NoArguments]):
    name = "list_branches"
    order = 121
    description = "The branches of the history, and the newest checkpoints of the current one."
    arguments = NoArguments
    effect = False

    def doing(self, arguments: NoArguments) -> str:
        return "looking at the history"

    async def run(self, call: ToolCall, arguments: NoArguments) -> ToolAnswer:
        session = call.host.session
        branches, line = await session.branches.all(), await session.checkpoints.line(_MOST_POINTS)
        here, elsewhere = await session.checkpoints.counts_by_line()
        current = next(branch for branch in branches if branch.current)
        many = counted(len(branches), "branch")
        data = {
            "branches": [branch_words(branch) for branch in branches[-_MOST_BRANCHES:]],
            "checkpoints": [
                {
                    "checkpoint": point.id,
                    "cases": point.accepted,
                    "why": str(point.reason),
                    "plan_revision": point.revision,
                }
                | ({"name": point.name} if point.name else {})
                for point in line
            ],
        }
        besides = f", and {elsewhere:,} on others" if elsewhere else ""
        return ToolAnswer(f"{many}; {current.name} is worked on, with {counted(here, 'checkpoint')}{besides}.", data)
