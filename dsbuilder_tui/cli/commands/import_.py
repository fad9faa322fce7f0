"""``import``: a session out of a file of rows, a checkpoint JSON, what a plug-in reads, a dataset in MLflow, or traces."""

from __future__ import annotations

import argparse
import asyncio
import shlex
from collections.abc import Sequence
from pathlib import Path

from dsbuilder_tui.agent.traced_datasets import traced_dataset
from dsbuilder_tui.cli.command import CliCommand
from dsbuilder_tui.cli.field_options import field_choice, field_options
from dsbuilder_tui.cli.key_question import ask_before_mlflow_is_read
from dsbuilder_tui.cli.options import json_option, place_option, settings_from
from dsbuilder_tui.cli.output import print_json, say
from dsbuilder_tui.cli.trace_options import trace_options, trace_query
from dsbuilder_tui.domain.clock import SystemClock
from dsbuilder_tui.domain.errors import ExitCode, InputError
from dsbuilder_tui.domain.plain_words import counted
from dsbuilder_tui.domain.sanitise import visible
from dsbuilder_tui.domain.trace_query import TraceQuery
from dsbuilder_tui.session import Session
from dsbuilder_tui.session.import_formats import IMPORT_FORMATS
from dsbuilder_tui.session.library import ImportedDataset, read_dataset
from dsbuilder_tui.session.rebuilding import find_stored, rebuild, rows_of
from dsbuilder_tui.session.row_files import import_rows
from dsbuilder_tui.session.traced_rows import traced_experiment
from dsbuilder_tui.settings.schema import DatasetBuilderConfig
from dsbuilder_tui.settings.stack import load_config
from dsbuilder_tui.tracking.dataset_lookup import PREFIX, stored_name


def _import(arguments: argparse.Namespace) -> int:
    flags = settings_from(arguments)
    stored, query = stored_name(arguments.file), trace_query(arguments, traced_experiment(arguments.file))
    if query is not None:
        flags["mlflow_tracking_uri"] = arguments.mlflow_tracking_uri
        return asyncio.run(_of_traces(arguments, load_config(**flags), query))
    if stored is None and (arguments.mlflow_tracking_uri is not None or arguments.as_copy):
        raise InputError(
            f"{arguments.file} is a file.", f"Name a dataset of MLflow as {PREFIX}NAME, or leave the flags out."
        )
    if stored is not None:
        flags["mlflow_tracking_uri"] = arguments.mlflow_tracking_uri
    config = load_config(**flags)
    return asyncio.run(_of_mlflow(arguments, config, stored) if stored else _of_file(arguments, config))


async def _of_file(arguments: argparse.Namespace, config: DatasetBuilderConfig) -> int:
    dataset = _read(arguments)
    async with await Session.create(dataset.plan, config, imported=dataset) as session:
        return await _told(arguments, session, dataset.notes)


async def _of_traces(arguments: argparse.Namespace, config: DatasetBuilderConfig, query: TraceQuery) -> int:
    """What users asked as cases: each once, in categories by what they are about."""
    if arguments.as_copy or arguments.format or field_choice(arguments).named:
        raise InputError("Traces have no format and no fields to be named.", "Leave those flags out.")
    ask_before_mlflow_is_read(config)
    imported = traced_dataset(query, config, SystemClock().now())
    async with await Session.create(imported.plan, config, imported=imported) as session:
        return await _told(arguments, session, imported.notes)


async def _of_mlflow(arguments: argparse.Namespace, config: DatasetBuilderConfig, name: str) -> int:
    choice = field_choice(arguments)
    if arguments.format not in (None, "rows"):
        raise InputError(f"A dataset of MLflow is no {arguments.format}.", "Leave --format out, or say rows.")
    ask_before_mlflow_is_read(config)
    dataset = find_stored(name, config)
    if not dataset.session or arguments.format or choice.named:
        if arguments.as_copy:
            raise InputError("Rows become a session of their own.", "Leave --as-copy out.")
        imported = rows_of(dataset, choice if choice.named else None)
        async with await Session.create(imported.plan, config, imported=imported) as session:
            return await _told(arguments, session, imported.notes)
    rebuilt = await rebuild(dataset, config, as_copy=arguments.as_copy)
    async with rebuilt.session as session:
        return await _told(arguments, session, rebuilt.told)


async def _told(arguments: argparse.Namespace, session: Session, notes: Sequence[str]) -> int:
    summary = await session.summary()
    if arguments.json:
        print_json({**summary.as_dict(), "notes": list(notes)})
        return ExitCode.COMPLETE
    for note in notes:
        say(f"Note: {visible(note)}")
    say(
        f"Imported {summary.instances_created:,} of {counted(summary.total_instances_planned, 'case')} as {session.id}."
    )
    if summary.instances_created < summary.total_instances_planned:
        given = f" --checkpoint-dir {shlex.quote(arguments.checkpoint_dir)}" if arguments.checkpoint_dir else ""
        say(f"To go on:  dsbuilder resume {shlex.quote(session.id)}{given}")
    return ExitCode.COMPLETE


def _read(arguments: argparse.Namespace) -> ImportedDataset:
    path, choice = Path(arguments.file).expanduser(), field_choice(arguments)
    if not choice.named:
        return read_dataset(path, arguments.format)
    if arguments.format not in (None, "rows"):
        raise InputError("Fields are named for files of rows.", "Leave --format out, or the fields.")
    return import_rows(path, choice)


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "file",
        metavar="FILE",
        help="rows in JSON, CSV, Parquet … (- for standard input), *_checkpoint.json, mlflow:DATASET, or traces:EXPERIMENT",
    )
    parser.add_argument("--format", choices=IMPORT_FORMATS.names(), help="whatever the ending")
    parser.add_argument(
        "--tracking-uri", "--mlflow-tracking-uri", dest="mlflow_tracking_uri", metavar="URI",
        help="MLflow of an mlflow:DATASET or of traces; unset: as in the settings",
    )  # fmt: skip
    parser.add_argument(
        "--as-copy", action="store_true", help="of an mlflow:DATASET: a session that is logged to a dataset of its own"
    )
    parser.add_argument("--max-dataset-size", metavar="N", help="most cases a plan may hold")


COMMAND = CliCommand(
    help="make a session from a file of rows, a *_checkpoint.json or a dataset in MLflow, to be continued with resume",
    rank=80,
    run=_import,
    arguments=(place_option, json_option, field_options, trace_options, _arguments),
)
