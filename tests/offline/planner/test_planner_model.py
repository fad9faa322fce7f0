"""The planner behind the SDK's runner: the same loop, tools, approvals and streaming as with a model."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from typing import Any

import pytest
from agents import Agent, FunctionTool, ModelSettings, ModelTracing, RunConfig, Runner, set_tracing_disabled
from agents.result import RunResultStreaming
from agents.tool_context import ToolContext

from dsbuilder_tui.domain.plan import parse_plan
from dsbuilder_tui.offline.planner.planner_model import OfflinePlanner
from dsbuilder_tui.offline.planner.planning_context import PlanningContext
from tests.offline.planner.planning import shop_plan

ASKED = "60 cases for a customer service bot: half order status, the rest refunds and product info"


class User:
    """Tools that do nothing but remember what they were called with, and a situation that follows from it."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.situation = PlanningContext()
        set_tracing_disabled(True)
        numbers = itertools.count(1)
        self.model = OfflinePlanner(lambda: self.situation, lambda: f"{next(numbers)}")
        names = {"propose_plan": True, "revise_plan": True, "start_generation": False, "pause_generation": False,
                 "describe_target": False, "show_cases": False}  # fmt: skip
        tools = [self._tool(name, approval) for name, approval in names.items()]
        self.agent = Agent(name="builder", model=self.model, tools=list(tools))
        self.input: list[Any] = []

    def _tool(self, name: str, approval: bool) -> FunctionTool:
        async def invoke(context: ToolContext[Any], arguments: str) -> str:
            self.calls.append((name, json.loads(arguments)))
            if name == "propose_plan":
                self.situation = PlanningContext(plan=parse_plan(json.loads(arguments)))
            return json.dumps({"ok": True, "said": f"{name} is done."})

        return FunctionTool(
            name=name, description=name, params_json_schema={"type": "object", "properties": {}}, on_invoke_tool=invoke,
            strict_json_schema=False, needs_approval=approval,
        )  # fmt: skip

    async def say(self, text: str) -> RunResultStreaming:
        self.input.append({"role": "user", "content": text})
        return await self.finish(
            Runner.run_streamed(self.agent, list(self.input), run_config=RunConfig(tracing_disabled=True))
        )

    async def decide(self, result: RunResultStreaming, answer: Callable[[Any, Any], None]) -> RunResultStreaming:
        state = result.to_state()
        for item in result.interruptions:
            answer(state, item)
        return await self.finish(Runner.run_streamed(self.agent, state))

    async def finish(self, result: RunResultStreaming) -> RunResultStreaming:
        self.deltas: list[str] = []
        async for event in result.stream_events():
            if event.type == "raw_response_event" and event.data.type == "response.output_text.delta":
                self.deltas.append(event.data.delta)
        if not result.interruptions:
            self.input = result.to_input_list()
        return result


async def test_from_a_request_over_the_approval_to_the_start() -> None:
    user = User()
    asked = await user.say(ASKED)
    assert [item.name for item in asked.interruptions] == ["propose_plan"] and user.calls == []
    assert "".join(user.deltas).startswith("I am the built-in planner") and len(user.deltas) > 5
    done = await user.decide(asked, lambda state, item: state.approve(item))
    assert [name for name, _ in user.calls] == ["propose_plan", "start_generation"]
    plan = parse_plan(user.calls[0][1])
    assert {c.name: c.count for c in plan.categories} == {"order_status": 30, "refunds": 15, "product_info": 15}
    assert done.final_output.startswith("I will speak up")
    assert done.context_wrapper.usage.total_tokens == 0


async def test_a_refusal_with_words_is_a_new_proposal() -> None:
    user = User()
    asked = await user.say(ASKED)
    again = await user.decide(asked, lambda state, item: state.reject(item, rejection_message="make refunds 30"))
    assert [item.name for item in again.interruptions] == ["propose_plan"] and user.calls == []
    await user.decide(again, lambda state, item: state.approve(item))
    assert {c["name"]: c["count"] for c in user.calls[0][1]["categories"]}["refunds"] == 30


async def test_a_plain_refusal_ends_the_turn() -> None:
    user = User()
    asked = await user.say(ASKED)
    done = await user.decide(asked, lambda state, item: state.reject(item))
    assert user.calls == [] and "nothing is changed" in done.final_output


async def test_a_conversation_goes_on_and_is_introduced_once() -> None:
    user = User()
    hello = await user.say("hi")
    assert hello.final_output.startswith("I am the built-in planner")
    question = await user.say("I need 30 cases")
    assert "built-in planner" not in question.final_output and "Which kinds" in question.final_output
    answer = await user.say("watering and pests")
    assert [item.name for item in answer.interruptions] == ["propose_plan"]
    await user.decide(answer, lambda state, item: state.approve(item))
    paused = await user.say("pause, please")
    assert user.calls[-1] == ("pause_generation", {}) and "resume" in paused.final_output
    note = await user.say('[dsbuilder] {"note": "finished", "said": "All are there.", "way_out": "Pause and export."}')
    assert note.final_output == "All are there. Pause and export." and user.calls[-1][0] == "pause_generation"
    ids = [item["call_id"] for item in user.input if item.get("type") == "function_call"]
    assert len(ids) == len(set(ids)) == 3


async def test_what_is_read_and_what_is_planned_in_one_message() -> None:
    user = User()
    asked = await user.say("20 refunds, 30 complaints. Here is its system prompt: You are a shop bot. Pause.")
    assert [item.name for item in asked.interruptions] == ["propose_plan"]
    done = await user.decide(asked, lambda state, item: state.approve(item))
    assert [name for name, _ in user.calls] == ["describe_target", "propose_plan", "start_generation"]
    assert done.final_output.startswith("I will speak up")


async def test_a_tool_that_is_not_there_is_not_called() -> None:
    user = User()
    user.situation = PlanningContext(plan=shop_plan())
    done = await user.say("export to csv")
    assert "export dataset" in done.final_output and user.calls == []


async def test_hostile_text_is_shown_not_sent() -> None:
    user = User()
    user.situation = PlanningContext(plan=shop_plan())
    done = await user.say("remove \x1b]52;c;aGk=\x07 \u202eevil")
    assert "\x1b" not in done.final_output and "\u202e" not in done.final_output and user.calls == []


async def both_ways(model: OfflinePlanner, input: Any) -> tuple[list[Any], list[Any]]:
    arguments: tuple[Any, ...] = (None, input, ModelSettings(), [], None, [], ModelTracing.DISABLED)
    whole = await model.get_response(*arguments)
    events = [event async for event in model.stream_response(*arguments)]
    return whole.output, events


async def test_the_stream_says_what_the_whole_answer_says() -> None:
    output, events = await both_ways(OfflinePlanner(PlanningContext), "help")
    kinds = [event.type for event in events]
    assert kinds[:4] == [
        "response.created",
        "response.in_progress",
        "response.output_item.added",
        "response.content_part.added",
    ]
    assert kinds[-2:] == ["response.output_item.done", "response.completed"]
    assert [event.sequence_number for event in events] == list(range(len(events)))
    text = "".join(event.delta for event in events if event.type == "response.output_text.delta")
    assert text == output[0].content[0].text == events[-1].response.output[0].content[0].text


ODD: list[Any] = [
    [], "", [{"role": "user", "content": None}], [{"role": "user", "content": [{"type": "input_image"}]}],
    [{"type": "function_call_output", "call_id": "lost", "output": "x"}], [{"type": "unheard_of"}, {"role": "system", "content": "pause"}],
    [{"type": "function_call", "call_id": "1", "name": "propose_plan", "arguments": "{"}, {"type": "function_call_output", "call_id": "1", "output": [{"text": "no"}]}],
]  # fmt: skip


@pytest.mark.parametrize("input", ODD, ids=range(len(ODD)))
async def test_odd_conversations_get_words(input: Any) -> None:
    output, _ = await both_ways(OfflinePlanner(PlanningContext), input)
    assert [item.type for item in output] == ["message"] and output[0].content[0].text
