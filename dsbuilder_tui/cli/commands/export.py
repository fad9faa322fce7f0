"""``export``: the cases of a session, as a file."""

from __future__ import annotations

import argparse
import asyncio
from typing import Any

from dsbuilder_tui.cli.command import CliCommand
from dsbuilder_tui.cli.options import json_option, place_option, session_argument, settings_from
from dsbuilder_tui.cli.output import print_json, say, warn_of
from dsbuilder_tui.cli.plan_required import require_plan
from dsbuilder_tui.domain.errors import ExitCode
from dsbuilder_tui.domain.plain_words import counted
from dsbuilder_tui.domain.sanitise import visible
from dsbuilder_tui.session import Session
from dsbuilder_tui.session.dataset_split import read_shares
from dsbuilder_tui.session.export_formats import FORMATS
from dsbuilder_tui.session.exports import UNKNOWN_LICENCE, ExportedFile
from dsbuilder_tui.settings.stack import load_config


def _export(arguments: argparse.Namespace) -> int:
    config = load_config(**settings_from(arguments))
    damaged: list[str] | None = [] if arguments.skip_damaged else None

    shares = read_shares(arguments.split) if arguments.split else None

    async def write() -> int:
        async with await Session.open(arguments.session, config) as session:
            require_plan(session)
            session.subscribe(warn_of)
            at = await _point(session, arguments)
            files = await session.exports.write(
                arguments.out,
                arguments.format,
                shares=shares,
                licence=arguments.licence,
                damaged=damaged,
                raw=arguments.raw,
                only_new=arguments.only_new,
                at=at,
            )
            if arguments.json:
                print_json(_told(session.id, arguments.out, files, damaged or []))
                return ExitCode.COMPLETE
            for file in files:
                say(f"Wrote {counted(file.cases, 'case')} of {session.id} to {file.path}.")
                say(f"SHA-256: {file.sha256}")
            if damaged:
                say(f"Left out {len(damaged)} damaged cases: {visible(', '.join(damaged[:10]))}")
            return ExitCode.COMPLETE

    return asyncio.run(write())


async def _point(session: Session, arguments: argparse.Namespace) -> int | None:
    """The checkpoint that is meant; None: as the session stands."""
    if arguments.at is not None:
        return (await session.checkpoints.found(arguments.at)).id
    branch = await session.branches.named(arguments.branch) if arguments.branch is not None else None
    return None if branch is None or branch.current else branch.tip


def _told(session: str, out: str, files: list[ExportedFile], damaged: list[str]) -> dict[str, Any]:
    told: dict[str, Any] = {"session": session, "path": out, "cases": sum(file.cases for file in files)}
    if len(files) == 1:
        told["sha256"] = files[0].sha256
    each = [{"path": str(f.path), "split": f.split, "cases": f.cases, "sha256": f.sha256} for f in files]
    return {**told, "files": each, "damaged": damaged}


def _arguments(parser: argparse.ArgumentParser) -> None:
    session_argument(parser)
    parser.add_argument("--out", required=True, metavar="FILE", help="the ending says the format; see --format")
    parser.add_argument("--format", choices=FORMATS.names(), help="whatever the ending")
    parser.add_argument("--split", metavar="SHARES", help="a file a split: test=0.8,dev=0.2; near cases stay together")
    parser.add_argument("--licence", default=UNKNOWN_LICENCE, metavar="NAME", help="for the card of a dataset folder")
    parser.add_argument("--raw", action="store_true", help="CSV: no apostrophe before what looks like a formula")
    parser.add_argument("--only-new", action="store_true", help="leave out cases that came with a file of rows")
    point = parser.add_mutually_exclusive_group()
    point.add_argument(
        "--at", metavar="ID", help="as it was at a checkpoint: its number, its name, or words (“yesterday evening”)"
    )
    point.add_argument("--branch", metavar="NAME", help="as it is on another branch")
    parser.add_argument("--skip-damaged", action="store_true", help="leave damaged cases out")


COMMAND = CliCommand(
    help="write a session's cases to a file", rank=70, run=_export, arguments=(place_option, json_option, _arguments)
)
