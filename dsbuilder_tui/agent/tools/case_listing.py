"""Accepted cases, the newest first."""

from __future__ import annotations

import asyncio
from random import Random
from typing import Any

from pydantic import Field

from dsbuilder_tui.agent.tool import (
    Tool,
    ToolAnswer,
    ToolArguments,
    ToolCall,
    no_such_category,
)
from dsbuilder_tui.domain.case import AcceptedCase, display_text
from dsbuilder_tui.domain.errors import InputError
from dsbuilder_tui.domain.flags import flag_words, flags_of
from dsbuilder_tui.domain.plain_words import counted
from dsbuilder_tui.domain.sanitise import one_line
from dsbuilder_tui.session import Session

_MOST_TEXT = 300  # characters of a case that the agent sees


def _shown(case: AcceptedCase) -> dict[str, Any]:
    found: dict[str, Any] = {"id": case.case_id, "text": one_line(display_text(case.inputs), _MOST_TEXT)}
    flags = [one_line(flag_words(flag), 200) for flag in flags_of(case.tags)]
    return found | ({"flags": flags} if flags else {})


async def _drawn(session: Session, category: str | None, count: int) -> list[AcceptedCase]:
    """Some cases by lot: others each time that somebody has said something in between."""
    categories = (await session.summary()).categories
    total = sum(counts["accepted"] for name, counts in categories.items() if category in (None, name))
    said = await session.chat.messages(1)
    lot = Random(f"{session.seed} {said[-1].seq if said else 0}")
    places = lot.sample(range(total), min(count, total))
    return [case for place in places for case in await session.cases.page(place, 1, category=category)]


class ShowCasesArguments(ToolArguments):
    category: str | None = None
    count: int = Field(5, ge=1, le=10)
    text: str | None = None
    """Words in the case."""
    random: bool = False


class ShowCases(Tool[ShowCasesArguments]):
    name = "show_cases"
    order = 90
    description = "Up to 10 accepted cases, the newest first."
    arguments = ShowCasesArguments
    effect = False

    async def run(self, call: ToolCall, arguments: ShowCasesArguments) -> ToolAnswer:
        session = call.host.session
        if arguments.category is not None and arguments.category not in [c.name for c in session.plan.categories]:
            raise InputError(no_such_category(arguments.category, [session.plan]), "Name one of the plan's categories.")
        await session.written()
        cases: list[AcceptedCase] = []
        if arguments.text:
            async for step in session.cases.search(arguments.text, category=arguments.category, newest_first=True):
                cases += await session.cases.by_seq(step.seqs[: arguments.count - len(cases)])
                if len(cases) >= arguments.count:
                    break
                await asyncio.sleep(0)
        elif arguments.random:
            cases = await _drawn(session, arguments.category, arguments.count)
        else:
            cases = await session.cases.page(0, arguments.count, category=arguments.category, newest_first=True)
        shown = [_shown(case) for case in cases]
        if not shown:
            return ToolAnswer("There are no such cases yet.", {"cases": []})
        how = "drawn by lot" if arguments.random and not arguments.text else "the newest first"
        return ToolAnswer(f"{counted(len(shown), 'case')}, {how}.", {"cases": shown})
