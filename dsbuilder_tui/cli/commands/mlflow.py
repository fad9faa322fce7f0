"""``mlflow``: look at the datasets in MLflow, send there what still waits, or read what evaluations found."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import subprocess
import sys

from dsbuilder_tui.cli.command import CliCommand
from dsbuilder_tui.cli.key_question import ask_before_cases_are_logged, ask_before_mlflow_is_read
from dsbuilder_tui.cli.options import json_option, place_option, settings_from, whole_number
from dsbuilder_tui.cli.output import print_json, print_table, say
from dsbuilder_tui.cli.plan_required import require_plan
from dsbuilder_tui.domain.errors import ExitCode, InputError
from dsbuilder_tui.domain.evaluation_words import result_lines, run_words
from dsbuilder_tui.domain.sanitise import visible
from dsbuilder_tui.session import Session
from dsbuilder_tui.settings.schema import DatasetBuilderConfig
from dsbuilder_tui.settings.stack import load_config
from dsbuilder_tui.settings.tracking_uri import artifact_folder, is_server
from dsbuilder_tui.settings.urls import without_login
from dsbuilder_tui.tracking.registered_target import registered_targets
from dsbuilder_tui.wording import tracking_lines

_LOOPBACK = "127.0.0.1"
_PORT = 5000
_QUIET = {"MLFLOW_DISABLE_TELEMETRY": "true"}


def _mlflow(arguments: argparse.Namespace) -> int:
    flags = settings_from(arguments)
    if arguments.mlflow_tracking_uri is not None:
        flags["mlflow_tracking_uri"] = arguments.mlflow_tracking_uri
    if arguments.act == "sync":
        flags["incremental_mlflow_logging"] = True  # whoever asks for it wants it there
    if arguments.threshold:
        if arguments.act != "results":
            raise InputError("--threshold is for `mlflow results`.", "Leave it out.")
        flags["score_thresholds"] = {**load_config(**flags).score_thresholds, **_thresholds(arguments.threshold)}
    config = load_config(**flags)
    if arguments.act == "ui":
        if arguments.session is not None or arguments.json or arguments.as_copy:
            raise InputError("`mlflow ui` shows all sessions, in a browser.", "Leave SESSION and the flags out.")
        return _ui(config, arguments.port)
    if arguments.port is not None:
        raise InputError("--port is for `mlflow ui`.", "Leave it out.")
    if arguments.as_copy and arguments.act != "sync":
        raise InputError("--as-copy is for `mlflow sync`.", "Leave it out.")
    if arguments.act == "targets":
        if arguments.session is not None:
            raise InputError("`mlflow targets` lists what is in MLflow.", "Leave SESSION out.")
        return _targets(arguments, config)
    return asyncio.run((_sync if arguments.act == "sync" else _results)(arguments, config))


def _thresholds(given: list[str]) -> dict[str, float]:
    """``["relevance=0.7"]`` as a table."""
    found = {}
    for one in given:
        scorer, _, number = one.rpartition("=")
        try:
            found[scorer] = float(number)
        except ValueError:
            scorer = ""
        if not scorer:
            raise InputError(f"--threshold {one} names no scorer and number.", "Write --threshold relevance=0.7.")
    return found


def _targets(arguments: argparse.Namespace, config: DatasetBuilderConfig) -> int:
    ask_before_mlflow_is_read(config)
    found = registered_targets(config.tracking_uri)
    if arguments.json:
        print_json([{"target": reference, "words": words} for reference, words in found])
        return ExitCode.COMPLETE
    for reference, words in found:
        say(f"{visible(reference)}{f'  {visible(words)}' if words else ''}")
    if not found:
        say("MLflow knows of no prompts and no models.")
    return ExitCode.COMPLETE


def _ui(config: DatasetBuilderConfig, port: int | None) -> int:
    """Serve MLflow's own pages on loopback, until Ctrl+C."""
    uri = config.tracking_uri
    if is_server(uri):
        say(f"MLflow is a server already: {visible(without_login(uri) or uri)}/#/experiments")
        return ExitCode.COMPLETE
    number = _PORT if port is None else port
    if not 0 < number < 65536:
        raise InputError(f"--port {number} is no port.", "Give it a number from 1 to 65535.")
    folder = artifact_folder(uri)
    assert folder is not None  # a database has no place of its own for files
    folder.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    say(f"http://{_LOOPBACK}:{number}/#/experiments  (Ctrl+C ends it)")
    command = [
        sys.executable, "-m", "mlflow", "server", "--backend-store-uri", uri, "--default-artifact-root", folder.as_uri(),
        "--host", _LOOPBACK, "--port", str(number), "--workers", "1",
    ]  # fmt: skip
    environment = {**os.environ, **_QUIET}
    if os.name == "posix":  # in the place of this process: whatever ends it ends the server
        sys.stdout.flush()
        os.execve(sys.executable, command, environment)
    with contextlib.suppress(KeyboardInterrupt):
        return subprocess.run(command, env=environment, check=False).returncode and ExitCode.FAILED
    return ExitCode.COMPLETE


async def _sync(arguments: argparse.Namespace, config: DatasetBuilderConfig) -> int:
    """Send all that waits, and compare; the exit code tells whether everything is there."""
    async with await Session.open(arguments.session, config) as session:
        ask_before_cases_are_logged(session.config)
        if arguments.as_copy:
            await session.tracking.become_copy()
        state = await session.tracking.sync()
        settled = session.tracking.is_settled()
        whole = not state.waiting and not state.given_up and not state.error and (state.finished or not settled)
        if arguments.json:
            print_json({"session": session.id, **state.as_dict()})
        else:
            for line in tracking_lines(state, session.id, session.folder.parent, session.tracking.example):
                say(line)
        return ExitCode.COMPLETE if whole else ExitCode.FAILED


async def _results(arguments: argparse.Namespace, config: DatasetBuilderConfig) -> int:
    """Read the evaluations of the session's cases, and say how they went."""
    async with await Session.open(arguments.session, config) as session:
        require_plan(session)
        ask_before_mlflow_is_read(session.config)
        if arguments.threshold:
            await session.settings.set("score_thresholds", config.score_thresholds)
        reading = await session.results.read()
        figures = reading.figures
        if arguments.json:
            changed = {"found": reading.found, "changed": reading.changed}
            print_json({"session": session.id, **changed, **figures.as_dict()})
            return ExitCode.COMPLETE
        if not figures.runs:
            say("No evaluation of these cases is in MLflow yet. Evaluate with:")
            for line in session.tracking.example:
                say(visible(line))
            return ExitCode.COMPLETE
        for run in figures.runs:
            say(visible(run_words(run)))
        say()
        rows = [["CATEGORY", "PASS", "FAIL", "ERRORS", "RATE"]]
        rows += [
            [
                visible(name),
                f"{c.passed:,}",
                f"{c.failed:,}",
                f"{c.errors:,}",
                "–" if c.rate is None else f"{c.rate:.0%}",
            ]
            for name, c in figures.categories.items()
        ]
        print_table(rows, right=(1, 2, 3, 4))
        say()
        for line in result_lines(figures)[1 + len(figures.categories) :]:
            say(visible(line))
    return ExitCode.COMPLETE


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "act",
        choices=("ui", "sync", "results", "targets"),
        help="ui: open MLflow's pages here; sync: send all that waits; results: read what evaluations found; "
        "targets: applications that MLflow knows",
    )
    parser.add_argument("session", nargs="?", metavar="SESSION", help="name, beginning of a name, or path")
    parser.add_argument(
        "--threshold", action="append", metavar="SCORER=N", help="results: the number from which on an answer passes"
    )
    parser.add_argument("--as-copy", action="store_true", help="sync: to a dataset of its own, from now on")
    parser.add_argument("--port", type=whole_number(0, 65535), metavar="N", help=f"ui: port on this machine ({_PORT})")
    parser.add_argument("--mlflow-tracking-uri", metavar="URI", help="server or database; unset: as in the settings")


COMMAND = CliCommand(
    help="look at the datasets in MLflow, send there what waits, or read evaluations",
    rank=95,
    run=_mlflow,
    arguments=(place_option, json_option, _arguments),
)
