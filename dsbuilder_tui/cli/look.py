"""Commands that look at sessions, move them, or show settings."""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dsbuilder_tui.cli.entry import require_plan, settings_from
from dsbuilder_tui.domain.case import display_text
from dsbuilder_tui.domain.clock import SystemClock
from dsbuilder_tui.domain.errors import ExitCode, InputError, SessionInUse
from dsbuilder_tui.domain.figures import DiversityReport, share_words, told_figures
from dsbuilder_tui.domain.sanitise import json_for_terminal, one_line, visible
from dsbuilder_tui.domain.session_state import SessionState
from dsbuilder_tui.session import Session
from dsbuilder_tui.settings.schema import KEYS, load_config
from dsbuilder_tui.store import catalog
from dsbuilder_tui.store.plan_file import example_names, load_example
from dsbuilder_tui.wording import STATE_WORDS, cost_words, writer_words


def say(text: str = "") -> None:
    """A line that may hold foreign text: names of folders, of categories, what a model said."""
    print(visible(text))


def print_json(value: Any) -> None:
    print(json_for_terminal(json.dumps(value, ensure_ascii=False, indent=2)))


def print_table(rows: list[list[str]], right: tuple[int, ...] = ()) -> None:
    """Aligned columns; the first row is the head."""
    shown = [[visible(cell) for cell in row] for row in rows]
    widths = [max(len(row[column]) for row in shown) for column in range(len(shown[0]))]
    for row in shown:
        cells = [c.rjust(w) if i in right else c.ljust(w) for i, (c, w) in enumerate(zip(row, widths, strict=True))]
        print("  ".join(cells).rstrip())


def sessions(arguments: argparse.Namespace) -> int:
    root = load_config(**settings_from(arguments)).checkpoint_root
    found = asyncio.run(catalog.list_sessions(root, SystemClock()))
    if arguments.json:
        print_json([listing.as_dict() for listing in found])
        return ExitCode.COMPLETE
    print_sessions(found, root)
    return ExitCode.COMPLETE


def print_sessions(found: Sequence[catalog.SessionListing], root: Path) -> None:
    """The sessions as a table."""
    if not found:
        say(f"There is no session in {root} yet. Start one:  dsbuilder run --example travel_assistant")
        return
    rows = [["SESSION", "CASES", "STATE", "REJECTED", "WRITER", "LAST ACTIVITY (UTC)"]]
    for s in found:
        state = STATE_WORDS.get(s.state, s.state) + (f" (pid {s.pid})" if s.pid else "")
        count = "?" if s.state == SessionState.DAMAGED else f"{s.accepted}/{s.planned}"
        count = "no plan yet" if s.undecided else count
        rows.append([s.id, count, state, str(s.rejected), s.worker_model, s.updated_at[:19].replace("T", " ")])
    print_table(rows, right=(1, 3))
    for s in found:
        if s.problem:
            say(f"{s.id}: {visible(s.problem)}")


def show(arguments: argparse.Namespace) -> int:
    config = load_config(**settings_from(arguments))
    try:
        return asyncio.run(_show(arguments, config))
    except SessionInUse:
        # While another process runs it, its note says where it stands; its cases are that process's to read.
        folder = catalog.find_session(config.checkpoint_root, arguments.session)
        listing = asyncio.run(catalog.list_session(folder, SystemClock()))
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
            say(f"{listing.id}: running in process {listing.pid}, {listing.accepted} of {listing.planned} cases.")
        return ExitCode.COMPLETE


async def _show(arguments: argparse.Namespace, config: Any) -> int:
    async with await Session.open(arguments.session, config) as session:
        require_plan(session)
        # Its own models and prices, as its runs have them.
        session.config = load_config(**{**session.settings, **settings_from(arguments)})
        summary = await session.summary()
        cases: list[dict[str, Any]] = []
        damaged: list[str] = []
        if arguments.cases > 0:
            async for case in session.cases(damaged=damaged):
                cases.append(case.record())
                if len(cases) >= arguments.cases:
                    break
        rejected = await session.rejections(5)
        report = await session.figures()
        if arguments.json:
            print_json({**summary.as_dict(), "diversity": report.as_dict(), "cases": cases, "damaged": damaged})
            return ExitCode.COMPLETE
        say(f"{session.id}: {STATE_WORDS.get(summary.state, summary.state)}, "
              f"{summary.instances_created} of {summary.total_instances_planned} cases "
              f"({summary.progress_percentage} %)")  # fmt: skip
        rows = [["CATEGORY", "PLANNED", "ACCEPTED", "REJECTED", "GIVEN UP"]]
        rows += [
            [name, *(str(c[key]) for key in ("planned", "accepted", "rejected", "exhausted"))]
            for name, c in summary.categories.items()
        ]
        say()
        print_table(rows, right=(1, 2, 3, 4))
        stages = ", ".join(f"{stage} {count}" for stage, count in summary.rejections.items()) or "none"
        say(f"\nRejections by stage: {stages}")
        if summary.last_checkpoint:
            say(f"Checkpoints: {summary.checkpoints}, the last at {summary.last_checkpoint['accepted']} cases "
                  f"({summary.last_checkpoint['created_at'][:19].replace('T', ' ')} UTC)")  # fmt: skip
        if summary.prompt_tokens or summary.completion_tokens:
            say(f"Tokens: {summary.prompt_tokens:,} in, {summary.completion_tokens:,} out ({summary.worker_model})")
        if spent := cost_words(summary.cost):
            say(f"Cost: {spent}")
        say(f"Folder: {summary.path}")
        if damaged:
            say(
                f"Damaged: {visible(', '.join(damaged[:5]))}; `dsbuilder resume {session.id} --repair` writes them again."
            )
        if report.overall.cases:
            print_figures(report)
        if cases:
            say("\nFirst cases:")
            for record in cases:
                say(f"  {record['tags']['case_id']}  {one_line(display_text(record['inputs']), 140)}")
        if rejected:
            say("\nLatest rejections:")
            for r in rejected:
                near = f" (nearest: {r.nearest_case_id})" if r.nearest_case_id else ""
                text = one_line(r.text, 80)
                say(f"  {visible(r.category)} slot {r.ordinal}, {r.stage}: {one_line(r.reason, 100)}{near}  {text}")
    return ExitCode.COMPLETE


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


def export(arguments: argparse.Namespace) -> int:
    config = load_config(**settings_from(arguments))
    damaged: list[str] | None = [] if arguments.skip_damaged else None

    async def write() -> int:
        async with await Session.open(arguments.session, config) as session:
            require_plan(session)
            count = await session.export(arguments.out, arguments.format, damaged=damaged)
            if arguments.json:
                print_json({"session": session.id, "path": arguments.out, "cases": count, "damaged": damaged or []})
            else:
                say(f"Wrote {count} cases of {session.id} to {arguments.out}.")
                if damaged:
                    say(f"Left out {len(damaged)} damaged cases: {visible(', '.join(damaged[:10]))}")
            return ExitCode.COMPLETE

    return asyncio.run(write())


def import_file(arguments: argparse.Namespace) -> int:
    config = load_config(**settings_from(arguments))

    async def load() -> int:
        from dsbuilder_tui.store.seed_format import read_seed_checkpoint

        seed = read_seed_checkpoint(Path(arguments.file).expanduser())
        async with await Session.create(seed.plan, config, imported=seed) as session:
            summary = await session.summary()
            if arguments.json:
                print_json({**summary.as_dict(), "notes": seed.notes})
                return ExitCode.COMPLETE
            for note in seed.notes:
                say(f"Note: {visible(note)}")
            say(f"Imported {summary.instances_created} of {summary.total_instances_planned} cases as {session.id}.")
            if summary.instances_created < summary.total_instances_planned:
                given = f" --checkpoint-dir {arguments.checkpoint_dir}" if arguments.checkpoint_dir else ""
                say(f"To go on:  dsbuilder resume {session.id}{given}")
        return ExitCode.COMPLETE

    return asyncio.run(load())


def examples(arguments: argparse.Namespace) -> int:
    plans = [(name, load_example(name)) for name in example_names()]
    if arguments.json:
        print_json([{"name": name, **plan.model_dump(mode="json")} for name, plan in plans])
        return ExitCode.COMPLETE
    for name, plan in plans:
        say(f"{name}: {plan.total_instances} cases")
        for category in plan.categories:
            say(f"  {category.name} ({category.count}): {category.description}")
    say("\nTry one:  dsbuilder run --example customer_service --max-dataset-size 500")
    return ExitCode.COMPLETE


def config(arguments: argparse.Namespace) -> int:
    settings = load_config(**settings_from(arguments))
    origins = settings.origins()
    values: dict[str, Any] = settings.model_dump(mode="json")
    values |= {name: "set" if getattr(settings, name) else "unset" for name in KEYS}
    values |= settings.shown_urls()
    values["extra_headers"] = dict.fromkeys(settings.extra_headers, "set")
    places = {
        "checkpoint_root": str(settings.checkpoint_root),
        "writer": writer_words(settings).removeprefix("the "),
    }
    if arguments.json:
        rows = {name: {"value": values[name], "source": origins[name]} for name in values}
        print_json({"settings": rows, **places})
        return ExitCode.COMPLETE
    table = [["SETTING", "VALUE", "SOURCE", "MEANING"]]
    for name, value in values.items():
        shown = {True: "true", False: "false", None: "–"}.get(value) if isinstance(value, bool | None) else str(value)
        shown = (json.dumps(value) if value else "–") if isinstance(value, dict) else shown
        meaning = type(settings).model_fields[name].description or ""
        table.append([name, one_line(shown or "", 40), origins[name], meaning])
    widest = sum(max(len(row[column]) for row in table) + 2 for column in range(4))
    if sys.stdout.isatty() and widest > shutil.get_terminal_size().columns:
        table = [row[:3] for row in table]  # what a setting means is in README, too
    print_table(table)
    say(f"\nSessions are in {places['checkpoint_root']}\nCases are written by: {places['writer']}")
    return ExitCode.COMPLETE
