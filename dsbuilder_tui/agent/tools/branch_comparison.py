"""Two branches or checkpoints, compared."""

from __future__ import annotations

from dsbuilder_tui.agent.tool import Tool, ToolAnswer, ToolArguments, ToolCall
from dsbuilder_tui.domain.case import display_text
from dsbuilder_tui.domain.plain_words import counted

_SHOWN, _TEXT = 5, 160


class CompareBranchesArguments(ToolArguments):
    before: str
    """A branch, or the number of a checkpoint."""
    after: str | None = None
    """The same; leave it out for what is here now."""


class CompareBranches(Tool[CompareBranchesArguments]):
    name = "compare_branches"
    order = 128
    description = "What differs between two branches or checkpoints: plans and cases."
    arguments = CompareBranchesArguments
    effect = False

    def doing(self, arguments: CompareBranchesArguments) -> str:
        return "comparing"

    async def run(self, call: ToolCall, arguments: CompareBranchesArguments) -> ToolAnswer:
        session = call.host.session
        after = arguments.after or (await session.branches.current()).name
        names = {branch.name for branch in await session.branches.all()}
        sides = [name if name in names or not name.isdecimal() else int(name) for name in (arguments.before, after)]
        found = await session.branches.compare(sides[0], sides[1], figures=False)
        counts = found.counts
        said = (
            f"{counted(counts['same'], 'case')} are in both; {counts['removed']:,} only in {arguments.before}, "
            f"{counts['added']:,} only in {after}, {counts['edited']:,} edited, {counts['moved']:,} in another category, "
            f"{counts['near']:,} in other words."
        )
        data = {
            "counts": counts,
            "plan": list(found.plan),
            "only_before": [display_text(row.inputs)[:_TEXT] for row in found.removed[:_SHOWN]],
            "only_after": [display_text(row.inputs)[:_TEXT] for row in found.added[:_SHOWN]],
        }
        return ToolAnswer(said, data)
