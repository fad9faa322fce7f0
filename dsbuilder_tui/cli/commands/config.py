"""``config``: every setting, its value, and where it came from."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from typing import Any

from dsbuilder_tui.cli.command import CliCommand
from dsbuilder_tui.cli.options import json_option, settings_from, settings_options
from dsbuilder_tui.cli.output import print_json, print_table, say
from dsbuilder_tui.domain.errors import ExitCode
from dsbuilder_tui.domain.sanitise import one_line
from dsbuilder_tui.settings.schema import KEYS
from dsbuilder_tui.settings.stack import load_config
from dsbuilder_tui.wording import writer_words


def _config(arguments: argparse.Namespace) -> int:
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


COMMAND = CliCommand(
    help="show every setting and where it came from",
    rank=110,
    run=_config,
    arguments=(settings_options, json_option),
)
