"""``dsbuilder judge``: a judge's verdict on each case of a session, or of a dataset file, whoever wrote it."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Mapping
from pathlib import Path

from dsbuilder_tui.cli.command import CliCommand
from dsbuilder_tui.cli.field_options import field_choice, field_options
from dsbuilder_tui.cli.key_question import ask_before_keys_leave
from dsbuilder_tui.cli.options import settings_from, settings_options
from dsbuilder_tui.cli.output import print_json, say, warn_of
from dsbuilder_tui.cli.plan_required import require_plan
from dsbuilder_tui.cli.targets import is_file
from dsbuilder_tui.domain.errors import ExitCode, InputError
from dsbuilder_tui.domain.events import Event
from dsbuilder_tui.domain.judging import JudgedCounts
from dsbuilder_tui.domain.node_events import NodeJoined, NodeLost
from dsbuilder_tui.domain.plain_words import counted, dollar_words
from dsbuilder_tui.session import Session
from dsbuilder_tui.session.file_verdicts import FileVerdicts, judge_file, verdicts_beside
from dsbuilder_tui.session.plan_files import load_plan
from dsbuilder_tui.settings.key_trust import KeyUse
from dsbuilder_tui.settings.schema import DatasetBuilderConfig
from dsbuilder_tui.settings.stack import load_config
from dsbuilder_tui.wording import cost_words, event_line, judged_lines


def _judge(arguments: argparse.Namespace) -> int:
    config = load_config(**settings_from(arguments))
    if arguments.judge_model is not None:
        config = load_config(**{**settings_from(arguments), "judge_model": arguments.judge_model})
    ask_before_keys_leave(config, [KeyUse.CHAT])
    if is_file(arguments.what, config):
        return asyncio.run(_judge_file(arguments, config))
    return asyncio.run(_judge_session(arguments, config))


async def _judge_session(arguments: argparse.Namespace, config: DatasetBuilderConfig) -> int:
    if arguments.out or arguments.plan or arguments.field:
        raise InputError("--out, --plan and --field are for files.", "A session keeps its verdicts, and has its plan.")
    async with await Session.open(arguments.what, config) as session:
        require_plan(session)
        session.subscribe(warn_of)
        session.subscribe(_of_nodes_alone)
        if arguments.examples:
            say((await session.verdicts.agreement()).rubric_examples() or "The judge and you do not differ.")
            return ExitCode.COMPLETE
        before = await _asked(session)
        await session.judge(arguments.category)
        summary = await session.summary()
        counts = {name: found for name, found in summary.judged_counts.items() if _wanted(arguments, name)}
        there = sum(c["accepted"] for name, c in summary.categories.items() if _wanted(arguments, name))
        if arguments.json:
            judged = {name: found.as_dict() for name, found in counts.items()}
            print_json(
                {"session": session.id, "judged": judged, "total": _total(counts).as_dict(), "cost": summary.cost}
            )
        else:
            for line in judged_lines(counts):
                say(line)
            say(
                f"{counted(await _asked(session) - before, 'case')} judged now; `dsbuilder show` has the rejections and cost."
            )
            if words := (await session.verdicts.agreement()).words:
                say(f"The judge and you: {words}")
            if cost := cost_words(summary.cost):
                say(f"Cost: {cost}")
        return _exit_code(arguments, _total(counts), there)


async def _asked(session: Session) -> int:
    total = _total((await session.summary()).judged_counts)
    return total.judged + total.not_judged


async def _judge_file(arguments: argparse.Namespace, config: DatasetBuilderConfig) -> int:
    if arguments.category:
        raise InputError("--category is for sessions.", "All rows of a file are judged.")
    if arguments.what == "-" and not arguments.out:
        raise InputError("There is no place beside standard input.", "Name a file for the verdicts with --out.")
    out = Path(arguments.out).expanduser() if arguments.out else verdicts_beside(Path(arguments.what).expanduser())
    plan = load_plan(arguments.plan, config) if arguments.plan else None
    told = _told if sys.stderr.isatty() and not arguments.json else lambda found: None
    found = await judge_file(
        arguments.what, out, config, choice=field_choice(arguments), plan=plan, told=told, tell=_of_nodes
    )  # fmt: skip
    total = found.total
    if arguments.json:
        print_json({**found.as_dict(), "verdicts": str(out)})
    else:
        for line in judged_lines(found.counts if any(found.counts) else {"all": total}):
            say(line)
        parts = [f"{counted(found.rows, 'row')}, {counted(found.calls, 'call')}"]
        parts += [f"{found.known:,} judged before"] if found.known else []
        parts += [f"{found.unreadable:,} that hold no case"] if found.unreadable else []
        parts += [dollar_words(found.dollars)] if found.dollars else []
        say(f"{', '.join(parts)}. Verdicts: {out}")
        if found.budget_used_up:
            say("The budget is used up; with a higher one the same command goes on.")
    return _exit_code(arguments, total, found.rows - found.unreadable)


def _of_nodes(event: Event) -> None:
    """What becomes of the nodes of a cluster, on standard error."""
    if (line := event_line(event)) is not None:
        print(line, file=sys.stderr)


def _of_nodes_alone(event: Event) -> None:
    if isinstance(event, NodeJoined | NodeLost):
        _of_nodes(event)


def _told(found: FileVerdicts) -> None:
    total = found.total
    print(f"\r  {total.judged + total.not_judged:,} judged, {total.bad:,} bad ", end="", file=sys.stderr, flush=True)


def _total(counts: Mapping[str, JudgedCounts]) -> JudgedCounts:
    return sum(counts.values(), JudgedCounts())


def _wanted(arguments: argparse.Namespace, name: str) -> bool:
    return not arguments.category or name in arguments.category


def _exit_code(arguments: argparse.Namespace, total: JudgedCounts, cases: int) -> ExitCode:
    if total.judged + total.not_judged < cases:
        return ExitCode.RESUMABLE
    if total.not_judged and not total.judged:
        return ExitCode.SHORT
    return ExitCode.SHORT if arguments.check and (total.bad or total.not_judged) else ExitCode.COMPLETE


def _arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add(
        "what",
        nargs="?",
        metavar="FILE|SESSION",
        help="a dataset file (- for standard input), or a session (the newest)",
    )
    add("--category", action="append", default=[], metavar="NAME", help="of a session: these alone; may be given again")
    add("--plan", metavar="FILE", help="of a file: the plan with what the application is, and the rubric")
    add("--out", metavar="FILE", help="of a file: where the verdicts go (FILE.verdicts.jsonl beside it)")
    add("--judge-model", metavar="NAME", help="the judge's model (that of the main agent)")
    add("--examples", action="store_true", help="of a session: where you decided otherwise, as words for `rubric:`")
    add("--check", action="store_true", help="exit code 3 when a case is bad or was not judged")
    add("--json", action="store_true", help="the result as one JSON object")


COMMAND = CliCommand(
    help="have a judge read the cases of a session, or of a dataset file", rank=92, memory=700, run=_judge,
    arguments=(settings_options, field_options, _arguments),
)  # fmt: skip
