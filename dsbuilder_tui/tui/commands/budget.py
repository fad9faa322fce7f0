"""``/budget``: show or set the dollars it may cost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dsbuilder_tui.domain.errors import InputError
from dsbuilder_tui.domain.plain_words import counted, dollar_words
from dsbuilder_tui.tui.slash_command import SlashCommand

if TYPE_CHECKING:
    from dsbuilder_tui.session import Session
    from dsbuilder_tui.tui.studio.actions import StudioActions


async def _budget(actions: StudioActions, argument: str) -> None:
    live = actions.live
    if argument:
        wanted = argument.removeprefix("$").casefold()
        try:
            if wanted != "off" and not 0 < float(wanted) < float("inf"):
                raise ValueError
        except ValueError:
            raise InputError(f"/budget {argument[:20]} is not a sum.", "Write dollars, or off.") from None
        if "budget" in actions.services.flags:  # what was said last counts, also against a flag of the start
            await actions.services.use_settings({"budget": wanted})
        else:
            await actions.services.change_session(live, {"budget": wanted})
    budget = live.session.config.budget
    spending = await live.session.costs.spending()
    spent = ("at least " if spending.dollars is None else "") + dollar_words(spending.known_dollars)
    limit = f"the budget is {dollar_words(budget)}" if budget is not None else "there is no budget"
    await live.tell(f"{'✓ ' if argument else ''}Spent so far: {spent}; {limit}.{await _more(live.session)}")


async def _more(session: Session) -> str:
    """What the open slots are likely to cost, with the main agent's part; empty when nothing is open, or it is not known."""
    summary = await session.summary()
    left = summary.total_instances_planned - summary.instances_created - summary.exhausted_slots
    expected = await session.costs.expected(summary.instances_created, left) if session.planned and left > 0 else None
    if expected is None or not expected.dollars:
        return ""
    own = f" (main agent {dollar_words(expected.main_agent)})" if expected.main_agent else ""
    return f" About {dollar_words(expected.dollars)}{own} more for {counted(left, 'open case')}."


COMMAND = SlashCommand(
    name="budget",
    argument="[N|off]",
    choices=("off",),
    words="show or set the dollars it may cost",
    rank=150,
    run=_budget,
)
