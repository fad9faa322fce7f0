"""``run`` and ``resume``: build a dataset and show it happening."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import shlex
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dsbuilder_tui.cli.displays import choose_display
from dsbuilder_tui.cli.entry import settings_from
from dsbuilder_tui.config import DatasetBuilderConfig, load_config
from dsbuilder_tui.domain.errors import DsbuilderError, ExitCode, InputError
from dsbuilder_tui.domain.summary import RunResult, SessionState
from dsbuilder_tui.session import Session, check_size
from dsbuilder_tui.store.catalog import seed_file
from dsbuilder_tui.store.export import format_of, require_writer
from dsbuilder_tui.store.plan_file import load_example, load_plan

_SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")


def run(arguments: argparse.Namespace) -> int:
    config = load_config(**settings_from(arguments))
    plan = load_example(arguments.example) if arguments.example else load_plan(arguments.plan)
    check_size(plan, config)
    out = _checked_out(arguments.out)

    async def start() -> int:
        async with await Session.create(plan, config) as session:
            if out:
                await session.remember_out(out)
            return await _build(session, arguments, out)

    return asyncio.run(start())


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
            if arguments.repair:
                found = await session.repair()
                _say(arguments, f"Set aside {len(found)} damaged cases." if found else "No damaged case found.")
            if arguments.retry_exhausted:
                count = await session.retry_exhausted()
                _say(arguments, f"Opened {count} exhausted slots again.")
            elif session.was_interrupted:
                summary = await session.summary()
                _say(
                    arguments,
                    f"The last run of {session.id} was cut off; all {summary.instances_created} accepted cases are here.",
                )
            return await _build(session, arguments, out or session.out)

    return asyncio.run(start())


def _say(arguments: argparse.Namespace, text: str) -> None:
    if not arguments.json:
        print(text, flush=True)


def _checked_out(out: str | None) -> Path | None:
    """The output file, checked before hours of work go into it. Raises ``InputError``."""
    if not out:
        return None
    path = Path(out).expanduser().absolute()
    require_writer(format_of(path))
    parent = next(folder for folder in path.parents if folder.exists())
    if path.is_dir() or not parent.is_dir() or not os.access(parent, os.W_OK):
        raise InputError(
            f"--out {out} cannot be written.", f"Choose a file in a folder you can write to; {parent} is not."
        )
    return path


async def _build(session: Session, arguments: argparse.Namespace, out: Path | None) -> int:
    display = choose_display(
        as_json=arguments.json, plain=arguments.plain, on_broken=lambda: session.request_pause("the output was closed")
    )
    session.subscribe(display.show)
    result: RunResult | None = None
    error: DsbuilderError | None = None
    with _signals(session), display:
        try:
            result = await session.run()
        except DsbuilderError as caught:
            error = caught
        if result and result.state in (SessionState.COMPLETE, SessionState.SHORT):
            target = out or session.folder / f"{session.id}.jsonl"
            await session.export(target, private=out is None)
            display.say(_farewell(session, result, target))
        elif result:
            display.say(_paused(session, result, arguments))
    if error is not None:
        if error.exit_code in (ExitCode.RESUMABLE, ExitCode.ENDPOINT_REFUSED):
            print(f"dsbuilder: {error.problem} {error.way_out}".rstrip(), file=sys.stderr)
            print(f"Everything accepted is saved. To go on:  {resume_command(session, arguments)}", file=sys.stderr)
            return int(error.exit_code)
        raise error
    assert result is not None
    return int(result.exit_code)


def _farewell(session: Session, result: RunResult, target: Path) -> list[str]:
    lines = []
    if result.state is SessionState.COMPLETE:
        lines.append(f"Complete: {result.accepted} cases in {_span(result.seconds)}.")
    else:
        short = result.planned - result.accepted
        lines += [
            f"Finished short: {result.accepted} of {result.planned} cases; {short} slots were given up on.",
            f"See why:    dsbuilder show {session.id}{_place(session)}",
            f"Try again:  dsbuilder resume {session.id} --retry-exhausted{_place(session)}",
        ]
    return [
        *lines,
        f"Dataset:     {target}",
        f"Session:     {session.folder}",
        *([f"Checkpoint:  {seed_file(session.folder)}"] if session.config.enable_checkpointing else []),
    ]


def _paused(session: Session, result: RunResult, arguments: argparse.Namespace) -> list[str]:
    return [
        f"Paused: {result.accepted} of {result.planned} cases are saved; it is safe to close this.",
        f"To go on:  {resume_command(session, arguments)}",
    ]


def resume_command(session: Session, arguments: argparse.Namespace) -> str:
    """The command that continues this session from this folder."""
    return f"dsbuilder resume {shlex.quote(session.id)}{_place(session)}"


def _place(session: Session) -> str:
    root = session.folder.parent
    if root == DatasetBuilderConfig().checkpoint_root:
        return ""
    with contextlib.suppress(ValueError):
        root = root.relative_to(Path.cwd())
    return f" --checkpoint-dir {shlex.quote(str(root))}"


def _span(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{seconds:.1f} s"


@contextlib.contextmanager
def _signals(session: Session) -> Iterator[None]:
    """First signal: pause. Second: drop what is in flight. Third: go, with everything accepted on disk already."""
    loop, count, installed = asyncio.get_running_loop(), 0, []

    def handle(name: str) -> None:
        nonlocal count
        count += 1
        if count == 1:
            session.request_pause("Ctrl+C" if name == "SIGINT" else name)
        elif count == 2:
            session.drop_in_flight()
        else:
            os._exit(ExitCode.RESUMABLE)

    previous: dict[Any, Any] = {}
    for name in _SIGNALS:
        number = getattr(signal, name, None)
        if number is None:
            continue
        try:
            loop.add_signal_handler(number, handle, name)
            installed.append(number)
        except NotImplementedError:  # Windows
            previous[number] = signal.signal(number, lambda *_, name=name: loop.call_soon_threadsafe(handle, name))
    try:
        yield
    finally:
        for number in installed:
            loop.remove_signal_handler(number)
        for number, handler in previous.items():
            signal.signal(number, handler)
