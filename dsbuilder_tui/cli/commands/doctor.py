"""``doctor``: what works, what does not, and the way out of each."""

from __future__ import annotations

import argparse
import asyncio
import shlex
import sqlite3
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dsbuilder_tui.cli.command import CliCommand
from dsbuilder_tui.cli.key_question import ask_before_keys_leave
from dsbuilder_tui.cli.options import json_option, settings_from, settings_options
from dsbuilder_tui.cli.output import print_json, say
from dsbuilder_tui.domain.errors import ExitCode, InputError
from dsbuilder_tui.domain.plain_words import counted
from dsbuilder_tui.domain.sanitise import visible
from dsbuilder_tui.models.providers import provider_of
from dsbuilder_tui.quality.validation import VALIDATORS
from dsbuilder_tui.registry import PlugInBroken, Registry
from dsbuilder_tui.session.export_formats import FORMATS
from dsbuilder_tui.session.import_formats import IMPORT_FORMATS
from dsbuilder_tui.session.repair import examine_session, salvage_session
from dsbuilder_tui.settings.provider_names import OFFLINE, PROVIDERS
from dsbuilder_tui.settings.runner_names import LOCAL, RUNNERS
from dsbuilder_tui.settings.schema import DatasetBuilderConfig
from dsbuilder_tui.settings.stack import load_config
from dsbuilder_tui.settings.stage_names import STAGES
from dsbuilder_tui.sources.rows.row_shapes import ROW_SHAPES
from dsbuilder_tui.wording import place, resume_command

if TYPE_CHECKING:
    from dsbuilder_tui.models.endpoint_probe import ProbeFinding

_REGISTRIES: tuple[Registry[Any], ...] = (PROVIDERS, RUNNERS, STAGES, VALIDATORS, FORMATS, IMPORT_FORMATS, ROW_SHAPES)
_MARKS = {"ok": "✓", "note": "·", "problem": "✗"}


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the doctor's report. ``status``: ok, note, problem."""

    name: str
    status: str
    text: str
    hint: str = ""


def _doctor(arguments: argparse.Namespace) -> int:
    config = load_config(**settings_from(arguments))
    if arguments.bundle is not None:
        return _bundle(config, arguments)
    if arguments.with_texts:
        raise InputError("--with-texts is for a report.", "Say --bundle as well.")
    if arguments.session is not None or arguments.repair:
        return asyncio.run(_examine_session(arguments, config))
    ask_before_keys_leave(config)

    async def examine() -> int:
        checks = []
        refused = False
        async for check, is_refusal in _checks(config):
            checks.append(check)
            refused = refused or is_refusal
            if not arguments.json:
                print(f"{_MARKS[check.status]} {check.name}: {visible(check.text)}", flush=True)
                if check.hint:
                    print(f"    {visible(check.hint)}")
        if arguments.json:
            print_json([asdict(check) for check in checks])
        if refused:
            return ExitCode.ENDPOINT_REFUSED
        return ExitCode.FAILED if any(check.status == "problem" for check in checks) else ExitCode.COMPLETE

    return asyncio.run(examine())


async def _examine_session(arguments: argparse.Namespace, config: DatasetBuilderConfig) -> int:
    """Read everything of a session, and with ``--repair`` save what can be read of a damaged one."""
    folder, findings = await examine_session(arguments.session, config)
    damaged = [finding for finding in findings if finding.problem]
    if not arguments.json:
        for finding in findings:
            say(finding.line)
    saved = await salvage_session(folder) if arguments.repair and damaged else None
    if arguments.json:
        told = {"session": folder.name, "findings": [asdict(finding) for finding in findings]}
        more = {**asdict(saved), "folder": str(saved.folder)} if saved else None
        print_json({**told, "repaired": more})
    elif saved is not None:
        say(
            f"Saved {saved.accepted} of {counted(saved.planned, 'case')} as {saved.folder.name}; {folder.name} is as it was."
        )
        for loss in saved.losses:
            say(f"    {visible(loss)}")
        say(f"To go on:  {visible(resume_command(saved.folder.name, folder.parent))}")
    elif damaged:
        again = f"dsbuilder doctor {shlex.quote(folder.name)} --repair{place(folder.parent)}"
        say(f"Restore a copy of the folder, or make a new session of what can be read:  {visible(again)}")
    else:
        say(f"{folder.name} is whole.")
    return ExitCode.FAILED if damaged and saved is None else ExitCode.COMPLETE


def _bundle(config: DatasetBuilderConfig, arguments: argparse.Namespace) -> int:
    """Show what a bug report needs, and write it: on a terminal after a yes."""
    from dsbuilder_tui.cli.support_bundle import bundle_path, support_bundle, write_bundle

    if arguments.repair or arguments.json:
        raise InputError("--bundle writes a report, and does nothing else.", "Leave --repair and --json out.")
    path = bundle_path(arguments.bundle)
    text = asyncio.run(support_bundle(config, _REGISTRIES, arguments.session, with_texts=arguments.with_texts))
    print(text)
    if sys.stdin.isatty():
        print(f"This is all that goes into {visible(str(path))}. Write it? [y/N] ", end="", file=sys.stderr, flush=True)
        if sys.stdin.readline().strip().casefold() not in ("y", "yes"):
            return ExitCode.COMPLETE
    write_bundle(path, text)
    print(f"This is all that is in {visible(str(path))}. Nothing was sent anywhere.", file=sys.stderr)
    return ExitCode.COMPLETE


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "session", nargs="?", metavar="SESSION", help="read everything of this session instead, and say what is whole"
    )
    parser.add_argument("--repair", action="store_true", help="make a new session of what can be read of a damaged one")
    parser.add_argument(
        "--bundle", nargs="?", const="dsbuilder-report.md", metavar="FILE",
        help="show what a bug report needs (of SESSION, or the newest), without secrets, and write it to a file "
             "(dsbuilder-report.md)",
    )  # fmt: skip
    parser.add_argument(
        "--with-texts", action="store_true", help="in the report: the last messages and rejected cases, too"
    )


async def _checks(config: DatasetBuilderConfig) -> AsyncIterator[tuple[Check, bool]]:
    yield Check("versions", "ok", f"Python {sys.version.split()[0]}, SQLite {sqlite3.sqlite_version}"), False
    yield _folder(config.checkpoint_root), False
    for check in _plug_ins():
        yield check, False
    if config.resolved_provider in PROVIDERS.broken():
        return  # said already
    provider = provider_of(config)
    if not provider.has_endpoint and config.resolved_provider != OFFLINE:
        yield Check("writer", "ok", provider.label), False
    elif not provider.has_endpoint:
        yield (
            Check(
                "writer", "note", "no key and no endpoint: the built-in offline writer is used",
                "Set OPENAI_API_KEY, or base_url for Ollama, LM Studio, vLLM and the like.",
            ),
            False,
        )  # fmt: skip
    async for finding in _tried(config, endpoint=provider.has_endpoint):
        if (problem := finding.problem) is None:
            yield Check(finding.name, "ok" if finding.certain else "note", finding.words), False
        else:
            refused = problem.exit_code is ExitCode.ENDPOINT_REFUSED
            yield Check(finding.name, "problem", problem.problem, problem.hint), refused


async def _tried(config: DatasetBuilderConfig, *, endpoint: bool) -> AsyncIterator[ProbeFinding]:
    """What a run will do: calls to the ``endpoint``, if there is one, and comparing by embeddings."""
    from dsbuilder_tui.models.embedding_probe import probe_embeddings
    from dsbuilder_tui.models.endpoint_probe import probe_endpoint

    if endpoint:
        async for finding in probe_endpoint(config):
            yield finding
    yield await probe_embeddings(config)
    if config.runner != LOCAL:
        from dsbuilder_tui.generation.runners import runner_kind

        kind = runner_kind(config)
        if kind.probe is not None:
            async for finding in kind.probe(config):
                yield finding


def _plug_ins() -> Iterator[Check]:
    """What other packages have added, and whether it can be loaded."""
    for registry in _REGISTRIES:
        for row in registry.rows.values():
            if not row.package:
                continue
            name = f"{registry.kind} {row.name}"
            try:
                registry.load(row.name)
            except PlugInBroken as error:
                yield Check(name, "problem", error.problem, error.hint)
            else:
                yield Check(name, "ok", f"of the package {row.package}")


def _folder(root: Path) -> Check:
    existing = next(folder for folder in (root, *root.parents) if folder.exists())
    try:
        with tempfile.TemporaryDirectory(dir=existing):
            pass
    except OSError as error:
        why = "it is a file" if existing.is_file() else error.strerror or str(error)
        return Check(
            "folder", "problem", f"sessions cannot be kept in {root}: {existing}: {why}",
            "Make it a folder you can write to, or choose another one with --checkpoint-dir.",
        )  # fmt: skip
    return Check("folder", "ok", f"{root} is writable" if root.exists() else f"{root} can be created")


COMMAND = CliCommand(
    help="check folders, endpoint, key and model, or a session",
    rank=120,
    memory=400,
    run=_doctor,
    arguments=(settings_options, json_option, _arguments),
)
