"""``branches``: the lines of a session's history."""

from __future__ import annotations

import argparse
import asyncio
from typing import Any

from dsbuilder_tui.cli.command import CliCommand
from dsbuilder_tui.cli.confirmation import confirm
from dsbuilder_tui.cli.options import json_option, place_option, session_argument, settings_from
from dsbuilder_tui.cli.output import print_json, print_table, say
from dsbuilder_tui.domain.branch import Branch
from dsbuilder_tui.domain.clock import iso
from dsbuilder_tui.domain.errors import ExitCode
from dsbuilder_tui.domain.plain_words import counted
from dsbuilder_tui.session import Session
from dsbuilder_tui.settings.stack import load_config


def _branches(arguments: argparse.Namespace) -> int:
    config = load_config(**settings_from(arguments))

    async def tell() -> int:
        async with await Session.open(arguments.session, config) as session:
            if arguments.rename is not None:
                old, new = arguments.rename
                branch = await session.branches.rename(old, new)
                if not arguments.json:
                    say(f"The branch {old} of {session.id} is called {branch.name} now.")
                    return ExitCode.COMPLETE
            if arguments.delete is not None and not await _deleted(session, arguments):
                return ExitCode.COMPLETE
            if arguments.restore is not None:
                branch = await session.branches.restore(arguments.restore)
                if not arguments.json:
                    say(f"The branch {branch.name} of {session.id} is back, with {counted(branch.accepted, 'case')}.")
                    return ExitCode.COMPLETE
            found = await session.branches.all()
            if arguments.json:
                print_json([_data(branch) for branch in found])
                return ExitCode.COMPLETE
            rows = [["", "BRANCH", "CASES", "LAST CHECKPOINT", "BEGUN AT", "CAUSE", "SINCE"]]
            rows += [
                ["*" if branch.current else "", branch.name, f"{branch.accepted:,} of {branch.planned:,}",
                 str(branch.tip or "–"), str(branch.begun_at or "–"), branch.cause.value,
                 iso(branch.created_at)[:19].replace("T", " ")]
                for branch in found
            ]  # fmt: skip
            print_table(rows, right=(2, 3, 4))
        return ExitCode.COMPLETE

    return asyncio.run(tell())


async def _deleted(session: Session, arguments: argparse.Namespace) -> bool:
    """Ask whether to delete a branch, and do it. Returns whether the branches that there are now are to be listed."""
    branch = await session.branches.named(arguments.delete)
    kept = "its cases stay in the session file, and --restore brings it back"
    size = f"{branch.accepted:,} of {counted(branch.planned, 'case')}"
    question = f"Delete the branch {branch.name} of {session.id}, {size}? {kept.capitalize()}."
    if not branch.current and not confirm(question, agreed=arguments.yes):
        say("Nothing was changed.")
        return False
    await session.branches.delete(branch.name)
    if arguments.json:
        return True
    say(f"The branch {branch.name} of {session.id} is deleted; {kept}.")
    return False


def _data(branch: Branch) -> dict[str, Any]:
    return {
        "id": branch.id, "name": branch.name, "current": branch.current, "accepted": branch.accepted,
        "planned": branch.planned, "tip": branch.tip, "begun_at": branch.begun_at, "cause": branch.cause.value,
        "ts": iso(branch.created_at),
    }  # fmt: skip


def _arguments(parser: argparse.ArgumentParser) -> None:
    session_argument(parser)
    act = parser.add_mutually_exclusive_group()
    act.add_argument("--rename", nargs=2, metavar=("OLD", "NEW"), help="call a branch otherwise")
    act.add_argument("--delete", metavar="NAME", help="delete a branch that is not worked on; it can be restored")
    act.add_argument("--restore", metavar="NAME", help="bring a deleted branch back")
    parser.add_argument("--yes", action="store_true", help="do not ask")


COMMAND = CliCommand(
    help="list the branches of a session", rank=62, run=_branches, arguments=(place_option, json_option, _arguments)
)
