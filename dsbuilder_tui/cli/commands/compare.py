"""``compare``: two branches, checkpoints, sessions or dataset files, case by case."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
from collections.abc import Sequence
from pathlib import Path

from dsbuilder_tui.cli.command import CliCommand
from dsbuilder_tui.cli.options import json_option, place_option, settings_from, whole_number
from dsbuilder_tui.cli.output import print_json_lists, print_table, say
from dsbuilder_tui.domain.case import display_text
from dsbuilder_tui.domain.dataset_comparison import ComparedDataset, ComparedRow, DatasetComparison
from dsbuilder_tui.domain.errors import ExitCode, InputError, SessionNotFound
from dsbuilder_tui.domain.plain_words import counted
from dsbuilder_tui.domain.sanitise import one_line
from dsbuilder_tui.session import Session, library
from dsbuilder_tui.session.compared_datasets import compare
from dsbuilder_tui.settings.schema import DatasetBuilderConfig
from dsbuilder_tui.settings.stack import load_config

_SHOWN = 10


class _Sides:
    """Reads what is compared; a session is opened once."""

    def __init__(self, config: DatasetBuilderConfig, session: str | None, opened: contextlib.AsyncExitStack) -> None:
        self._config, self._session, self._opened = config, session, opened
        self._sessions: dict[Path, Session] = {}

    async def read(self, what: str) -> ComparedDataset:
        """Raises ``InputError`` for what is neither a file, nor a session, nor a point of one."""
        path = Path(what).expanduser()
        if what == "-" or path.is_file() or (path.is_dir() and not (path / library.SESSION_FILE).exists()):
            from dsbuilder_tui.session.file_dataset import file_dataset

            return await asyncio.to_thread(file_dataset, what)
        name, mark, point = what.rpartition("@")
        if mark and name:
            return await self._point(await self._open(name), point)
        if self._session is not None:
            return await self._point(await self._open(self._session), what)
        if (self._config.checkpoint_root / what / library.SESSION_FILE).exists():
            return await self._point(await self._open(what), None)
        try:
            return await self._point(await self._open(None), what)
        except (InputError, SessionNotFound) as error:
            with contextlib.suppress(SessionNotFound):
                return await self._point(await self._open(what), None)
            if isinstance(error, SessionNotFound):
                raise InputError(f"{what} is neither a file nor a session.", "See `dsbuilder sessions`.") from None
            raise

    async def _open(self, reference: str | None) -> Session:
        folder = library.find_session(self._config.checkpoint_root, reference)
        if folder not in self._sessions:
            opening = await Session.open(folder, self._config)
            self._sessions[folder] = await self._opened.enter_async_context(opening)
        return self._sessions[folder]

    async def _point(self, session: Session, point: str | None) -> ComparedDataset:
        """A branch by its name, else a checkpoint by its number or name."""
        names = [branch.name for branch in await session.branches.all()]
        if point is None or point in names:
            return await session.branches.dataset(point)
        try:
            return await session.branches.dataset((await session.checkpoints.found(point)).id)
        except InputError as error:
            raise InputError(
                f"{session.id} has no branch {point!r}, but {', '.join(names)}, and no such checkpoint.",
                error.hint,
            ) from None


def _compare(arguments: argparse.Namespace) -> int:
    config = load_config(**settings_from(arguments))

    async def tell() -> int:
        async with contextlib.AsyncExitStack() as opened:
            sides = _Sides(config, arguments.session, opened)
            datasets = await sides.read(arguments.before), await sides.read(arguments.after)
            found = await compare(*datasets, config)
        if arguments.json:
            print_json_lists(found.head(), found.lists)
        else:
            _print(found, arguments.most)
        return ExitCode.COMPLETE

    return asyncio.run(tell())


def _print(found: DatasetComparison, most: int) -> None:
    before, after = found.before, found.after
    say(f"{before.name} → {after.name}: {before.cases:,} → {counted(after.cases, 'case')}")
    say(", ".join(f"{count:,} {kind}" for kind, count in found.counts.items()))
    if min(len(found.added), len(found.removed)) + len(found.near) > found.near_sought:
        say(f"Cases in other words were sought among the first {found.near_sought:,} of either side alone.")
    for side in (before, after):
        if side.unreadable:
            say(f"Left out of {side.name}, since it cannot be read: {counted(side.unreadable, 'case')}")
    if found.plan:
        say("\nPlan:")
        for line in found.plan:
            say(f"  {line}")
    rows = [["", one_line(before.name, 40), one_line(after.name, 40)]]
    rows += [
        [name or "(no category)", *(f"{side.categories.get(name, 0):,}" for side in (before, after))]
        for name in dict.fromkeys([*before.categories, *after.categories])
    ]
    figures = (("variety", ",.0f"), ("mean_likeness", ".2f"), ("packed", ".1f"))
    for name, style in figures:
        values = [getattr(side.figures, name) for side in (before, after)]
        rows.append([name.replace("_", " "), *("–" if value is None else f"{value:{style}}" for value in values)])
    rows.append(["judged", *(side.judged.words or "–" for side in (before, after))])
    say()
    print_table(rows, right=(1, 2))
    _print_rows("Only in " + before.name, "−", found.removed, most)
    _print_rows("Only in " + after.name, "+", found.added, most)
    _print_pairs("Edited", [(one.before, one.after, ", ".join(one.fields)) for one in found.edited], most)
    _print_pairs(
        "Moved to another category",
        [(m.before, m.after, f"{m.before.category} → {m.after.category}") for m in found.moved],
        most,
    )
    _print_pairs("Said in other words", [(n.before, n.after, f"{n.stage} {n.score:.2f}") for n in found.near], most)


def _print_rows(title: str, mark: str, cases: Sequence[ComparedRow], most: int) -> None:
    if cases and most:
        say(f"\n{title}: {counted(len(cases), 'case')}")
        for case in cases[:most]:
            say(f"  {mark} {_named(case)}  {one_line(display_text(case.inputs), 110)}")
        _print_rest(len(cases) - most)


def _print_pairs(title: str, pairs: Sequence[tuple[ComparedRow, ComparedRow, str]], most: int) -> None:
    if pairs and most:
        say(f"\n{title}: {counted(len(pairs), 'case')}")
        for before, after, what in pairs[:most]:
            say(f"  {_named(before)} → {_named(after)}  ({what})")
            say(f"    − {one_line(display_text(before.inputs), 110)}")
            if before.inputs != after.inputs:
                say(f"    + {one_line(display_text(after.inputs), 110)}")
        _print_rest(len(pairs) - most)


def _print_rest(count: int) -> None:
    if count > 0:
        say(f"  … and {count:,} more; --json has all of them, --most N shows more.")


def _named(case: ComparedRow) -> str:
    return case.id or f"line {case.place}"


def _arguments(parser: argparse.ArgumentParser) -> None:
    what = "a dataset file, a session, SESSION@BRANCH or SESSION@CHECKPOINT; or a branch or checkpoint of --session"
    parser.add_argument("before", metavar="A", help=what)
    parser.add_argument("after", metavar="B", help="another one")
    parser.add_argument(
        "--session", metavar="SESSION", help="of which A and B are branches or checkpoints (the newest)"
    )
    parser.add_argument(
        "--most", type=whole_number(0), default=_SHOWN, metavar="N", help=f"cases of each kind to show ({_SHOWN})"
    )


COMMAND = CliCommand(
    help="compare branches, checkpoints or dataset files, case by case", rank=65, memory=700, run=_compare,
    arguments=(place_option, json_option, _arguments),
)  # fmt: skip
