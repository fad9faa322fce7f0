"""Who answers in the conversation. Without a main agent the guide does: it says what works, and claims nothing else."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Protocol

from dsbuilder_tui.session import Session
from dsbuilder_tui.tui.commands import COMMANDS


class Responder(Protocol):
    """Answers what a person says, in Markdown, piece by piece. Cancelled when the person presses Esc.

    One that is not the agent says who answers in an attribute ``role`` (as in ``Message.role``).
    """

    def respond(self, text: str, session: Session) -> AsyncIterator[str]: ...


class Guide:
    """Points at the commands. Free words need the main agent, which this version does not have yet."""

    role = "dsbuilder"

    async def respond(self, text: str, session: Session) -> AsyncIterator[str]:
        plan = session.plan
        yield "I have kept that in the conversation, but nobody here can act on free words yet: "
        yield "the main agent is not part of this version. **What works now:**\n\n"
        if not session.planned:
            yield "- `/plan edit` opens a small example plan to make your own\n"
        elif not session.was_started:
            yield f"- `/plan edit` changes the plan of **{plan.dataset_name}** ({plan.total_instances:,} cases), `/run` begins\n"
        else:
            yield "- `/run` and `/pause`, `/status`, `/cases WORDS` to search, `/export FILE` to write the dataset\n"
        yield f"- `/` lists all {len(COMMANDS)} commands, **F1** the keys\n"
