"""The end of a dataset: open slots are left out, the cases written to their file."""

from __future__ import annotations

from dsbuilder_tui.agent.tool import NoArguments, Tool, ToolAnswer, ToolCall
from dsbuilder_tui.domain.approval import QuestionApproval, QuestionSubject
from dsbuilder_tui.domain.errors import InputError
from dsbuilder_tui.domain.pause_cause import Pause, PauseCause
from dsbuilder_tui.domain.plain_words import counted
from dsbuilder_tui.domain.plan_patch import PlanPatch, patched


class FinalizeDataset(Tool[NoArguments]):
    name = "finalize_dataset"
    order = 140
    description = (
        "End the dataset: what is accepted is all there will be, open slots are taken out of the plan, the dataset is "
        "written to its file. Needs the person's yes."
    )
    arguments = NoArguments
    asks = True

    def doing(self, arguments: NoArguments) -> str:
        return "finishing the dataset"

    async def question(self, call: ToolCall, arguments: NoArguments) -> QuestionApproval | None:
        call.require_plan()
        state = await call.host.session.summary()
        if not state.instances_created:
            raise InputError(
                "No case is accepted yet, so there is no dataset to finish.", "Start the generation first."
            )
        left = state.total_instances_planned - state.instances_created
        without = f" and leave out the {counted(left, 'slot')} that are not filled" if left else ""
        path = call.host.session.dataset.path
        return QuestionApproval(
            text=f"Finish the dataset with {counted(state.instances_created, 'case')}{without}? It goes to {path}.",
            subject=QuestionSubject.RUN,
        )

    async def run(self, call: ToolCall, arguments: NoArguments) -> ToolAnswer:
        host, session = call.host, call.host.session
        if host.running:
            host.pause(Pause("the dataset is finished", PauseCause.DATASET_DONE))
            await host.wait()
        accepted = await session.cases.counts()
        # One that holds accepted cases is not removed but lowered to them.
        patch = PlanPatch(remove=[c.name for c in session.plan.categories])
        await session.plans.revise(patched(session.plan, patch, accepted).plan)
        state = await session.settle()
        path = session.dataset.path
        count = await session.dataset.write()
        await host.reread()
        return ToolAnswer(
            f"Finished: {counted(count, 'case')}, written to {session.dataset.where(path)}.",
            {
                "path": str(path),
                "files": [str(part.path) for part in session.dataset.parts(path)],
                "categories": state.categories,
                "cost": state.cost,
                "rejections": state.rejections,
            },
        )
