"""Steps that ``undo`` and ``redo`` take, and how they are told or listed."""

from __future__ import annotations

import argparse
import asyncio
import shlex

from dsbuilder_tui.cli.options import json_option, place_option, session_argument, settings_from, whole_number
from dsbuilder_tui.cli.output import print_json, print_table, say, warn_of
from dsbuilder_tui.domain.clock import iso
from dsbuilder_tui.domain.errors import ExitCode
from dsbuilder_tui.domain.undo import Actor, ActState, UndoStep
from dsbuilder_tui.session import Session
from dsbuilder_tui.settings.stack import load_config

_STATES = {
    ActState.DONE: "", ActState.UNDONE: "undone", ActState.DROPPED: "undone", ActState.OUTDATED: "cannot be undone any more",
}  # fmt: skip


def take_steps(arguments: argparse.Namespace, *, redo: bool) -> int:
    """Undo, or redo, steps of a session, and tell which; or list them."""
    config = load_config(**settings_from(arguments))

    async def take() -> int:
        async with await Session.open(arguments.session, config) as session:
            session.subscribe(warn_of)
            if arguments.list:
                _list(await session.undo_log.listing(), json=arguments.json)
                return ExitCode.COMPLETE
            result = await (session.undo_log.redo if redo else session.undo_log.undo)(arguments.steps)
            if arguments.json:
                steps = [step.as_dict() for step in result.steps]
                print_json({"session": session.id, "redone": redo, "steps": steps, "stopped": result.stopped})
                return ExitCode.COMPLETE
            say(f"{session.id}: {result.words}")
            again = "undo" if redo else "redo"
            say(f"dsbuilder {again} {shlex.quote(session.id)} takes it back.")
        return ExitCode.COMPLETE

    return asyncio.run(take())


def step_options(parser: argparse.ArgumentParser) -> None:
    """Which session, how many steps, or the list of them."""
    session_argument(parser)
    parser.add_argument("--steps", type=whole_number(1), default=1, metavar="N", help="how many acts (default: 1)")
    parser.add_argument("--list", action="store_true", help="list what can be undone and redone, and change nothing")


OPTIONS = (place_option, json_option, step_options)


def _list(steps: list[UndoStep], *, json: bool) -> None:
    if json:
        print_json([{**step.as_dict(), "ts": iso(step.created_at)} for step in steps])
        return
    if not steps:
        say("Nothing was done to it yet that can be undone.")
        return
    rows = [["WHEN", "WHO", "WHAT", ""]]
    rows += [
        [
            iso(step.created_at)[:19].replace("T", " "), "agent" if step.actor is Actor.AGENT else "you", step.words,
            _STATES[step.state],
        ]
        for step in steps
    ]  # fmt: skip
    print_table(rows)
