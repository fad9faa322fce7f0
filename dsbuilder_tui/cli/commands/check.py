"""``dsbuilder check``: a lint for evaluation datasets."""

from __future__ import annotations

import argparse
import asyncio
import json
import tempfile
from dataclasses import replace
from pathlib import Path

from dsbuilder_tui import __version__
from dsbuilder_tui.atomic_write import atomic_write, replaceable
from dsbuilder_tui.cli.command import CliCommand
from dsbuilder_tui.cli.field_options import field_choice, field_options
from dsbuilder_tui.cli.key_question import ask_before_keys_leave
from dsbuilder_tui.cli.options import settings_from, settings_options
from dsbuilder_tui.cli.output import print_json, say
from dsbuilder_tui.cli.plan_required import require_plan
from dsbuilder_tui.cli.targets import is_file
from dsbuilder_tui.domain.errors import ExitCode, InputError
from dsbuilder_tui.domain.plan import DatasetPlanInput
from dsbuilder_tui.lint import CheckReport, Severity, check, judged_sample
from dsbuilder_tui.lint.baseline import write_baseline
from dsbuilder_tui.session import Session
from dsbuilder_tui.session.plan_files import load_plan
from dsbuilder_tui.settings.key_trust import KeyUse
from dsbuilder_tui.settings.schema import DatasetBuilderConfig
from dsbuilder_tui.settings.stack import load_config


def _check(arguments: argparse.Namespace) -> int:
    config = load_config(**settings_from(arguments))
    ask_before_keys_leave(config, [KeyUse.EMBEDDINGS, *([KeyUse.CHAT] if arguments.judge else [])])
    if is_file(arguments.what, config):
        plan = load_plan(arguments.plan, config) if arguments.plan else None
        return _end(arguments, asyncio.run(_report(arguments, arguments.what, plan, config)))
    if arguments.plan or arguments.field or arguments.fix or arguments.in_place:
        raise InputError(
            "--plan, --field, --fix and --in-place are for files.", "A session has its plan; export it to mend a file."
        )
    return _end(arguments, asyncio.run(_session(arguments, config)))


async def _session(arguments: argparse.Namespace, config: DatasetBuilderConfig) -> CheckReport:
    async with await Session.open(arguments.what, config) as session:
        require_plan(session)
        with tempfile.TemporaryDirectory(prefix="dsbuilder-check-") as place:
            path = Path(place) / "cases.jsonl"
            await session.exports.write(path, "jsonl", private=True)
            return replace(await _report(arguments, path, session.plan, config), source=session.id)


async def _report(
    arguments: argparse.Namespace, source: str | Path, plan: DatasetPlanInput | None, config: DatasetBuilderConfig
) -> CheckReport:
    choice = field_choice(arguments)
    if arguments.in_place and (str(source) == "-" or Path(source).is_dir()):
        raise InputError("--in-place writes one file again.", "Name a file, or where to write with --fix.")
    report = await asyncio.to_thread(
        check,
        source,
        fields=choice.fields,
        category_field=choice.category_field,
        expectations_field=choice.expectations_field,
        split_field=arguments.split_field,
        plan=plan,
        baseline=arguments.baseline,
        fixed=source if arguments.in_place else _new_file(arguments.fix, source),
        config=config,
    )
    if not arguments.judge:
        return report
    if str(source) == "-":
        raise InputError("--judge reads the rows again, which standard input does not allow.", "Name the file.")
    findings, _ = await judged_sample(Path(source).expanduser(), report.categories, config, choice=choice, plan=plan)
    return report.with_findings(tuple(findings))


def _new_file(fix: str | None, source: str | Path) -> str | None:
    """Where to write what is mended. Raises ``InputError`` for the file that is read, and for a folder."""
    if fix is not None and (not fix.strip() or Path(fix).expanduser().is_dir()):
        raise InputError(f"--fix {fix!r} is not the name of a file.", "Name one, such as mended.jsonl.")
    if fix is not None and Path(fix).exists() and Path(source).exists() and Path(fix).samefile(source):
        raise InputError(f"--fix {fix} is the file to read, too.", "Choose another name, or say --in-place.")
    return fix


def _end(arguments: argparse.Namespace, report: CheckReport) -> int:
    if arguments.sarif:
        with atomic_write(replaceable(Path(arguments.sarif).expanduser())) as handle:
            handle.write(json.dumps(report.as_sarif(__version__), ensure_ascii=False, indent=1).encode())
    if arguments.write_baseline:
        count = write_baseline(Path(arguments.write_baseline), report.findings)
        say(f"Wrote {arguments.write_baseline}: {count} findings that are known from now on.")
        return ExitCode.COMPLETE
    if arguments.json:
        print_json(report.as_dict())
    else:
        for line in report.lines():
            say(line)
    return ExitCode.COMPLETE if report.is_clean(Severity(arguments.fail_on)) else ExitCode.SHORT


def _arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add(
        "what",
        nargs="?",
        metavar="FILE|SESSION",
        help="a dataset file (- for standard input), or a session (the newest)",
    )
    add("--plan", metavar="FILE", help="of a file: a plan with the application's tools and the rules of its categories")
    add("--split-field", metavar="PATH", help="where a row says which split it belongs to (split, tags.split)")
    add("--judge", action="store_true", help="have the judge read a sample of the cases, too")
    fix = parser.add_mutually_exclusive_group()
    fix.add_argument(
        "--fix",
        metavar="FILE",
        help="write the dataset there without exact repeats, each id once, and with broken characters and blanks around texts "
        "mended",
    )
    fix.add_argument("--in-place", action="store_true", help="as --fix, into the file itself")
    add("--baseline", metavar="FILE", help="do not tell of findings that stand in this file")
    add("--write-baseline", metavar="FILE", help="write what is found now as known")
    add("--sarif", metavar="FILE", help="write the findings in SARIF 2.1.0, too")
    add("--json", action="store_true", help="the report as one JSON object")
    add(
        "--fail-on", choices=[str(severity) for severity in Severity], default=str(Severity.WARNING),
        help="exit code 3 from this weight on (warning)",
    )  # fmt: skip


COMMAND = CliCommand(
    help="find what is wrong with an evaluation dataset, whoever wrote it", rank=88, run=_check,
    arguments=(settings_options, field_options, _arguments),
)  # fmt: skip
