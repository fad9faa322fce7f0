"""``show``: where a session stands."""

from __future__ import annotations

import argparse
import asyncio
import shlex
from typing import Any

from dsbuilder_tui.cli.command import CliCommand
from dsbuilder_tui.cli.options import json_option, place_option, session_argument, settings_from, whole_number
from dsbuilder_tui.cli.output import print_json, print_table, say, warn_of
from dsbuilder_tui.cli.plan_required import require_plan
from dsbuilder_tui.domain.batch_job_words import job_words, jobs_words
from dsbuilder_tui.domain.case import display_text
from dsbuilder_tui.domain.clock import SystemClock
from dsbuilder_tui.domain.conversation import MESSAGES, turns_of
from dsbuilder_tui.domain.errors import ExitCode, InputError, SessionInUse
from dsbuilder_tui.domain.evaluation_words import result_lines
from dsbuilder_tui.domain.figures import DiversityReport, share_words, told_figures
from dsbuilder_tui.domain.plain_words import counted
from dsbuilder_tui.domain.sanitise import one_line, visible
from dsbuilder_tui.session import Session, library
from dsbuilder_tui.session.templates import TemplateUse
from dsbuilder_tui.settings.stack import load_config
from dsbuilder_tui.wording import (
    STATE_WORDS,
    cost_words,
    imported_words,
    judged_advice,
    judged_lines,
    kind_words,
    pair_words,
    stages_lines,
    writing_words,
)


def _show(arguments: argparse.Namespace) -> int:
    config = load_config(**settings_from(arguments))
    try:
        return asyncio.run(_show_session(arguments, config))
    except SessionInUse:
        # While another process runs it, its note says where it stands; its cases are that process's to read.
        folder = library.find_session(config.checkpoint_root, arguments.session)
        listing = asyncio.run(library.list_session(folder, SystemClock()))
        if listing.undecided:
            raise InputError(f"{listing.id} has no plan yet.", f"It is open in process {listing.pid}.") from None
        if arguments.json:
            share = round(100 * listing.accepted / listing.planned, 1) if listing.planned else 0.0
            as_shown = {
                "session": listing.id, "dataset_name": listing.dataset_name, "state": listing.state, "pid": listing.pid,
                "instances_created": listing.accepted, "total_instances_planned": listing.planned,
                "progress_percentage": share, "exhausted_slots": listing.exhausted, "provider": listing.provider,
                "worker_model": listing.worker_model, "path": listing.path,
            }  # fmt: skip
            print_json(as_shown)
        else:
            say(
                f"{listing.id}: running in process {listing.pid}, {listing.accepted} of {counted(listing.planned, 'case')}."
            )
        return ExitCode.COMPLETE


async def _show_session(arguments: argparse.Namespace, config: Any) -> int:
    async with await Session.open(arguments.session, config) as session:
        if arguments.at is not None or arguments.branch is not None:
            from dsbuilder_tui.cli.point_view import show_point

            if arguments.at is not None:
                return await show_point(session, (await session.checkpoints.found(arguments.at)).id, arguments)
            branch = await session.branches.named(arguments.branch)
            if not branch.current and branch.tip is not None:
                return await show_point(session, branch.tip, arguments)
        require_plan(session)
        session.subscribe(warn_of)
        await session.cases.require_sound()
        summary = await session.summary()
        cases: list[dict[str, Any]] = []
        damaged: list[str] = []
        if arguments.cases > 0:
            async for case in session.cases.all(damaged=damaged):
                cases.append(case.record())
                if len(cases) >= arguments.cases:
                    break
        rejected = await session.rejections.newest(5)
        report = await session.diversity.figures()
        agreement = await session.verdicts.agreement()
        templates = await session.templates.as_dict()
        tracked = await session.tracking.state()
        jobs = await session.batch_jobs.waiting()
        evaluated = await session.results.figures()
        if arguments.json:
            print_json(
                {
                    **summary.as_dict(),
                    "agreement": agreement.as_dict(),
                    "diversity": report.as_dict(),
                    **({"templates": templates} if templates["templates"] else {}),
                    **({"mlflow": tracked.as_dict()} if tracked is not None else {}),
                    **({"evaluated": evaluated.as_dict()} if evaluated.runs else {}),
                    "cases": cases,
                    "damaged": damaged,
                }
            )
            return ExitCode.COMPLETE
        say(f"{session.id}: {STATE_WORDS.get(summary.state, summary.state)}, "
              f"{summary.instances_created} of {counted(summary.total_instances_planned, 'case')} "
              f"({summary.progress_percentage} %)")  # fmt: skip
        if jobs:
            say(jobs_words(jobs, session.clock.now()) + ":")
            for job in jobs:
                say(f"  {visible(job_words(job, session.clock.now()))}")
        rows = [["CATEGORY", "PLANNED", "ACCEPTED", "REJECTED", "EXHAUSTED"]]
        rows += [
            [name, *(str(c[key]) for key in ("planned", "accepted", "rejected", "exhausted"))]
            for name, c in summary.categories.items()
        ]
        say()
        print_table(rows, right=(1, 2, 3, 4))
        if kinds := kind_words(session.plan):
            say(f"\nKinds: {kinds}")
        if writing := writing_words(session.plan):
            say(f"\nWritten {writing}")
        for line in stages_lines(session.plan):
            say(f"Stages of {line}")
        if pairs := pair_words(session.plan):
            say(f"Planned pairs: {pairs}")
        stages = ", ".join(f"{stage} {count}" for stage, count in summary.rejections.items()) or "none"
        if words := imported_words(summary):
            say(f"\n{words}")
        say(f"\nRejections by stage: {stages}")
        for line in (*judged_lines(summary.judged_counts), judged_advice(summary.judged_counts)):
            if line:
                say(f"Judged: {line}")
        if agreement.words:
            say(f"The judge and you: {agreement.words}")
        if summary.last_checkpoint:
            elsewhere = summary.checkpoints_elsewhere
            say(f"Checkpoints: {summary.checkpoints:,}, the last at {counted(summary.last_checkpoint['accepted'], 'case')} "
                  f"({summary.last_checkpoint['created_at'][:19].replace('T', ' ')} UTC)"
                  f"{f'; {elsewhere:,} on other branches' if elsewhere else ''}")  # fmt: skip
        if summary.prompt_tokens or summary.completion_tokens:
            say(f"Tokens: {summary.prompt_tokens:,} in, {summary.completion_tokens:,} out ({summary.worker_model})")
        if spent := cost_words(summary.cost):
            say(f"Cost: {spent}")
        if tracked is not None:
            say(f"MLflow: {visible(tracked.words)} ({visible(tracked.link)})")
        for line in result_lines(evaluated):
            say(f"Evaluated: {visible(line)}")
        say(f"Folder: {summary.path}")
        for use in await session.documents.uses():
            used = f"{use.used} of {counted(use.passages, 'passage')} used"
            say(f"Document {visible(use.document)}: {used}, {counted(use.cases, 'case')}")
        for about in await session.documents.row_uses():
            used = "not read yet" if about.rows is None else f"{about.used:,} of {counted(about.rows, 'row')} used"
            say(
                f"Rows of {visible(about.category)}: {visible(about.axis.words)}, {used}, {counted(about.cases, 'case')}"
            )
        await print_templates(session)
        if damaged:
            say(
                f"Damaged: {visible(', '.join(damaged[:5]))}; `dsbuilder resume {shlex.quote(session.id)} --repair` "
                "writes them again."
            )
        if report.overall.cases:
            print_figures(report)
        if cases:
            say("\nFirst cases:")
            for record in cases:
                turns = turns_of(record["inputs"].get(MESSAGES))
                first = f"{counted(len(turns), 'message')}:" if turns else one_line(display_text(record["inputs"]), 140)
                say(f"  {record['tags']['case_id']}  {first}")
                for turn in turns:
                    say(f"    {turn.speaker.value if turn.speaker else 'other'}: {one_line(turn.text, 130)}")
        if rejected:
            say("\nLatest rejections:")
            for r in rejected:
                near = f" (nearest: {r.nearest_case_id})" if r.nearest_case_id else ""
                text = one_line(r.text, 80)
                say(f"  {visible(r.category)} slot {r.ordinal}, {r.stage}: {one_line(r.reason, 100)}{near}  {text}")
    return ExitCode.COMPLETE


async def print_templates(session: Session) -> None:
    """The templates that cases were made of, with what became of those, and what they cost either way."""
    stored, costs = await session.templates.all(), await session.templates.costs()
    if not stored:
        return
    uses = await session.templates.uses()
    made = f"{counted(costs.cases, 'case')}: {costs.words or 'the price is not known'}" if costs else "no case yet"
    say(f"\nTemplates: {made}")
    rows = [["TEMPLATE", "ACCEPTED", "REJECTED", "TEXT"]]
    for one in stored:
        use = uses.get(one.name, TemplateUse())
        text = f"(dropped: {one.dropped}) {one.text}" if one.dropped else one.text
        rows.append([visible(one.name), f"{use.accepted:,}", f"{use.rejected:,}", one_line(text, 90)])
    print_table(rows, right=(1, 2))


def print_figures(report: DiversityReport) -> None:
    """How different the cases are: a sentence for each figure, then the figures of each category."""
    say("\nHow different the cases are:")
    for told in told_figures(report.overall):
        advice = f" {told.advice}" if told.advice else ""
        say(f"  {told.title:<12} {told.sentence}{advice}")
    if len(report.categories) < 2:
        return
    rows = [["CATEGORY", "CASES", "VARIETY", "ANY TWO", "NEAREST", "PACKED", "COVERAGE"]]
    for name, f in report.categories.items():
        figures = (
            (f.variety, ",.0f"), (f.mean_likeness, ".2f"), (f.nearest_likeness, ".2f"), (f.packed, ".1f")
        )  # fmt: skip
        cells = [f"{value:{style}}" if value is not None else "–" for value, style in figures]
        rows.append([name, f"{f.cases:,}", *cells, share_words(f.cells_filled, f.cells)])
    say()
    print_table(rows, right=(1, 2, 3, 4, 5, 6))


def _arguments(parser: argparse.ArgumentParser) -> None:
    session_argument(parser)
    point = parser.add_mutually_exclusive_group()
    point.add_argument(
        "--at", metavar="ID", help="as it was at a checkpoint: its number, its name, or words (“yesterday evening”)"
    )
    point.add_argument("--branch", metavar="NAME", help="as it is on another branch")
    parser.add_argument("--cases", type=whole_number(0), default=5, metavar="N", help="how many cases to show (5)")


COMMAND = CliCommand(
    help="show where a session stands",
    rank=60,
    memory=400,
    run=_show,
    arguments=(place_option, json_option, _arguments),
)
