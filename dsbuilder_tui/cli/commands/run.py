"""``run``: a new dataset, from a plan or from words."""

from __future__ import annotations

import argparse
import asyncio
import shlex
import sys
from pathlib import Path

from dsbuilder_tui.cli.building import build, checked_out, model_for, talk_and_build
from dsbuilder_tui.cli.command import CliCommand
from dsbuilder_tui.cli.field_options import field_choice, field_options
from dsbuilder_tui.cli.key_question import ask_before_mlflow_is_read
from dsbuilder_tui.cli.options import display_options, out_option, settings_from, settings_options, wait_option
from dsbuilder_tui.cli.output import say
from dsbuilder_tui.cli.trace_options import trace_options, trace_query
from dsbuilder_tui.domain.clock import SystemClock
from dsbuilder_tui.domain.errors import ExitCode, InputError
from dsbuilder_tui.domain.plain_words import counted
from dsbuilder_tui.domain.sanitise import visible
from dsbuilder_tui.domain.session_state import SessionState
from dsbuilder_tui.domain.trace_query import TRACES
from dsbuilder_tui.models.address import without_keys
from dsbuilder_tui.session import Session, check_plan
from dsbuilder_tui.session.library import ImportedDataset, notes_of
from dsbuilder_tui.session.plan_files import PlanFile, load_example, read_plan_file
from dsbuilder_tui.session.row_files import add_rows, extend_rows
from dsbuilder_tui.settings.schema import DatasetBuilderConfig
from dsbuilder_tui.settings.stack import load_config
from dsbuilder_tui.tracking.dataset_lookup import stored_name


def _run(arguments: argparse.Namespace) -> int:
    config = load_config(**settings_from(arguments))
    if arguments.from_traces is not None:
        if arguments.extend:
            raise InputError("--from-traces and --extend do not go together.", "Leave one of them out.")
        arguments.extend = f"{TRACES}{arguments.from_traces}"
    if not arguments.extend:
        trace_query(arguments, None)
    if arguments.prompt is not None:
        if arguments.more is not None:
            raise InputError("--prompt says itself how many cases are added.", "Leave --more out.")
        if arguments.only_new and not arguments.extend:
            raise InputError("--only-new is for --extend.", "Leave it out: all cases are new.")
        there = _extended(arguments, config) if arguments.extend else None
        return asyncio.run(_run_words(arguments, config, there))
    if arguments.yes:
        raise InputError("--yes answers the main agent, which only --prompt asks.", "Leave it out.")
    _check_combination(arguments)
    file = _plan(arguments, config) if arguments.plan or arguments.example else None
    imported = _extended(arguments, config, file) if arguments.extend else None
    if imported is not None:
        plan = imported.plan
        config = _without_repeats(arguments, config)
    else:
        assert file is not None, "there is a plan where nothing is extended"
        plan = file.plan
    check_plan(
        plan, config, arguments.plan or arguments.extend or f"example {arguments.example}",
        there=len(imported.cases) if imported else 0,
    )  # fmt: skip
    out = checked_out(arguments.out)
    _require_other_file(arguments, out)
    if out and arguments.plan and out == Path(arguments.plan).expanduser().resolve():
        raise InputError(f"--out {arguments.out} is the plan itself.", "Choose another file for the dataset.")

    async def start() -> int:
        nonlocal imported
        async with model_for(config) as model:
            model.check(plan)  # before there is a session: a plan it cannot write must leave nothing behind
            if not arguments.json:
                _point_at_unfinished(plan.dataset_name, config)
            async with await Session.create(plan, config, imported=imported, out=out) as session:
                if imported is not None and not arguments.json:
                    _say_extended(imported)
                imported = None  # its rows are in the session: what is known of them here is memory
                if file is not None and file.known:
                    await session.agent_memory.remember_target(dict(file.known))
                if arguments.only_new:
                    await session.dataset.leave_imported_out()
                return await build(session, model, arguments, out)

    return asyncio.run(start())


def _plan(arguments: argparse.Namespace, config: DatasetBuilderConfig) -> PlanFile:
    if arguments.example:
        return PlanFile(load_example(arguments.example))
    return read_plan_file(arguments.plan, config, lambda: ask_before_mlflow_is_read(config))


def _check_combination(arguments: argparse.Namespace) -> None:
    """Raises ``InputError`` where flags that belong together are not all there."""
    if not (arguments.plan or arguments.example or arguments.extend):
        raise InputError("There is nothing to build.", "Name a PLAN, --example, --prompt or --extend.")
    traces = arguments.from_traces
    flag, named = ("--extend", "FILE") if traces is None else ("--from-traces", traces)
    if arguments.more is not None and (arguments.plan or arguments.example):
        raise InputError(
            f"A plan says itself how many cases are written; --more is for {flag} without a plan.", "Leave --more out."
        )
    if arguments.more is not None and (arguments.more < 1 or not arguments.extend):
        raise InputError(
            f"--more N says how many cases {flag} {named} adds without a plan.", "Give it a number from 1 on."
        )
    if arguments.extend and not (arguments.plan or arguments.example or arguments.more):
        instead = (
            "" if traces is None else f" Or make the requests themselves the cases: dsbuilder import {TRACES}{traces}"
        )
        raise InputError(
            f"{flag} {named} needs to know how many cases are to be added.", f"Say --more N, or name a plan.{instead}"
        )
    if arguments.only_new and not arguments.extend:
        raise InputError("--only-new is for --extend.", "Leave it out: all cases are new.")


def _extended(
    arguments: argparse.Namespace, config: DatasetBuilderConfig, file: PlanFile | None = None
) -> ImportedDataset:
    from dsbuilder_tui.session.traced_rows import traced_experiment

    if (query := trace_query(arguments, traced_experiment(arguments.extend))) is not None:
        from dsbuilder_tui.agent.traced_datasets import traced_dataset

        ask_before_mlflow_is_read(config)
        more = 0 if arguments.prompt is not None else arguments.more
        plan = file.plan if file is not None else None
        return traced_dataset(query, config, SystemClock().now(), more=more, plan=plan, choice=field_choice(arguments))
    if (stored := stored_name(arguments.extend)) is not None:
        from dsbuilder_tui.session.rebuilding import find_stored, stored_rows

        ask_before_mlflow_is_read(config)
        with stored_rows(find_stored(stored, config)) as path:
            return _extended_file(arguments, path, file)
    return _extended_file(arguments, Path(arguments.extend).expanduser(), file)


def _extended_file(arguments: argparse.Namespace, path: Path, file: PlanFile | None) -> ImportedDataset:
    choice = field_choice(arguments)
    if arguments.prompt is not None:
        return extend_rows(path, 0, choice)
    if file is None:
        return extend_rows(path, arguments.more, choice)
    return add_rows(file.plan, path, choice)


def _say_extended(imported: ImportedDataset) -> None:
    for note in imported.notes:
        say(f"Note: {visible(note)}")
    there, total = len(imported.cases), imported.plan.total_instances
    say(f"{counted(there, 'row')} are there; {counted(total - there, 'case')} will be added, and repeat none of them.")


async def _run_words(arguments: argparse.Namespace, config: DatasetBuilderConfig, there: ImportedDataset | None) -> int:
    """Plan from words, and run on a yes; with rows that are ``there``, the words change the plan of these."""
    from dsbuilder_tui.cli.headless_conversation import name_of_request, require_paths

    if not arguments.prompt.strip():
        raise InputError(
            "--prompt is empty.", 'Say what you need, such as --prompt "60 cases for a customer service bot".'
        )
    require_paths(arguments.prompt)
    out = checked_out(arguments.out)
    if there is not None:
        _require_other_file(arguments, out)
        return await _extend_in_words(arguments, _without_repeats(arguments, config), out, there)
    async with await Session.begin(name_of_request(without_keys(arguments.prompt, config)), config, out=out) as session:
        return await talk_and_build(session, arguments, out)


async def _extend_in_words(
    arguments: argparse.Namespace, config: DatasetBuilderConfig, out: Path | None, imported: ImportedDataset
) -> int:
    """The rows of a file as a session, and the words as a change of its plan."""
    async with await Session.create(imported.plan, config, imported=imported, out=out) as session:
        if not arguments.json:
            for note in imported.notes:
                say(f"Note: {visible(note)}")
            say(f"{counted(len(imported.cases), 'row')} are there; nothing that is added repeats them.")
        if arguments.only_new:
            await session.dataset.leave_imported_out()
        code = await talk_and_build(session, arguments, out)
        if code == ExitCode.COMPLETE and session.plan.total_instances == len(imported.cases):
            print(
                "dsbuilder: nothing was added; say what is to be, such as --prompt 'add 20 refunds'.", file=sys.stderr
            )
            return ExitCode.RESUMABLE
        return code


def _without_repeats(arguments: argparse.Namespace, config: DatasetBuilderConfig) -> DatasetBuilderConfig:
    """What is there must not come again in any category, unless somebody wants it otherwise."""
    if "diversity_across" in config.explicit:
        return config
    return load_config(**{**settings_from(arguments), "diversity_across": True})


def _require_other_file(arguments: argparse.Namespace, out: Path | None) -> None:
    """Raises ``InputError`` for a dataset that would be written over the rows it extends."""
    if out and arguments.extend and out == Path(arguments.extend).expanduser().resolve():
        raise InputError(f"--out {arguments.out} is the file to extend.", "Choose another file for the dataset.")


def _point_at_unfinished(dataset_name: str, config: DatasetBuilderConfig) -> None:
    """A new session of a dataset that has an unfinished one may not be what the person wanted."""
    for note in notes_of(config.checkpoint_root, dataset_name):
        if note.state in (SessionState.PAUSED, SessionState.INTERRUPTED, SessionState.RUNNING):
            print(
                f"Note: {visible(note.id)} is unfinished ({note.accepted} of {counted(note.planned, 'case')}); this begins "
                "a new session. "
                f"To go on with that one:  dsbuilder resume {visible(shlex.quote(note.id))}",
                flush=True,
            )
            return


def _arguments(parser: argparse.ArgumentParser) -> None:
    source = parser.add_mutually_exclusive_group()
    source.add_argument("plan", nargs="?", metavar="PLAN", help="plan file (.yaml or .json)")
    source.add_argument("--example", metavar="NAME", help="a packaged plan; see `dsbuilder examples`")
    source.add_argument(
        "--prompt", metavar="WORDS", help="what you need, in your words; the main agent draws up the plan"
    )
    add = parser.add_argument
    add("--extend", metavar="FILE", help="rows that are there already: they are kept, and nothing repeats them")
    add(
        "--from-traces", metavar="EXPERIMENT",
        help="what users asked, out of traces in MLflow, as those rows: personal data is masked",
    )  # fmt: skip
    add(
        "--more",
        type=int,
        metavar="N",
        help="with --extend and without a plan: how many cases are added, like those there",
    )
    add(
        "--only-new", action="store_true", help="with --extend: the dataset is written without the rows that were there"
    )
    parser.add_argument(
        "--yes", action="store_true", help="with --prompt: agree to the plan and the run, not to files elsewhere"
    )


COMMAND = CliCommand(
    help="build a dataset from a plan, or from words",
    rank=20,
    memory=700,
    run=_run,
    arguments=(settings_options, display_options, out_option, wait_option, _arguments, field_options, trace_options),
)
