"""A branch taken out of the history, or brought back."""

from __future__ import annotations

from dsbuilder_tui.agent.tool import Tool, ToolAnswer, ToolArguments, ToolCall
from dsbuilder_tui.domain.approval import QuestionApproval, QuestionSubject
from dsbuilder_tui.domain.errors import InputError
from dsbuilder_tui.domain.plain_words import counted


class DeleteBranchArguments(ToolArguments):
    branch: str
    restore: bool = False


class DeleteBranch(Tool[DeleteBranchArguments]):
    name = "delete_branch"
    order = 127
    description = "Delete a branch that is not worked on, or restore one."
    arguments = DeleteBranchArguments
    asks = True

    def doing(self, arguments: DeleteBranchArguments) -> str:
        return "bringing a branch back" if arguments.restore else "deleting a branch"

    async def question(self, call: ToolCall, arguments: DeleteBranchArguments) -> QuestionApproval | None:
        if arguments.restore:
            return None
        branch = await call.host.session.branches.named(arguments.branch)
        if branch.current:
            raise InputError(f"{branch.name} is worked on now.", "Go to another branch first.")
        text = (
            f"Delete the branch {branch.name}, {branch.accepted:,} of {counted(branch.planned, 'case')}? "
            f"“bring back branch {branch.name}” restores it."
        )
        return QuestionApproval(text=text, subject=QuestionSubject.HISTORY)

    async def run(self, call: ToolCall, arguments: DeleteBranchArguments) -> ToolAnswer:
        session, name = call.host.session, arguments.branch
        if arguments.restore:
            branch = await session.branches.restore(name)
            return ToolAnswer(f"The branch {name} is back, with {counted(branch.accepted, 'case')}.", {"branch": name})
        await session.branches.delete(name)
        return ToolAnswer(f"The branch {name} is deleted; “bring back branch {name}” restores it.", {"deleted": name})
