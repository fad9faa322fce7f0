"""``watch``: a session that another process works on, looked at from here."""

from __future__ import annotations

import argparse
import asyncio
import shlex

from dsbuilder_tui.cli.app_terminal import can_draw
from dsbuilder_tui.cli.command import CliCommand
from dsbuilder_tui.cli.display import choose_display
from dsbuilder_tui.cli.options import session_argument, settings_from, settings_options
from dsbuilder_tui.domain.errors import ExitCode, InputError
from dsbuilder_tui.domain.events import Event, RunStarted
from dsbuilder_tui.domain.plain_words import counted
from dsbuilder_tui.domain.session_state import SessionState
from dsbuilder_tui.session import Session
from dsbuilder_tui.session.follower import SessionFollower
from dsbuilder_tui.settings.stack import load_config
from dsbuilder_tui.signals import handled

_LOOK = 0.5  # seconds between two looks into the file


def _watch(arguments: argparse.Namespace) -> int:
    """Show the session in the app, or tell what happens in it until nobody has it open any more."""
    flags = settings_from(arguments)
    as_lines = arguments.plain or arguments.json or not can_draw()
    if as_lines:
        return asyncio.run(_follow(arguments))
    folder = asyncio.run(_open_elsewhere(arguments))
    from dsbuilder_tui.tui.start import open_app

    return open_app(flags, session=folder)


async def _open_elsewhere(arguments: argparse.Namespace) -> str:
    """The folder of a session that is open. Raises ``InputError`` when nobody has it open."""
    follower = await SessionFollower.open(arguments.session, load_config(**settings_from(arguments)))
    async with follower.session as session:
        _require_owner(follower)
        return str(session.folder.absolute())


def _require_owner(follower: SessionFollower) -> None:
    if follower.owner is None:
        name = follower.session.id
        raise InputError(
            f"Nobody has the session {name} open.",
            f"`dsbuilder studio {shlex.quote(name)}` opens it, `dsbuilder replay {shlex.quote(name)}` plays what happened.",
        )


async def _follow(arguments: argparse.Namespace) -> ExitCode:
    config, stop = load_config(**settings_from(arguments)), asyncio.Event()
    display = choose_display(as_json=arguments.json, plain=True, on_broken=stop.set)
    follower = await SessionFollower.open(arguments.session, config)
    async with follower.session as session:
        _require_owner(follower)
        where = f"process {follower.owner}"
        display.say(
            [f"Watching {session.id}, which is open in {where}: {await _standing(session)}. Ctrl+C ends the watching."]
        )
        if (begun := await _begun(session)) is not None:
            display.show(begun)
        session.subscribe(display.show)
        with handled(("SIGINT", "SIGTERM"), lambda _: stop.set()):
            while follower.owner is not None and not stop.is_set():
                await follower.look()
                await _pause(stop)
            if follower.owner is None:
                await follower.look()  # what was written last
                display.say([f"{where.capitalize()} has left {session.id}: {await _standing(session)}."])
    return display.exit_code(ExitCode.COMPLETE)


async def _pause(stop: asyncio.Event) -> None:
    try:
        async with asyncio.timeout(_LOOK):
            await stop.wait()
    except TimeoutError:
        return


async def _standing(session: Session) -> str:
    state = await session.summary()
    if not state.total_instances_planned:
        return "no plan yet"
    return f"{state.instances_created:,} of {counted(state.total_instances_planned, 'case')}"


async def _begun(session: Session) -> Event | None:
    """A run that is going on, as it stands now: what the lines of its progress count from."""
    state = await session.summary()
    if state.state is not SessionState.RUNNING:
        return None
    return RunStarted(
        ts=session.clock.now(), session=session.id, dataset_name=state.dataset_name, provider=state.provider,
        worker_model=state.worker_model, planned=state.total_instances_planned, accepted=state.instances_created,
        categories=state.categories, max_workers=session.config.workers, resumed=True,
    )  # fmt: skip


def _arguments(parser: argparse.ArgumentParser) -> None:
    session_argument(parser)
    shown = parser.add_mutually_exclusive_group()
    shown.add_argument("--json", action="store_true", help="one event a line, as JSON, as they come")
    shown.add_argument("--plain", action="store_true", help="plain lines in place of the app")


COMMAND = CliCommand(
    help="look at a session that another window works on",
    rank=41,
    run=_watch,
    arguments=(settings_options, _arguments),
)
