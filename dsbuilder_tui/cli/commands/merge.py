"""``merge``: cases of another branch taken over, each through the gate."""

from __future__ import annotations

import argparse
import asyncio
import shlex

from dsbuilder_tui.cli.command import CliCommand
from dsbuilder_tui.cli.key_question import ask_before_keys_leave
from dsbuilder_tui.cli.options import json_option, place_option, session_argument, settings_from
from dsbuilder_tui.cli.output import print_json, say, warn_of
from dsbuilder_tui.domain.errors import ExitCode
from dsbuilder_tui.domain.plain_words import counted
from dsbuilder_tui.domain.sanitise import one_line
from dsbuilder_tui.session import Session
from dsbuilder_tui.settings.key_trust import KeyUse
from dsbuilder_tui.settings.stack import load_config

_SHOWN = 20


def _merge(arguments: argparse.Namespace) -> int:
    config = load_config(**settings_from(arguments))
    ask_before_keys_leave(config, [KeyUse.EMBEDDINGS])

    async def merge() -> int:
        async with await Session.open(arguments.session, config) as session:
            session.subscribe(warn_of)
            current = await session.branches.current()
            found = await session.branches.merge(arguments.branch, arguments.case or None)
            if arguments.json:
                print_json({"session": session.id, "into": current.name, **found.as_dict()})
                return ExitCode.COMPLETE
            say(
                f"{counted(len(found.came), 'case')} of {found.branch} came into {current.name} of {session.id}, "
                f"{len(found.edited):,} say what they say there, {found.shared:,} were here, "
                f"{len(found.turned_away):,} were turned away."
            )
            for there, here in list(found.came.items())[:_SHOWN]:
                say(f"  + {there}" + ("" if there == here else f" as {here}"))
            for name in found.edited[:_SHOWN]:
                say(f"  ~ {name}")
            for one in found.turned_away[:_SHOWN]:
                near = f" ({one.nearest})" if one.nearest else ""
                say(f"  ✗ {one.case_id}: {one.stage}: {one_line(one.reason, 120)}{near}")
            if found.checkpoint is not None:
                say(f"Take it back: dsbuilder rewind {shlex.quote(session.id)} --to {found.checkpoint}")
        return ExitCode.COMPLETE

    return asyncio.run(merge())


def _arguments(parser: argparse.ArgumentParser) -> None:
    session_argument(parser)
    parser.add_argument("--branch", required=True, metavar="NAME", help="the branch whose cases are taken over")
    parser.add_argument(
        "--case", action="append", metavar="ID", help="this case alone, by its name there; may be said more than once"
    )


COMMAND = CliCommand(
    help="take cases of another branch over, each through the gate", rank=66, memory=700, run=_merge,
    arguments=(place_option, json_option, _arguments),
)  # fmt: skip
