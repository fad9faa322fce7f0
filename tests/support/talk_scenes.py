"""The moments of a talk with the main agent that are photographed."""

from __future__ import annotations

from typing import Any

from textual.pilot import Pilot

from dsbuilder_tui.agent.plan_card import plan_content
from dsbuilder_tui.domain.approval import PlanApproval, QuestionApproval
from dsbuilder_tui.domain.message import PlanContent
from dsbuilder_tui.domain.plan import DatasetPlanInput
from dsbuilder_tui.session.preview import PlanSample
from tests.support.frozen import NOW, FrozenApp, Script
from tests.support.scenes import SHOP, half_way, plan_of

_READ = {
    "call": "d1", "tool": "describe_target", "ok": True, "seconds": 0.4, "arguments": '{"path": "./bot"}',
    "answer": '{"ok": true, "said": "Read ./bot: a prompt of 1,204 characters, 3 tools, a README."}',
}  # fmt: skip
_SAMPLES = (
    PlanSample(
        "order_status", "Where is my parcel? Order #66092 was due on Monday, and nobody at the shop answers.", 0.0011
    ),
    PlanSample("refunds", "i want my money back for the kettle, it broke after a day!!", 0.0009),
    PlanSample("product_info", "Does the travel kettle work at 110 volts?", 0.0009),
)


async def _proposes(script: Script, plan: DatasetPlanInput, card: PlanContent, tool: str) -> None:
    script.clock.at += 8
    await script.session.approvals.ask(card.call, tool, PlanApproval(card=card, plan=plan), "")
    await script.say("agent", "a plan", "plan", card.data(), after=0)


async def proposing(app: FrozenApp, pilot: Pilot[Any]) -> None:
    """A plan that waits for its yes, after a look at the application."""
    script = await Script(app, plan_of(SHOP)).open()
    await script.say("person", "500 cases for our support bot, it is in ./bot. Mostly order status and refunds.")
    await script.say("agent", "Read ./bot: a prompt of 1,204 characters, 3 tools, a README.", "tool", _READ, after=4)
    await script.say("agent", "Here is a plan from what the bot can do; its **3 tools** are in the expectations.")
    notes = ["English only, as the prompt says", "more than your limit of 100 cases: a yes raises it for this session"]
    plan = plan_of(SHOP)
    await _proposes(script, plan, plan_content(plan, 1, call_id="p1", notes=notes), "propose_plan")
    await script.session.preview.keep("p1", _SAMPLES)
    await script.show(pilot)


async def revising(app: FrozenApp, pilot: Pilot[Any]) -> None:
    """A change of mind in the middle of a run: what was declined, what waits, and a tool that could not."""
    script = await half_way(app)
    script.clock.at = NOW - 60
    before, after = plan_of(SHOP), plan_of({"order_status": 200, "refunds": 160, "complaints": 40, "product_info": 100})
    ruder = tuple(
        category.model_copy(update={"attributes": {**category.attributes, "tone": ("angry", "impatient", "rude")}})
        for category in after.categories
    )
    after = after.model_copy(update={"categories": ruder, "sources": ("policy.md",)})
    await script.say("person", "refunds repeat themselves, fewer of them please", after=0)
    failed = {
        "call": "r0", "tool": "revise_plan", "ok": False, "seconds": 0.0, "arguments": '{"counts": {"refund": 160}}',
        "answer": '{"ok": false, "error": "There is no category \'refund\'."}',
    }  # fmt: skip
    await script.say(
        "agent", "the change: there is no category 'refund'; there are: order_status, refunds", "tool", failed, after=3
    )
    card = plan_content(after, 2, before, call_id="r1", notes=["97 refunds are accepted and kept"])
    await _proposes(script, after, card, "revise_plan")
    await script.show(pilot)


async def asking(app: FrozenApp, pilot: Pilot[Any]) -> None:
    """A question that needs a yes."""
    script = await Script(app, plan_of(SHOP)).open()
    await script.say("person", "write it all to /srv/evals/support.jsonl")
    script.clock.at += 5
    words = "Write 500 cases to /srv/evals/support.jsonl? It replaces the file that is there."
    await script.session.approvals.ask("e1", "export_dataset", QuestionApproval(text=words), "")
    await script.say("agent", words, "question", {"call": "e1", "tool": "export_dataset"}, after=0)
    await script.show(pilot)


async def welcome(app: FrozenApp, pilot: Pilot[Any]) -> None:
    """A conversation in which nothing was said yet."""
    await app.begin_conversation()
