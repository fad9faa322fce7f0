"""``fork``: a branch that begins at a checkpoint."""

from __future__ import annotations

import argparse
import asyncio
import shlex

from dsbuilder_tui.cli.command import CliCommand
from dsbuilder_tui.cli.options import json_option, place_option, session_argument, settings_from
from dsbuilder_tui.cli.output import print_json, say
from dsbuilder_tui.domain.errors import ExitCode
from dsbuilder_tui.domain.plain_words import counted
from dsbuilder_tui.session import Session
from dsbuilder_tui.settings.stack import load_config


def _fork(arguments: argparse.Namespace) -> int:
    config = load_config(**settings_from(arguments))

    async def fork() -> int:
        async with await Session.open(arguments.session, config) as session:
            point = await session.checkpoints.found(arguments.at)
            branch = await session.branches.fork(point.id, arguments.name)
            if arguments.json:
                print_json(
                    {"session": session.id, "branch": branch.name, "checkpoint": point.id, "accepted": branch.accepted}
                )
                return ExitCode.COMPLETE
            say(
                f"{branch.name} begins at checkpoint {point.id} of {session.id}, with {counted(branch.accepted, 'case')} "
                f"of {branch.planned:,}."
            )
            say(f"Go on with it: dsbuilder resume {shlex.quote(session.id)} --branch {shlex.quote(branch.name)}")
        return ExitCode.COMPLETE

    return asyncio.run(fork())


def _arguments(parser: argparse.ArgumentParser) -> None:
    session_argument(parser)
    parser.add_argument(
        "--at", required=True, metavar="ID", help="the checkpoint: its number, its name, or words (“the 100th case”)"
    )
    parser.add_argument("--name", required=True, metavar="NAME", help="what the branch is called")


COMMAND = CliCommand(
    help="begin a branch at a checkpoint; nothing is copied", rank=64, run=_fork,
    arguments=(place_option, json_option, _arguments),
)  # fmt: skip
