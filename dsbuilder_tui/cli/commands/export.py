"""``export``: the cases of a session, as a file."""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path
from typing import Any

from dsbuilder_tui.cli.command import CliCommand
from dsbuilder_tui.cli.options import json_option, place_option, session_argument, settings_from
from dsbuilder_tui.cli.output import print_json, say, warn_of
from dsbuilder_tui.cli.plan_required import require_plan
from dsbuilder_tui.domain.errors import ExitCode
from dsbuilder_tui.domain.events import Event, ExportWritten
from dsbuilder_tui.domain.sanitise import visible
from dsbuilder_tui.session import Session
from dsbuilder_tui.session.export_formats import FORMATS
from dsbuilder_tui.settings.stack import load_config


def _export(arguments: argparse.Namespace) -> int:
    config = load_config(**settings_from(arguments))
    damaged: list[str] | None = [] if arguments.skip_damaged else None

    async def write() -> int:
        async with await Session.open(arguments.session, config) as session:
            require_plan(session)
            written: list[Event] = []
            session.subscribe(written.append)
            session.subscribe(warn_of)
            count = await session.export(arguments.out, arguments.format, damaged=damaged, raw=arguments.raw)
            files = [event for event in written if isinstance(event, ExportWritten)]
            if arguments.json:
                told: dict[str, Any] = {
                    "session": session.id,
                    "path": arguments.out,
                    "cases": count,
                    "sha256": files[0].sha256,
                }
                told["files"] = [{"path": file.path, "cases": file.cases, "sha256": file.sha256} for file in files]
                print_json({**told, "damaged": damaged or []})
            else:
                where = session.dataset.where(Path(arguments.out), arguments.format)
                say(f"Wrote {count} cases of {session.id} to {where}.")
                for file in files:
                    say(f"SHA-256: {file.sha256}" + (f" ({file.path})" if len(files) > 1 else ""))
                if damaged:
                    say(f"Left out {len(damaged)} damaged cases: {visible(', '.join(damaged[:10]))}")
            return ExitCode.COMPLETE

    return asyncio.run(write())


def _arguments(parser: argparse.ArgumentParser) -> None:
    session_argument(parser)
    parser.add_argument("--out", required=True, metavar="FILE", help=".jsonl, .json, .csv, .parquet, *_checkpoint.json")
    parser.add_argument("--format", choices=FORMATS.names(), help="whatever the ending")
    parser.add_argument("--raw", action="store_true", help="CSV: no apostrophe before what looks like a formula")
    parser.add_argument("--skip-damaged", action="store_true", help="leave damaged cases out")


COMMAND = CliCommand(
    help="write a session's cases to a file", rank=70, run=_export, arguments=(place_option, json_option, _arguments)
)
