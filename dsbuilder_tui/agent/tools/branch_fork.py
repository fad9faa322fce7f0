"""A branch, begun here or at a point of the history, and worked on."""

from __future__ import annotations

from dsbuilder_tui.agent.checkpoint_arguments import CheckpointArguments
from dsbuilder_tui.agent.tool import Tool, ToolAnswer, ToolCall
from dsbuilder_tui.agent.tools.rewinding import require_rest
from dsbuilder_tui.domain.approval import QuestionApproval, QuestionSubject
from dsbuilder_tui.domain.plain_words import counted
from dsbuilder_tui.session.branches import free_name


class ForkBranchArguments(CheckpointArguments):
    branch: str | None = None
    """Its name: what is tried in it."""
    worker_model: str | None = None
    """Only one that the person named."""


class ForkBranch(Tool[ForkBranchArguments]):
    name = "fork_branch"
    order = 124
    description = (
        "Begin a branch here, or at a point, and work on it, to try another plan or model; the present one stays."
    )
    arguments = ForkBranchArguments
    asks = True

    def doing(self, arguments: ForkBranchArguments) -> str:
        return "beginning a branch"

    async def question(self, call: ToolCall, arguments: ForkBranchArguments) -> QuestionApproval | None:
        require_rest(call)
        model = arguments.worker_model
        if model is None or call.was_typed(model):
            return None
        branch = arguments.branch or "that begins here"
        return QuestionApproval(
            text=f"Have {model} write the cases of the branch {branch}? You have not named it yourself.",
            subject=QuestionSubject.SETTING,
        )

    async def run(self, call: ToolCall, arguments: ForkBranchArguments) -> ToolAnswer:
        require_rest(call)
        session = call.host.session
        branches = await session.branches.all()
        before = next(branch for branch in branches if branch.current)
        name = arguments.branch or free_name("fork", branches)
        if not arguments.names_a_point:
            branch = await session.branches.fork_here(name)
        else:
            await session.branches.fork((await arguments.find(session)).id, name)
            await session.branches.switch(name)
            branch = await session.branches.current()
        model = ""
        if arguments.worker_model is not None:
            await session.settings.change({"worker_model": arguments.worker_model})
            model = f" {arguments.worker_model} writes its cases."
        await call.host.reread()
        said = (
            f"{branch.name} begins with {counted(branch.accepted, 'case')} and is worked on now.{model} {before.name} stays as "
            f"it is: “go to branch {before.name}” returns to it."
        )
        return ToolAnswer(said, {"branch": branch.name, "left": before.name})
