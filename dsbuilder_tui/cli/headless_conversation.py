"""The main agent from the command line: a request in words, the plan it leads to, and on a yes the run."""

from __future__ import annotations

import argparse
import re
import shlex
import sys
from pathlib import Path
from textwrap import wrap

from dsbuilder_tui.agent.conversation import Conversation
from dsbuilder_tui.agent.headless_host import HeadlessHost
from dsbuilder_tui.agent.missing_plan import PlanMissing
from dsbuilder_tui.agent.turn_events import TurnEvent, TurnFailed
from dsbuilder_tui.cli.display import Display, choose_display
from dsbuilder_tui.domain.approval import Approval, PlanApproval, is_of_the_run
from dsbuilder_tui.domain.case_kind import CaseKind
from dsbuilder_tui.domain.errors import ExitCode, InputError
from dsbuilder_tui.domain.events import Notice
from dsbuilder_tui.domain.message import Message, PlanContent, PlanPart, TextContent, ToolContent
from dsbuilder_tui.domain.plain_words import counted
from dsbuilder_tui.domain.plan import DatasetPlanInput
from dsbuilder_tui.domain.sanitise import one_line, visible
from dsbuilder_tui.offline.planner.target_requests import missing_paths
from dsbuilder_tui.session import Session
from dsbuilder_tui.wording import place

_SMALL_WORDS = frozenset(
    "a an the of for to in on with and or my our your me i we need want please make build create write generate give some "
    "case cases test tests dataset data set eval evals evaluation examples half rest third each evenly".split()
)
_MOST_STEPS = 20  # questions answered with --yes before it is taken for a loop


def name_of_request(text: str) -> str:
    """A name for a session that has no plan yet, out of the first telling words of a request."""
    head = re.split(r"[:.;\n]", text, maxsplit=1)[0]
    words = [w for w in re.findall(r"[^\W\d_]+", head.casefold()) if w not in _SMALL_WORDS]
    return "-".join(words[:4])[:40] or "untitled"


def require_paths(prompt: str) -> None:
    """Raises ``InputError`` for a request that begins from an application or documents that are not there."""
    for path in missing_paths(prompt, Path.cwd()):
        raise InputError(f"There is no file or folder {path}.", "Check the path; nothing was built.")


async def converse(session: Session, arguments: argparse.Namespace, prompt: str | None) -> int | None:
    """Say the request and, with ``--yes``, agree to the plan and the run. The exit code, or None when a run is to begin.

    What else is asked (a file outside the session's folder, a folder that nobody named) waits for the person.
    """
    display = choose_display(as_json=arguments.json, plain=True, on_broken=lambda: None)
    if arguments.json:
        session.subscribe(display.show)
        return await _converse(session, arguments, prompt, display)
    # A run that begins behind it shows its notices itself.
    stop = session.subscribe(lambda event: display.say([f"! {event.text}"]) if isinstance(event, Notice) else None)
    try:
        return await _converse(session, arguments, prompt, display)
    finally:
        stop()


async def _converse(
    session: Session, arguments: argparse.Namespace, prompt: str | None, display: Display
) -> int | None:
    host = HeadlessHost(session, hold=True)
    conversation = Conversation(host)
    await conversation.open()
    parts = conversation.say(prompt) if prompt is not None else None
    for _ in range(_MOST_STEPS):
        if parts is not None:
            code = None
            async for part in parts:
                code = _tell(part, display.say) or code
            if code:
                return int(code)
        waiting = await conversation.waiting()
        if waiting is None:
            break
        display.say(question_lines(waiting))
        unread = (
            waiting.request.not_understood if isinstance(waiting.request, PlanApproval) and prompt is not None else ()
        )
        if arguments.yes and unread:
            display.say(
                [f"--yes agrees to what was understood alone; this was not: {', '.join(f'“{p}”' for p in unread)}."]
            )
        if not arguments.yes or unread or not is_of_the_run(waiting.request) or waiting == conversation.asked_again:
            _say_how(session, arguments, waiting)
            return int(ExitCode.RESUMABLE)
        _check_limit(session, waiting, arguments)
        parts = conversation.answer(waiting, yes=True)
    if session.planned and (host.wanted or arguments.yes):
        state = await session.settle()
        if state.total_instances_planned > state.instances_created + state.exhausted_slots:
            return None
        return int(ExitCode.SHORT if state.exhausted_slots else ExitCode.COMPLETE)
    _say_how(session, arguments, None)
    return int(ExitCode.RESUMABLE)


def _tell(part: TurnEvent, say: object) -> ExitCode | None:
    assert callable(say)
    match part:
        case Message(content=TextContent(), text=text):
            say(text.strip().splitlines())
        case Message(content=ToolContent(ok=ok), text=text):
            say([f"  {'✓' if ok else '✗'} {one_line(text, 300)}"])
        case PlanMissing():
            print(f"dsbuilder: {visible(part.text)}", file=sys.stderr)
        case TurnFailed():
            print(f"dsbuilder: {visible(part.text.removeprefix('✗ '))}", file=sys.stderr)
            return part.exit_code
        case _:
            pass
    return None


def question_lines(approval: Approval) -> list[str]:
    """What waits for a yes: a plan with its categories, or a question."""
    request = approval.request
    if not isinstance(request, PlanApproval):
        return [request.text]
    return plan_lines(request.plan, request.card)


def plan_lines(plan: DatasetPlanInput, card: PlanContent) -> list[str]:
    """A plan with its categories, its axes and their values, and what differs from the one before."""
    was = {row.name: row.was for row in card.rows}
    lines = [
        f"Plan revision {card.revision}: {plan.dataset_name}, {counted(plan.total_instances, 'case')} in "
        f"{counted(len(plan.categories), 'category')}"
    ]
    width = max(len(c.name) for c in plan.categories)
    for c in plan.categories:
        before = was.get(c.name)
        mark = "+" if before is None else "~" if before != c.count else " "
        change = f" (was {before})" if mark == "~" else ""
        kind = "" if c.kind is CaseKind.SINGLE else f"  {c.kind.value}s"
        lines.append(f"  {mark} {c.name:<{width}} {c.count:>5}{change}{kind}  {one_line(c.description, 70)}".rstrip())
    lines += [f"  − {row.name} (was {row.was})" for row in card.rows if not row.count]
    parts = sorted((*card.axes, *card.differences), key=lambda part: not (part.removed or part.added))
    for part in parts:  # what differs first
        lines += wrap(_part_words(part), 100, initial_indent="    ", subsequent_indent="      ", break_long_words=False)
    return [*lines, *[f"  · {note}" for note in filter(None, (card.writing, *card.notes))]]


def _part_words(part: PlanPart) -> str:
    """“tone: −neutral +angry polite”, or what an axis has where nothing of it differs."""
    changes = [
        *(f"−{one_line(value, 60)}" for value in part.removed),
        *(f"+{one_line(value, 60)}" for value in part.added),
    ]
    kept = [one_line(value, 60) for value in part.kept]
    told = " ".join([*changes, *kept]) if changes else ", ".join(kept)
    return f"{one_line(part.subject, 60)}: {told}{f', and {part.more:,} more' if part.more else ''}"


def _check_limit(session: Session, approval: Approval, arguments: argparse.Namespace) -> None:
    """``--yes`` agrees to what was asked for, not to a bill that a typo made. Raises ``InputError``."""
    planned = approval.request.card.planned if isinstance(approval.request, PlanApproval) else 0
    limit = session.config.max_dataset_size
    if planned > limit:
        raise InputError(
            f"The plan has {planned:,} cases, more than max_dataset_size allows ({limit:,}); --yes does not raise it.",
            f"To agree:  {_continue(session, arguments)} --yes --max-dataset-size {planned}",
        )


def _say_how(session: Session, arguments: argparse.Namespace, approval: Approval | None) -> None:
    command = _continue(session, arguments)
    lines = [f"To answer:  {command} --prompt '…'"]
    if approval is not None and not is_of_the_run(approval.request):
        lines = [
            "--yes agrees to the plan and the run alone, and this is neither.",
            f"To have it otherwise:  {command} --prompt '…'",
        ]
    elif approval is not None:
        lines = [f"To agree and go on:  {command} --yes", f"To change it:        {command} --prompt '…'"]
    lines.append(f"In the app:          dsbuilder studio {shlex.quote(session.id)}{place(session.folder.parent)}")
    print(visible("\n".join(lines)), file=sys.stderr if arguments.json else sys.stdout)


def _continue(session: Session, arguments: argparse.Namespace) -> str:
    folder = Path(session.folder)
    return f"dsbuilder resume {shlex.quote(folder.name)}{place(folder.parent)}"
