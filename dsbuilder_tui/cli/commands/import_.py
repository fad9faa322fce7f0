"""``import``: a session out of a file of rows, a checkpoint JSON, or what a plug-in reads."""

from __future__ import annotations

import argparse
import asyncio
import shlex
from pathlib import Path

from dsbuilder_tui.cli.command import CliCommand
from dsbuilder_tui.cli.field_options import field_choice, field_options
from dsbuilder_tui.cli.options import json_option, place_option, settings_from
from dsbuilder_tui.cli.output import print_json, say
from dsbuilder_tui.domain.errors import ExitCode, InputError
from dsbuilder_tui.domain.sanitise import visible
from dsbuilder_tui.session import Session
from dsbuilder_tui.session.import_formats import IMPORT_FORMATS
from dsbuilder_tui.session.library import ImportedDataset, read_dataset
from dsbuilder_tui.session.row_files import import_rows
from dsbuilder_tui.settings.stack import load_config


def _import(arguments: argparse.Namespace) -> int:
    config = load_config(**settings_from(arguments))

    async def load() -> int:
        dataset = _read(arguments)
        async with await Session.create(dataset.plan, config, imported=dataset) as session:
            summary = await session.summary()
            if arguments.json:
                print_json({**summary.as_dict(), "notes": list(dataset.notes)})
                return ExitCode.COMPLETE
            for note in dataset.notes:
                say(f"Note: {visible(note)}")
            say(f"Imported {summary.instances_created} of {summary.total_instances_planned} cases as {session.id}.")
            if summary.instances_created < summary.total_instances_planned:
                given = f" --checkpoint-dir {shlex.quote(arguments.checkpoint_dir)}" if arguments.checkpoint_dir else ""
                say(f"To go on:  dsbuilder resume {shlex.quote(session.id)}{given}")
        return ExitCode.COMPLETE

    return asyncio.run(load())


def _read(arguments: argparse.Namespace) -> ImportedDataset:
    path, choice = Path(arguments.file).expanduser(), field_choice(arguments)
    if not choice.named:
        return read_dataset(path, arguments.format)
    if arguments.format not in (None, "rows"):
        raise InputError("Fields are named for files of rows.", "Leave --format out, or the fields.")
    return import_rows(path, choice)


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "file", metavar="FILE", help="rows in JSON, CSV, Parquet … (- for standard input), or *_checkpoint.json"
    )
    parser.add_argument("--format", choices=IMPORT_FORMATS.names(), help="whatever the ending")
    parser.add_argument("--max-dataset-size", metavar="N", help="most cases a plan may hold")


COMMAND = CliCommand(
    help="make a session from a file of rows or a *_checkpoint.json, to be continued with resume",
    rank=80,
    run=_import,
    arguments=(place_option, json_option, field_options, _arguments),
)
