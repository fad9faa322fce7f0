"""``regate``: judge kept answers again, without paying again."""

from __future__ import annotations

import argparse
import asyncio

from dsbuilder_tui.cli.building import checked_out, show_run
from dsbuilder_tui.cli.command import CliCommand
from dsbuilder_tui.cli.options import display_options, out_option, session_argument, settings_from, settings_options
from dsbuilder_tui.cli.output import say
from dsbuilder_tui.cli.plan_required import require_plan
from dsbuilder_tui.domain.errors import ExitCode, InputError
from dsbuilder_tui.domain.plain_words import counted
from dsbuilder_tui.session import Session
from dsbuilder_tui.settings.stack import load_config


def _regate(arguments: argparse.Namespace) -> int:
    config = load_config(**settings_from(arguments))
    out = checked_out(arguments.out)

    async def judge() -> int:
        async with await Session.open(arguments.session, config) as source:
            require_plan(source)
            if arguments.purge:
                say(f"Removed {counted(await source.calls.forget_answers(), 'kept answer')} of {source.id}.")
                return ExitCode.COMPLETE
            kept, _ = await source.calls.kept_answers()
            if not kept:
                raise InputError(
                    f"{source.id} keeps no answers.",
                    "Those of the built-in writer are not kept, nor any when response_journal_mb is 0.",
                )
            async with await Session.beside(source) as session:
                return await show_run(session, lambda: session.regate(source), arguments, out)

    return asyncio.run(judge())


def _arguments(parser: argparse.ArgumentParser) -> None:
    session_argument(parser)
    parser.add_argument("--purge", action="store_true", help="remove the kept answers instead")


COMMAND = CliCommand(
    help="judge a session's kept answers again, into a new session, without paying again",
    rank=35,
    memory=700,
    run=_regate,
    arguments=(settings_options, display_options, out_option, _arguments),
)
