"""A model that plans before it has read the application which the person named: it is told to read first."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from dsbuilder_tui import DatasetBuilderConfig
from dsbuilder_tui.agent.turn_events import QuestionAsked
from dsbuilder_tui.domain.approval import PlanApproval
from tests.support.talking import SUPPORT, calls, says, talking, tools_used

Configs = Callable[..., DatasetBuilderConfig]


async def test_a_first_plan_waits_for_the_application(make_config: Configs, tmp_path: Path) -> None:
    bot = tmp_path / "bot.py"
    bot.write_text("@function_tool\ndef change_seat(booking: str) -> str:\n    'Changes a seat.'\n")
    words = f"4 cases for the bot in {bot}: seat changes"
    unread = SUPPORT | {"not_understood": ["in rhyme"]}
    async with talking(
        make_config(),
        [calls("propose_plan", SUPPORT, call_id="p1")],
        [calls("describe_target", {"path": str(bot)}, call_id="d1")],
        [calls("propose_plan", unread, call_id="p2")],
        [says("Done.")],
    ) as talk:
        parts = await talk.say(words)
        first, second, *_ = tools_used(parts)
        refusal = json.loads(first.answer)
        assert not refusal["ok"] and f"Read the application at {bot} first" in refusal["way_out"]
        assert json.loads(second.answer)["tools"] == ["change_seat(booking: str)"]
        waiting = next(part.approval for part in parts if isinstance(part, QuestionAsked))
        request = waiting.request
        assert isinstance(request, PlanApproval)
        assert set(request.plan.target.tools) == {"change_seat"} and request.not_understood == ("in rhyme",)
        assert "not understood: “in rhyme”" in request.card.notes
