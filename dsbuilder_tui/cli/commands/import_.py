"""``import``: a session out of a checkpoint JSON."""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path

from dsbuilder_tui.cli.command import CliCommand
from dsbuilder_tui.cli.options import json_option, place_option, settings_from
from dsbuilder_tui.cli.output import print_json, say
from dsbuilder_tui.domain.errors import ExitCode
from dsbuilder_tui.domain.sanitise import visible
from dsbuilder_tui.session import Session
from dsbuilder_tui.session.library import read_seed_checkpoint
from dsbuilder_tui.settings.stack import load_config


def _import(arguments: argparse.Namespace) -> int:
    config = load_config(**settings_from(arguments))

    async def load() -> int:
        seed = read_seed_checkpoint(Path(arguments.file).expanduser())
        async with await Session.create(seed.plan, config, imported=seed) as session:
            summary = await session.summary()
            if arguments.json:
                print_json({**summary.as_dict(), "notes": seed.notes})
                return ExitCode.COMPLETE
            for note in seed.notes:
                say(f"Note: {visible(note)}")
            say(f"Imported {summary.instances_created} of {summary.total_instances_planned} cases as {session.id}.")
            if summary.instances_created < summary.total_instances_planned:
                given = f" --checkpoint-dir {arguments.checkpoint_dir}" if arguments.checkpoint_dir else ""
                say(f"To go on:  dsbuilder resume {session.id}{given}")
        return ExitCode.COMPLETE

    return asyncio.run(load())


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", help="checkpoint JSON")
    parser.add_argument("--max-dataset-size", metavar="N", help="most cases a plan may hold")


COMMAND = CliCommand(
    help="make a session from a *_checkpoint.json, to be continued with resume",
    rank=80,
    run=_import,
    arguments=(place_option, json_option, _arguments),
)
