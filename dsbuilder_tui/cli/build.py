"""``run`` and ``resume``: build a dataset and show it happening."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import shlex
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from dsbuilder_tui.cli.displays import choose_display
from dsbuilder_tui.cli.entry import require_plan, settings_from
from dsbuilder_tui.domain.clock import SystemClock
from dsbuilder_tui.domain.errors import DsbuilderError, ExitCode, InputError, StorageError
from dsbuilder_tui.domain.events import RunFinished
from dsbuilder_tui.domain.plain_words import counted
from dsbuilder_tui.domain.sanitise import visible
from dsbuilder_tui.domain.session_state import BuilderState, RunResult, SessionState
from dsbuilder_tui.models.choice import worker_model
from dsbuilder_tui.models.protocol import WorkerModel
from dsbuilder_tui.session import Session, check_size
from dsbuilder_tui.settings.schema import DatasetBuilderConfig, load_config
from dsbuilder_tui.signals import handled
from dsbuilder_tui.store.catalog import notes_of, seed_file
from dsbuilder_tui.store.export import format_of, require_writer
from dsbuilder_tui.store.plan_file import load_example, load_plan
from dsbuilder_tui.wording import cost_words, diversity_lines, place, resume_command

_SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")


def run(arguments: argparse.Namespace) -> int:
    config = load_config(**settings_from(arguments))
    if arguments.prompt is not None:
        return asyncio.run(_run_words(arguments, config))
    if arguments.yes:
        raise InputError("--yes answers the main agent; a plan file needs no answer.", "Leave it out.")
    plan = load_example(arguments.example) if arguments.example else load_plan(arguments.plan)
    check_size(plan, config, arguments.plan or f"example {arguments.example}")
    out = _checked_out(arguments.out)
    if out and arguments.plan and out == Path(arguments.plan).expanduser().resolve():
        raise InputError(f"--out {arguments.out} is the plan itself.", "Choose another file for the dataset.")

    async def start() -> int:
        async with _model_for(config) as model:
            model.check(plan)  # before there is a session: a plan it cannot write must leave nothing behind
            if not arguments.json:
                _point_at_unfinished(plan.dataset_name, config)
            async with await Session.create(plan, config) as session:
                if out:
                    await session.remember_out(out)
                return await _build(session, model, arguments, out)

    return asyncio.run(start())


async def _run_words(arguments: argparse.Namespace, config: DatasetBuilderConfig) -> int:
    """Plan from words, and run on a yes."""
    from dsbuilder_tui.cli.talk import name_of_request

    if not arguments.prompt.strip():
        raise InputError(
            "--prompt is empty.", 'Say what you need, such as --prompt "60 cases for a customer service bot".'
        )
    out = _checked_out(arguments.out)
    async with await Session.begin(name_of_request(arguments.prompt), config) as session:
        if out:
            await session.remember_out(out)
        return await _talk_and_build(session, arguments, out)


async def _talk_and_build(session: Session, arguments: argparse.Namespace, out: Path | None) -> int:
    from dsbuilder_tui.cli.talk import converse

    code = await converse(session, arguments, arguments.prompt)
    if code is not None:
        return code
    async with _model_for(session.config) as model:
        return await _build(session, model, arguments, out or session.out)


def resume(arguments: argparse.Namespace) -> int:
    flags = settings_from(arguments)
    config = load_config(**flags)
    out = _checked_out(arguments.out)

    async def start() -> int:
        async with await Session.open(arguments.session, config) as session:
            if "seed" in flags and config.seed != session.seed:
                raise InputError(
                    f"--seed {config.seed}: the session {session.id} was planned with seed {session.seed}.",
                    "Leave --seed out; the seed of a session is fixed.",
                )
            session.config = load_config(**{**session.settings, **flags})
            waits = not session.planned and await session.open_approval() is not None
            if arguments.prompt is not None or arguments.yes or waits:
                return await _talk_and_build(session, arguments, out)
            require_plan(session)
            await _prepare(session, arguments)
            summary = await session.settle()
            if summary.state in (SessionState.COMPLETE, SessionState.SHORT):
                return await _nothing_to_do(session, summary, arguments, out)
            if (
                summary.provider == "openai"
                and session.config.resolved_provider == "offline"
                and "provider" not in flags
            ):
                raise InputError(
                    f"The cases of {session.id} are written by {summary.worker_model}, and no key or endpoint is set now.",
                    "Set OPENAI_API_KEY or --base-url, or say --provider offline to have the built-in writer do the rest.",
                )
            async with _model_for(session.config) as model:
                return await _build(session, model, arguments, out or session.out)

    return asyncio.run(start())


async def _prepare(session: Session, arguments: argparse.Namespace) -> None:
    def say(text: str) -> None:
        if not arguments.json:
            print(visible(text), flush=True)

    if session.was_interrupted:
        count = (await session.summary()).instances_created
        say(f"The last run of {session.id} was cut off; all {counted(count, 'accepted case')} are here.")
    if arguments.repair:
        found = await session.repair()
        say(f"Set aside {counted(len(found), 'damaged case')}." if found else "No damaged case found.")
    if arguments.retry_exhausted:
        say(f"Opened {counted(await session.retry_exhausted(), 'exhausted slot')} again.")


@contextlib.asynccontextmanager
async def _model_for(config: DatasetBuilderConfig) -> AsyncIterator[WorkerModel]:
    model = worker_model(config)
    try:
        yield model
    finally:
        await model.close()


def _point_at_unfinished(dataset_name: str, config: DatasetBuilderConfig) -> None:
    """A new session of a dataset that has an unfinished one may not be what the person wanted."""
    for note in notes_of(config.checkpoint_root, dataset_name):
        if note.state in (SessionState.PAUSED, SessionState.INTERRUPTED, SessionState.RUNNING):
            print(
                f"Note: {visible(note.id)} is unfinished ({note.accepted} of {note.planned} cases); this begins a new session. "
                f"To go on with that one:  dsbuilder resume {visible(shlex.quote(note.id))}",
                flush=True,
            )
            return


async def _nothing_to_do(
    session: Session, summary: BuilderState, arguments: argparse.Namespace, out: Path | None
) -> int:
    """All slots are settled: say so, and see that the dataset is where it should be."""
    display = choose_display(as_json=arguments.json, plain=True, on_broken=lambda: None)
    session.subscribe(display.show)
    target = out or session.out or session.folder / f"{session.id}.jsonl"
    if out or not target.exists():
        await session.export(target, private=target.parent == session.folder)
    short = summary.exhausted_slots
    display.show(
        RunFinished(
            ts=SystemClock().now(), accepted=summary.instances_created, planned=summary.total_instances_planned,
            rejected=sum(summary.rejections.values()), exhausted=short, seconds=0.0,
            prompt_tokens=summary.prompt_tokens, completion_tokens=summary.completion_tokens,
            dollars=summary.cost["dollars"],
        )
    )  # fmt: skip
    lines = [f"{session.id} is complete already: {counted(summary.instances_created, 'case')}."]
    if short:
        lines = [
            f"{session.id} is finished short: {summary.instances_created} of {summary.total_instances_planned} cases, "
            f"{counted(short, 'slot')} given up.",
            f"Try again:   dsbuilder resume {session.id} --retry-exhausted{place(session.folder.parent)}",
        ]
    display.say([*lines, f"Dataset:     {target}"])
    return int(ExitCode.SHORT if short else ExitCode.COMPLETE)


def _checked_out(out: str | None) -> Path | None:
    """The output file, checked before hours of work go into it. Raises ``InputError``."""
    if out is None:
        return None
    path = Path(out).expanduser().resolve()  # through links: the file that one points at is meant
    if not out.strip() or path.is_dir():
        raise InputError(f"--out {out!r} is a folder, not a file.", "Name a file, such as dataset.jsonl.")
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


async def _build(session: Session, model: WorkerModel, arguments: argparse.Namespace, out: Path | None) -> int:
    display = choose_display(
        as_json=arguments.json, plain=arguments.plain, on_broken=lambda: session.request_pause("the output was closed")
    )
    session.subscribe(display.show)
    with _signals(session), display:
        try:
            result = await session.run(model)
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
        if result.state not in (SessionState.COMPLETE, SessionState.SHORT):
            display.say(_paused(session, result))
            if arguments.json or display.broken:
                print(visible("\n".join(_paused(session, result))), file=sys.stderr)
            return int(result.exit_code)
        target = out or session.folder / f"{session.id}.jsonl"
        try:
            await session.export(target, private=out is None)
        except StorageError as error:
            again = f"dsbuilder export {session.id} --out FILE{place(session.folder.parent)}"
            raise StorageError(error.problem, f"All cases are saved; when there is room:  {again}") from None
        cost = cost_words((await session.summary()).cost)
        display.say(_farewell(session, result, target, cost, diversity_lines(await session.figures())))
        return int(result.exit_code)


def _farewell(session: Session, result: RunResult, target: Path, cost: str, diversity: Sequence[str]) -> list[str]:
    lines = []
    if result.state is SessionState.COMPLETE:
        lines.append(f"Complete: {counted(result.accepted, 'case')} in {_span(result.seconds)}.")
    else:
        short = result.planned - result.accepted
        lines += [
            f"Finished short: {result.accepted} of {result.planned} cases; {counted(short, 'slot')} given up.",
            f"See why:     dsbuilder show {session.id}{place(session.folder.parent)}",
            f"Try again:   dsbuilder resume {session.id} --retry-exhausted{place(session.folder.parent)}",
        ]
    return [
        *lines,
        *(f"{'' if number else 'Diversity:':<13}{words}" for number, words in enumerate(diversity)),
        *([f"Cost:        {cost}"] if cost else []),
        f"Dataset:     {target}",
        f"Session:     {session.folder}",
        *([f"Checkpoint:  {seed_file(session.folder)}"] if seed_file(session.folder).exists() else []),
    ]


def _paused(session: Session, result: RunResult) -> list[str]:
    return [
        f"Paused: {result.accepted} of {result.planned} cases are saved; it is safe to close this.",
        f"To go on:  {resume_command(session.id, session.folder.parent)}",
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
            session.request_pause("Ctrl+C" if name == "SIGINT" else name)
        elif count == 2:
            session.drop_in_flight()
        else:
            os._exit(ExitCode.RESUMABLE)

    return handled(_SIGNALS, handle)
