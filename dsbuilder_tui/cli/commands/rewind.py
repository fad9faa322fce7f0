"""``rewind``: a session brought back to a checkpoint; what it held becomes a branch."""

from __future__ import annotations

import argparse
import asyncio
import shlex

from dsbuilder_tui.cli.command import CliCommand
from dsbuilder_tui.cli.confirmation import confirm
from dsbuilder_tui.cli.options import json_option, place_option, session_argument, settings_from
from dsbuilder_tui.cli.output import print_json, say, warn_of
from dsbuilder_tui.domain.errors import ExitCode
from dsbuilder_tui.domain.moment_words import local_time
from dsbuilder_tui.domain.plain_words import counted
from dsbuilder_tui.session import Session
from dsbuilder_tui.settings.stack import load_config


def _rewind(arguments: argparse.Namespace) -> int:
    config = load_config(**settings_from(arguments))

    async def rewind() -> int:
        async with await Session.open(arguments.session, config) as session:
            session.subscribe(warn_of)
            point = await session.checkpoints.found(arguments.to)
            current, left = await session.branches.current(), await session.branches.name_for_left(arguments.keep_as)
            when = local_time(point.created_at)
            question = (
                f"Bring {session.id} back to checkpoint {point.id}, of {when}, with {counted(point.accepted, 'case')}? What it "
                f"holds now, {counted(current.accepted, 'case')}, stays as the branch {left}."
            )
            if not confirm(question, agreed=arguments.yes):
                say("Nothing was changed.")
                return ExitCode.COMPLETE
            moved = await session.branches.rewind(point.id, keep_as=left)
            if arguments.json:
                print_json(moved.as_dict())
                return ExitCode.COMPLETE
            say(f"{session.id} is at checkpoint {point.id}: {moved.accepted:,} of {counted(moved.planned, 'case')}.")
            name, kept = shlex.quote(session.id), shlex.quote(moved.left)
            say(f"What it held is the branch {moved.left}: dsbuilder resume {name} --branch {kept} goes on there.")
        return ExitCode.COMPLETE

    return asyncio.run(rewind())


def _arguments(parser: argparse.ArgumentParser) -> None:
    session_argument(parser)
    parser.add_argument(
        "--to",
        required=True,
        metavar="ID",
        help="the checkpoint: its number, its name, or words (“before I changed refunds”)",
    )
    parser.add_argument("--keep-as", metavar="NAME", help="the branch that keeps what the session holds now")
    parser.add_argument("--yes", action="store_true", help="do not ask")


COMMAND = CliCommand(
    help="bring a session back to a checkpoint; what it held stays as a branch", rank=63, run=_rewind,
    arguments=(place_option, json_option, _arguments),
)  # fmt: skip
