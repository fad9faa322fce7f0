"""A session as it was at a checkpoint, in lines or as JSON."""

from __future__ import annotations

import argparse
from dataclasses import asdict

from dsbuilder_tui.cli.commands.checkpoints import checkpoint_data
from dsbuilder_tui.cli.output import print_json, print_table, say
from dsbuilder_tui.domain.case import display_text
from dsbuilder_tui.domain.clock import iso
from dsbuilder_tui.domain.errors import ExitCode
from dsbuilder_tui.domain.plain_words import counted
from dsbuilder_tui.domain.sanitise import one_line
from dsbuilder_tui.session import Session


async def show_point(session: Session, number: int, arguments: argparse.Namespace) -> int:
    """Show a checkpoint: its counts, the plan of then, and the newest cases."""
    shown = await session.checkpoints.preview(number, most_cases=max(0, arguments.cases))
    point, counts = shown.checkpoint, shown.counts
    categories = {c.name: {"planned": c.count, **asdict(counts[c.name])} for c in shown.plan.categories}
    if arguments.json:
        print_json(
            {
                "session": session.id,
                "checkpoint": checkpoint_data(point),
                "dataset_name": shown.plan.dataset_name,
                "instances_created": point.accepted,
                "total_instances_planned": point.planned,
                "plan_revision": shown.revision,
                "categories": categories,
                "cases": [case.record() for case in shown.cases],
            }
        )
        return ExitCode.COMPLETE
    when = iso(point.created_at)[:19].replace("T", " ")
    named = point.name or point.reason.replace("_", " ")
    say(
        f"{session.id}, branch {point.branch}, checkpoint {point.id} ({named}, {when} UTC): "
        f"{point.accepted:,} of {counted(point.planned, 'case')}"
    )
    rows = [["CATEGORY", "PLANNED", "ACCEPTED", "REJECTED", "EXHAUSTED"]]
    rows += [
        [name, *(f"{c[key]:,}" for key in ("planned", "accepted", "rejected", "exhausted"))]
        for name, c in categories.items()
    ]
    say()
    print_table(rows, right=(1, 2, 3, 4))
    say(f"\nPlan: revision {shown.revision}")
    if shown.cases:
        say("\nNewest cases:")
        for case in shown.cases:
            say(f"  {case.case_id}  {one_line(display_text(case.inputs), 140)}")
    return ExitCode.COMPLETE
