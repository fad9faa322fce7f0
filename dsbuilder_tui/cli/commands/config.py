"""``config``: every setting, its value, and where it came from; ``set``, ``unset``, ``trust`` and ``untrust`` change them."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import shutil
import sys
from pathlib import Path
from typing import Any

from dsbuilder_tui.cli.command import CliCommand
from dsbuilder_tui.cli.options import json_option, settings_from, settings_options
from dsbuilder_tui.cli.output import print_json, print_table, say
from dsbuilder_tui.domain.errors import ConfigError, ExitCode, SessionNotFound
from dsbuilder_tui.domain.sanitise import one_line
from dsbuilder_tui.settings.file import save_settings
from dsbuilder_tui.settings.key_trust import (
    ANYWHERE,
    ForeignAddress,
    TrustRisk,
    allow,
    forget,
    named_addresses,
    not_allowed,
    plain_http,
)
from dsbuilder_tui.settings.layers import Layer
from dsbuilder_tui.settings.locations import PROJECT_FILE, user_config_file
from dsbuilder_tui.settings.schema import KEYS, SECRETS, URLS, DatasetBuilderConfig
from dsbuilder_tui.settings.stack import load_config
from dsbuilder_tui.settings.urls import without_login
from dsbuilder_tui.settings.value_words import value_words
from dsbuilder_tui.wording import writer_words


def _config(arguments: argparse.Namespace) -> int:
    settings = load_config(**settings_from(arguments))
    origins = settings.origins()
    values: dict[str, Any] = settings.model_dump(mode="json")
    values |= settings.shown_urls()
    # What was completed with a variable of the environment is shown as it is written.
    sources = {name: settings.source_of(name) for name in values}
    values |= {name: said.borrowed[name] for name, said in sources.items() if said and name in said.borrowed}
    values |= {name: "set" if getattr(settings, name) else "unset" for name in KEYS}
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
        meaning = type(settings).model_fields[name].description or ""
        table.append([name, one_line(value_words(value), 40), origins[name], meaning])
    widest = sum(max(len(row[column]) for row in table) + 2 for column in range(4))
    if sys.stdout.isatty() and widest > shutil.get_terminal_size().columns:
        table = [row[:3] for row in table]  # what a setting means is in the manual, too
    print_table(table)
    say(f"\nSessions are in {places['checkpoint_root']}\nCases are written by: {places['writer']}")
    return ExitCode.COMPLETE


def _set(arguments: argparse.Namespace) -> int:
    name = arguments.name.replace("-", "_")
    if name in KEYS:
        raise ConfigError(
            "An API key on the command line can be read by every user of this machine.",
            f"Set {KEYS[name]} in the environment or in .env.",
        )
    path = save_settings({name: arguments.value}, _target(arguments))
    shown = without_login(arguments.value) if name in URLS else "(hidden)" if name in SECRETS else arguments.value
    say(f"{name} = {shown} is in {path}.")
    if arguments.project:
        # Whoever types an address has been asked.
        with contextlib.suppress(ConfigError):
            named = named_addresses(load_config())
            if own := [one for one in named if one.setting == name and one.folder and not one.of_session]:
                allow(own)
    _say_who_wins(name, Layer.PROJECT_FILE if arguments.project else Layer.USER_FILE)
    return ExitCode.COMPLETE


def _unset(arguments: argparse.Namespace) -> int:
    name = arguments.name.replace("-", "_")
    path = save_settings({name: None}, _target(arguments))
    say(f"{name} is not in {path}.")
    _say_who_wins(name, Layer.DEFAULT)
    return ExitCode.COMPLETE


def _trust(arguments: argparse.Namespace) -> int:
    config = load_config()
    what = arguments.what
    if what is None:
        named = named_addresses(config)
    elif _is_url(what):
        named = not_allowed([plain_http(what)])
    else:
        named = asyncio.run(_of_session(what, config))
    if not named:
        say(
            "The files of this folder name no address that keys are kept from."
            if what is None
            else "Nothing is asked there."
        )
        return ExitCode.COMPLETE
    path = allow(named)
    for one in dict.fromkeys((one.address, one.place, one.risk) for one in named):
        address, place, risk = one
        if risk is TrustRisk.FILE:
            say(f"The dataset of {place} may be written to {address} from now on.")
        elif risk is TrustRisk.SPENDING:
            say(f"Runs in {place} may go by {address} from now on.")
        else:
            where = f" in {place}" if place != ANYWHERE else ", unencrypted,"
            say(f"Keys may be sent to {address}{where} from now on.")
    say(f"It is remembered in {path}; `dsbuilder config untrust` takes it back.")
    return ExitCode.COMPLETE


async def _of_session(reference: str, config: DatasetBuilderConfig) -> list[ForeignAddress]:
    """What a session that came from elsewhere names."""
    from dsbuilder_tui.session import Session

    async with await Session.open(reference, config) as session:
        return [
            *(one for one in named_addresses(session.config) if one.of_session), *session.dataset.foreign_out
        ]  # fmt: skip


def _untrust(arguments: argparse.Namespace) -> int:
    what = arguments.what
    if what is None:
        place, address = str(Path.cwd().resolve()), None
    elif _is_url(what):
        place, address = ANYWHERE, plain_http(what).address
    else:
        place, address = str(Path(what).expanduser().resolve()), None
        if not Path(place).is_dir():  # by name, or a folder that is gone
            from dsbuilder_tui.session.library import find_session

            with contextlib.suppress(SessionNotFound):
                place = str(find_session(load_config().checkpoint_root, what).resolve())
    gone = forget(place, address)
    for one in gone:
        say(f"{one} is not allowed any more{f' in {place}' if place != ANYWHERE else ''}.")
    if not gone:
        say(f"Nothing was allowed for {what or place}.")
    return ExitCode.COMPLETE


def _is_url(text: str) -> bool:
    return "://" in text


def _target(arguments: argparse.Namespace) -> Path:
    return Path(PROJECT_FILE) if arguments.project else user_config_file()


def _say_who_wins(name: str, layer: Layer) -> None:
    """Tell when the change shows nowhere here, because a stronger layer says something."""
    try:
        now = load_config()
    except ConfigError:  # of another setting; the next command that needs it says so
        return
    order = list(Layer)
    if order.index(now.layer_of(name)) > order.index(layer):
        shown = "set" if name in SECRETS else one_line(str(now.shown_urls((name,)).get(name, getattr(now, name))), 60)
        say(f"In this folder {now.origins()[name]} says {shown}, and wins.")


def _actions(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", metavar="ACTION", title="to change them")
    setting = actions.add_parser("set", help="write a setting into your file, or into this folder's")
    setting.set_defaults(run=_set)
    unsetting = actions.add_parser("unset", help="take a setting out of your file, or out of this folder's")
    unsetting.set_defaults(run=_unset)
    for action in (setting, unsetting):
        action.add_argument("name", metavar="NAME", help="a setting; `dsbuilder config` lists them")
        group = action.add_mutually_exclusive_group()
        group.add_argument("--user", action="store_true", help="your own config.toml (the default)")
        group.add_argument("--project", action="store_true", help=f"{PROJECT_FILE} of this folder")
    setting.add_argument("value", metavar="VALUE", help="what it is to be; tables as JSON")
    trusting = actions.add_parser("trust", help="allow what this folder's files, or a session, say of where keys go")
    trusting.set_defaults(run=_trust)
    untrusting = actions.add_parser("untrust", help="take back what was allowed")
    untrusting.set_defaults(run=_untrust)
    for action in (trusting, untrusting):
        action.add_argument(
            "what", nargs="?", metavar="SESSION|URL", help="a session, or an http:// address (this folder, if left out)"
        )


COMMAND = CliCommand(
    help="show every setting and where it came from, or change them",
    rank=110,
    run=_config,
    arguments=(settings_options, json_option, _actions),
)
