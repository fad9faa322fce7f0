"""``checkpoints``: the points of a session's history."""

from __future__ import annotations

import argparse
import asyncio
from typing import Any

from dsbuilder_tui.cli.command import CliCommand
from dsbuilder_tui.cli.options import json_option, place_option, session_argument, settings_from
from dsbuilder_tui.cli.output import print_json, print_table, say
from dsbuilder_tui.domain.case import Checkpoint
from dsbuilder_tui.domain.clock import iso
from dsbuilder_tui.domain.errors import ExitCode
from dsbuilder_tui.domain.sanitise import one_line
from dsbuilder_tui.session import Session
from dsbuilder_tui.settings.stack import load_config

_ALL = 1_000_000


def _checkpoints(arguments: argparse.Namespace) -> int:
    config = load_config(**settings_from(arguments))

    async def tell() -> int:
        async with await Session.open(arguments.session, config) as session:
            points = await session.checkpoints.all(_ALL)
            if arguments.branch is not None:
                await session.branches.named(arguments.branch)
                points = [point for point in points if point.branch == arguments.branch]
            if arguments.json:
                print_json([checkpoint_data(point) for point in points])
            elif not points:
                say(f"{session.id} has no checkpoint yet.")
            else:
                _print(points)
        return ExitCode.COMPLETE

    return asyncio.run(tell())


def _print(points: list[Checkpoint]) -> None:
    rows = [["ID", "BRANCH", "CASES", "PLAN", "WHEN", "CAUSE", "NAME"]]
    for point in points:
        note = f" · {point.note}" if point.note else ""
        rows.append(
            [str(point.id), point.branch, f"{point.accepted:,} of {point.planned:,}", str(point.revision),
             iso(point.created_at)[:19].replace("T", " "), point.reason.replace("_", " "), one_line(f"{point.name}{note}", 60)]
        )  # fmt: skip
    print_table(rows, right=(0, 2, 3))


def checkpoint_data(point: Checkpoint) -> dict[str, Any]:
    """A checkpoint as scripts get it."""
    return {
        "id": point.id, "branch": point.branch, "accepted": point.accepted, "planned": point.planned,
        "ts": iso(point.created_at), "cause": point.reason, "name": point.name, "note": point.note,
        "revision": point.revision, "seq": point.seq,
    }  # fmt: skip


def _arguments(parser: argparse.ArgumentParser) -> None:
    session_argument(parser)
    parser.add_argument("--branch", metavar="NAME", help="those of one branch alone")


COMMAND = CliCommand(
    help="list the points of a session's history", rank=61, run=_checkpoints,
    arguments=(place_option, json_option, _arguments),
)  # fmt: skip
