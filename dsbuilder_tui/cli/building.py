"""A dataset is built and shown as it happens: the part that ``run`` and ``resume`` share."""

from __future__ import annotations

import argparse
import contextlib
import os
import shlex
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from pathlib import Path

from dsbuilder_tui.atomic_write import replaceable
from dsbuilder_tui.cli.display import choose_display
from dsbuilder_tui.cli.key_question import ask_before_cases_are_logged, ask_before_keys_leave
from dsbuilder_tui.domain.batch_job import BatchJob
from dsbuilder_tui.domain.batch_job_words import jobs_words
from dsbuilder_tui.domain.errors import DsbuilderError, ExitCode, InputError, StorageError
from dsbuilder_tui.domain.pause_cause import Pause, PauseCause
from dsbuilder_tui.domain.plain_words import counted
from dsbuilder_tui.domain.sanitise import visible
from dsbuilder_tui.domain.session_state import RunResult, SessionState
from dsbuilder_tui.models.protocol import WorkerModel
from dsbuilder_tui.models.providers import worker_model
from dsbuilder_tui.session import Session
from dsbuilder_tui.session.export_formats import format_of, require_writer
from dsbuilder_tui.session.library import seed_file
from dsbuilder_tui.settings.runner_names import BATCH_API, LOCAL
from dsbuilder_tui.settings.schema import DatasetBuilderConfig
from dsbuilder_tui.signals import handled
from dsbuilder_tui.wording import (
    cost_words,
    diversity_lines,
    judged_advice,
    judged_lines,
    place,
    resume_command,
    retry_command,
    tracking_lines,
)

_TRACKING_PATIENCE = 30.0  # seconds that a finished run waits for MLflow, while that takes what it is sent
_SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")


async def talk_and_build(session: Session, arguments: argparse.Namespace, out: Path | None) -> int:
    from dsbuilder_tui.cli.headless_conversation import converse, require_paths

    require_paths(arguments.prompt or "")
    ask_before_keys_leave(session.config)
    code = await converse(session, arguments, arguments.prompt)
    if code is not None:
        return code
    async with model_for(session.config) as model:
        return await build(session, model, arguments, out or session.dataset.out)


@contextlib.asynccontextmanager
async def model_for(config: DatasetBuilderConfig) -> AsyncIterator[WorkerModel]:
    ask_before_keys_leave(config)
    ask_before_cases_are_logged(config)
    require_runner(config)  # before there is a session
    model = worker_model(config)
    try:
        if config.runner == BATCH_API:
            from dsbuilder_tui.generation.runners.batch_api import require_batch_api

            await require_batch_api(model)  # as well
        yield model
    finally:
        await model.close()


def require_runner(config: DatasetBuilderConfig) -> None:
    """Raises ``InputError`` where what is to make the calls cannot work."""
    if config.runner != LOCAL:
        from dsbuilder_tui.generation.runners import runner_kind

        runner_kind(config)


def checked_out(out: str | None) -> Path | None:
    """The output file, checked before hours of work go into it. Raises ``InputError``."""
    if out is None:
        return None
    path = replaceable(Path(out).expanduser()).resolve()
    if not out.strip() or path.is_dir():
        what = "is a folder, not a file" if out.strip() else "names no file"
        raise InputError(f"--out {out!r} {what}.", "Name a file, such as dataset.jsonl.")
    require_writer(format_of(path))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path.parent):
            pass
    except OSError as error:
        raise InputError(
            f"--out {out} cannot be written: {error.strerror or error}.", "Choose a file in a folder you can write to."
        ) from None
    return path


async def build(session: Session, model: WorkerModel, arguments: argparse.Namespace, out: Path | None) -> int:
    waits = not getattr(arguments, "no_wait", False)
    return await show_run(session, lambda: session.run(model, wait=waits), arguments, out)


async def show_run(
    session: Session, run: Callable[[], Awaitable[RunResult]], arguments: argparse.Namespace, out: Path | None
) -> int:
    """Show a run as it happens, and write the dataset when it has ended. Returns the exit code."""
    display = choose_display(
        as_json=arguments.json,
        plain=arguments.plain,
        on_broken=lambda: session.request_pause(Pause("the output was closed", PauseCause.OUTPUT_CLOSED)),
    )
    session.subscribe(display.show)
    target = out or session.dataset.path
    await session.dataset.promise(target)
    with _signals(session), display:
        try:
            result = await run()
        except DsbuilderError as error:
            if error.exit_code not in (ExitCode.RESUMABLE, ExitCode.ENDPOINT_REFUSED):
                raise
            display.close()
            print(f"dsbuilder: {visible(str(error))}", file=sys.stderr)
            print(
                f"Everything accepted is saved. To go on:  {visible(resume_command(session.id, session.folder.parent))}",
                file=sys.stderr,
            )
            return int(error.exit_code)
        if not result.state.is_settled:
            said = _paused(session, result, await session.batch_jobs.waiting())
            display.say(said)
            if arguments.json or display.broken:
                print(visible("\n".join(said)), file=sys.stderr)
            return int(result.exit_code)
        try:
            await session.dataset.write(target)
        except StorageError as error:
            again = f"dsbuilder export {shlex.quote(session.id)} --out FILE{place(session.folder.parent)}"
            raise StorageError(error.problem, f"All cases are saved; when there is room:  {again}") from None
        summary = await session.summary()
        judged = [*judged_lines(summary.judged_counts), judged_advice(summary.judged_counts)]
        tables = {
            "Diversity:": diversity_lines(await session.diversity.figures()), "Judged:": [line for line in judged if line],
        }  # fmt: skip
        tracked = await session.tracking.settle(_TRACKING_PATIENCE)
        display.say(_farewell(session, result, target, cost_words(summary.cost), tables))
        if tracked is not None:
            display.say(tracking_lines(tracked, session.id, session.folder.parent, session.tracking.example))
        return int(display.exit_code(result.exit_code))


def _farewell(
    session: Session, result: RunResult, target: Path, cost: str, tables: Mapping[str, Sequence[str]]
) -> list[str]:
    lines = []
    if result.state is SessionState.COMPLETE:
        lines.append(f"Complete: {counted(result.accepted, 'case')} in {_span(result.seconds)}.")
    else:
        short = result.planned - result.accepted
        lines += [
            f"Finished short: {result.accepted} of {counted(result.planned, 'case')}; {counted(short, 'slot')} exhausted.",
            f"See why:     dsbuilder show {shlex.quote(session.id)}{place(session.folder.parent)}",
            f"Try again:   {retry_command(session.id, session.folder.parent)}",
        ]
    return [
        *lines,
        *(
            f"{'' if number else title:<13}{words}"
            for title, table in tables.items()
            for number, words in enumerate(table)
        ),
        *([f"Cost:        {cost}"] if cost else []),
        f"Dataset:     {session.dataset.where(target)}",
        f"Session:     {session.folder}",
        *([f"Checkpoint:  {seed_file(session.folder)}"] if seed_file(session.folder).exists() else []),
    ]


def _paused(session: Session, result: RunResult, jobs: Sequence[BatchJob]) -> list[str]:
    again = resume_command(session.id, session.folder.parent)
    lines = [
        f"Paused: {result.accepted} of {counted(result.planned, 'case')} are saved; it is safe to close this.",
        f"To go on:  {again}",
    ]
    if not jobs:
        return lines
    return [
        f"{jobs_words(jobs, session.clock.now())}: the provider works on, whether or not this is open.",
        *lines,
        f"To cancel: {again} --cancel-batches",
    ]


def _span(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{seconds:.1f} s"


def _signals(session: Session) -> contextlib.AbstractContextManager[None]:
    """First signal: pause. Second: drop what is in flight. Third: go, with everything accepted on disk already."""
    count = 0

    def handle(name: str) -> None:
        nonlocal count
        count += 1
        if count == 1:
            interrupted = name == "SIGINT"
            session.request_pause(
                Pause("Ctrl+C", PauseCause.INTERRUPT) if interrupted else Pause(name, PauseCause.SIGNAL)
            )
        elif count == 2:
            session.drop_in_flight()
        else:
            os._exit(ExitCode.RESUMABLE)

    return handled(_SIGNALS, handle)
