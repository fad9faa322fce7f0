"""``resume``: go on with a session."""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path

from dsbuilder_tui.cli.building import build, checked_out, model_for, talk_and_build
from dsbuilder_tui.cli.command import CliCommand
from dsbuilder_tui.cli.display import choose_display
from dsbuilder_tui.cli.key_question import ask_before_files_leave, ask_before_mlflow_is_read
from dsbuilder_tui.cli.options import (
    display_options,
    out_option,
    session_argument,
    settings_from,
    settings_options,
    wait_option,
    whole_number,
)
from dsbuilder_tui.cli.plan_required import require_plan
from dsbuilder_tui.domain.clock import SystemClock
from dsbuilder_tui.domain.errors import ExitCode, InputError
from dsbuilder_tui.domain.events import RunFinished
from dsbuilder_tui.domain.plain_words import counted
from dsbuilder_tui.domain.sanitise import visible
from dsbuilder_tui.domain.session_state import BuilderState
from dsbuilder_tui.session import Session
from dsbuilder_tui.session.library import open_with_notes
from dsbuilder_tui.settings.provider_names import OFFLINE
from dsbuilder_tui.settings.stack import load_config
from dsbuilder_tui.tracking.dataset_lookup import stored_name
from dsbuilder_tui.wording import retry_command


def _resume(arguments: argparse.Namespace) -> int:
    if arguments.where_it_fails != (arguments.more is not None):
        raise InputError("--more and --where-it-fails go together.", "Say --more 30 --where-it-fails.")
    flags = settings_from(arguments)
    config = load_config(**flags)
    out = checked_out(arguments.out)

    if stored_name(arguments.session) is not None:
        ask_before_mlflow_is_read(config)

    async def start() -> int:
        notes: tuple[str, ...] = ()
        if stored_name(arguments.session) is not None:
            opened, notes = await open_with_notes(arguments.session, config)
        else:
            opened = await Session.open(arguments.session, config)
        async with opened as session:
            if not arguments.json:
                for note in notes:
                    print(f"Note: {visible(note)}", flush=True)
            if "seed" in flags and config.seed != session.seed:
                raise InputError(
                    f"--seed {config.seed}: the session {session.id} was planned with seed {session.seed}.",
                    "Leave --seed out; the seed of a session is fixed.",
                )
            if arguments.branch is not None and not (await session.branches.named(arguments.branch)).current:
                await session.branches.switch(arguments.branch)
            if out is None:
                ask_before_files_leave(session)
            waits = not session.planned and (await session.approvals.open() or await session.approvals.strange())
            if arguments.prompt is not None or arguments.yes or waits:
                return await talk_and_build(session, arguments, out)
            require_plan(session)
            await _prepare(session, arguments)
            if arguments.more is not None:
                await session.plans.revise((await session.failing_cells.plan(arguments.more)).plan)
            cut_off = not (await session.summary()).state.is_settled
            unread = await session.verdicts.unread(cut_off=cut_off)
            summary = await session.settle()
            if summary.state.is_settled and not unread:
                return await _nothing_to_do(session, summary, arguments, out)
            if summary.provider != OFFLINE and session.config.lacks_provider:
                raise InputError(
                    f"The cases of {session.id} are written by {summary.worker_model}, and no key or endpoint is set now.",
                    "Set OPENAI_API_KEY or --base-url, or say --provider offline to have the built-in writer do the rest.",
                )
            async with model_for(session.config) as model:
                return await build(session, model, arguments, out or session.dataset.out)

    return asyncio.run(start())


async def _prepare(session: Session, arguments: argparse.Namespace) -> None:
    def say(text: str) -> None:
        if not arguments.json:
            print(visible(text), flush=True)

    if session.was_interrupted:
        count = (await session.summary()).instances_created
        say(f"The last run of {session.id} was cut off; all {counted(count, 'accepted case')} are here.")
    if arguments.cancel_batches and arguments.drop_batches:
        raise InputError("--cancel-batches and --drop-batches do not go together.", "Leave one of them out.")
    if arguments.cancel_batches:
        say(f"{counted(await session.batch_jobs.cancel(), 'batch job')} will be cancelled; what is done is collected.")
    if arguments.drop_batches:
        say(f"Gave up {counted(await session.batch_jobs.give_up(), 'batch job')}.")
    if arguments.repair:
        found = await session.cases.repair()
        say(f"Set aside {counted(len(found), 'damaged case')}." if found else "No damaged case found.")
    if arguments.retry_exhausted:
        say(f"Opened {counted(await session.cases.retry_exhausted(), 'exhausted slot')} again.")


async def _nothing_to_do(
    session: Session, summary: BuilderState, arguments: argparse.Namespace, out: Path | None
) -> int:
    """All slots are settled: say so, and see that the dataset is where it should be."""
    display = choose_display(as_json=arguments.json, plain=True, on_broken=lambda: None)
    session.subscribe(display.show)
    target = out or session.dataset.path
    if out or not await session.dataset.is_written(target):
        await session.dataset.write(target)
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
            f"{session.id} is finished short: {summary.instances_created} of {counted(summary.total_instances_planned, 'case')}, "
            f"{counted(short, 'slot')} exhausted.",
            f"Try again:   {retry_command(session.id, session.folder.parent)}",
        ]
    display.say([*lines, f"Dataset:     {session.dataset.where(target)}"])
    return int(display.exit_code(ExitCode.SHORT if short else ExitCode.COMPLETE))


def _arguments(parser: argparse.ArgumentParser) -> None:
    session_argument(parser)
    parser.add_argument("--prompt", metavar="WORDS", help="say this to the main agent first")
    parser.add_argument("--yes", action="store_true", help="agree to the plan and the run, not to files elsewhere")
    parser.add_argument(
        "--more", type=whole_number(1), metavar="N", help="with --where-it-fails: how many cases are added"
    )
    parser.add_argument(
        "--where-it-fails", action="store_true", help="add N cases where evaluations in MLflow say that it fails"
    )
    parser.add_argument("--branch", metavar="NAME", help="go on with another branch, from now on")
    parser.add_argument("--repair", action="store_true", help="set damaged cases aside and write them again")
    parser.add_argument(
        "--cancel-batches", action="store_true", help="have the provider stop its batch jobs, and collect what is done"
    )
    parser.add_argument(
        "--drop-batches",
        action="store_true",
        help="forget batch jobs that cannot be collected; they are paid for again",
    )
    parser.add_argument("--retry-exhausted", action="store_true", help="try the exhausted slots again")


COMMAND = CliCommand(
    help="go on with a session (the newest, when none is named)",
    rank=30,
    memory=700,
    run=_resume,
    arguments=(settings_options, display_options, out_option, wait_option, _arguments),
)
