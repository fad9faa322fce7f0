"""``branches``: the lines of a session's history."""

from __future__ import annotations

import argparse
import asyncio
from typing import Any

from dsbuilder_tui.cli.command import CliCommand
from dsbuilder_tui.cli.options import json_option, place_option, session_argument, settings_from
from dsbuilder_tui.cli.output import print_json, print_table, say
from dsbuilder_tui.domain.branch import Branch
from dsbuilder_tui.domain.clock import iso
from dsbuilder_tui.domain.errors import ExitCode
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


def _data(branch: Branch) -> dict[str, Any]:
    return {
        "id": branch.id, "name": branch.name, "current": branch.current, "accepted": branch.accepted,
        "planned": branch.planned, "tip": branch.tip, "begun_at": branch.begun_at, "cause": branch.cause.value,
        "ts": iso(branch.created_at),
    }  # fmt: skip


def _arguments(parser: argparse.ArgumentParser) -> None:
    session_argument(parser)
    parser.add_argument("--rename", nargs=2, metavar=("OLD", "NEW"), help="call a branch otherwise")


COMMAND = CliCommand(
    help="list the branches of a session", rank=62, run=_branches, arguments=(place_option, json_option, _arguments)
)
