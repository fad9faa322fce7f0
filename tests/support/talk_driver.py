"""Talks with the main agent in a process of its own, and dies by SIGKILL at a point that KILL_AT names.

``python -m tests.support.talk_driver FOLDER URL SESSION ACT…``: SESSION is a name, or ``-`` for a new one; an act is
``yes``, ``no``, or what the person says. KILL_AT is ``method:before`` or ``method:after`` (of a session), ``event:N`` (when
the Nth event of that type comes), ``words:TEXT`` (when that much was heard), or ``end`` (when all acts are done).
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from typing import Any, NoReturn

from dsbuilder_tui import DatasetBuilderConfig, Session
from dsbuilder_tui.agent.conversation import Conversation
from dsbuilder_tui.agent.headless_host import HeadlessHost
from dsbuilder_tui.agent.turn_events import TextDelta
from dsbuilder_tui.domain.events import Event

# What a point is called in the tests, and the part of the session that does it.
_POINTS = {
    "ask_approval": ("approvals", "ask"),
    "decide_approval": ("approvals", "decide"),
    "settle_approval": ("approvals", "settle"),
    "note_tool_effect": ("agent_memory", "note_tool_effect"),
    "revise_plan": ("plans", "revise"),
}


def die() -> NoReturn:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("still alive")


def arm(session: Session, point: str, when: str) -> None:
    if when in ("before", "after"):
        name, method = _POINTS.get(point, ("", point))
        owner = type(getattr(session, name)) if name else Session
        real = getattr(owner, method)

        async def deadly(*given: Any, **more: Any) -> None:
            if when == "after":
                await real(*given, **more)
            die()

        setattr(owner, method, deadly)
        return
    seen: list[Event] = []

    def heard(event: Event) -> None:
        if event.type == point:
            seen.append(event)
            if len(seen) == int(when):
                die()

    if when.isdigit():
        session.subscribe(heard)


async def main(folder: str, url: str, name: str, *acts: str) -> None:
    point, _, when = os.environ["KILL_AT"].partition(":")
    config = DatasetBuilderConfig(
        checkpoint_dir=folder, base_url=url, api_key="sk-test", max_retries=0, max_workers=2, batch_size=3
    )
    session = await (Session.begin("untitled", config) if name == "-" else Session.open(name, config))
    async with session:
        host = HeadlessHost(session)
        conversation = Conversation(host)
        await conversation.open()
        arm(session, point, when)
        for act in acts:
            waiting = await conversation.waiting()
            if act in ("yes", "no"):
                assert waiting is not None, "nothing waits for an answer"
                parts = conversation.answer(waiting, yes=act == "yes", words="" if act == "yes" else "smaller")
            else:
                parts = conversation.say(act)
            heard = ""
            async for part in parts:
                print(part, flush=True)
                heard += part.text if isinstance(part, TextDelta) else ""
                if point == "words" and when in heard:
                    die()
        if point == "end":
            die()
        await host.wait()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
