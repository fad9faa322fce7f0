"""The report that goes with a bug, without secrets: versions, settings by layer, a session's figures, the crash log."""

from __future__ import annotations

import contextlib
import importlib.metadata
import json
import locale
import os
import platform
import re
import shutil
import sqlite3
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from dsbuilder_tui import __version__
from dsbuilder_tui.atomic_write import atomic_write, replaceable
from dsbuilder_tui.cli.known_secrets import without_secrets
from dsbuilder_tui.domain.clock import SystemClock, iso
from dsbuilder_tui.domain.errors import DsbuilderError, InputError, SessionNotFound
from dsbuilder_tui.domain.sanitise import one_line, visible
from dsbuilder_tui.registry import Registry
from dsbuilder_tui.session import Session
from dsbuilder_tui.session.library import find_session, list_session
from dsbuilder_tui.session.repair import examine_session
from dsbuilder_tui.settings.layers import SettingsSource
from dsbuilder_tui.settings.locations import crash_log_file
from dsbuilder_tui.settings.schema import SECRETS, URLS, DatasetBuilderConfig
from dsbuilder_tui.settings.urls import without_login

_PACKAGE = "dsbuilder-tui"
_MOST_EVENTS = 40
_MOST_TEXTS, _MOST_TEXT = 20, 400  # texts that are asked for, and characters of one
_MOST_LOG = 20_000  # characters of the crash log, the last


async def support_bundle(
    config: DatasetBuilderConfig,
    registries: Sequence[Registry[Any]],
    reference: str | None = None,
    *,
    with_texts: bool = False,
) -> str:
    """The text, with a session: the named one, or the newest. What cannot be read is said in its place.

    No text of a case, a prompt or a conversation is in it, unless it is asked for with ``with_texts``. Raises
    ``SessionNotFound`` for a name that no session has.
    """
    session = _SessionReport(config, with_texts)
    await session.read(reference)
    sections = [
        ("Versions", list(_versions(registries))),
        ("Settings by layer, the weakest first", list(_settings(session.config))),
        ("Session", session.lines),
        *([("Texts, as asked for", session.texts)] if with_texts else []),
        ("Crash log", _crash_log()),
    ]
    text = "\n\n".join(f"## {title}\n\n" + "\n".join(lines or ["none"]) for title, lines in sections)
    return visible(_redacted(f"# A report of dsbuilder {__version__}\n\n{text}\n", config))


def bundle_path(name: str) -> Path:
    """The file that a report may be written to. Raises ``InputError`` for a name that is taken, or cannot be used."""
    path = replaceable(Path(name).expanduser())
    if path.exists():
        raise InputError(f"{path} exists already.", "Name another file.")
    return path


def write_bundle(path: Path, text: str) -> None:
    """Write a report for its owner's eyes alone. Raises ``StorageError``."""
    with atomic_write(path, private=True) as handle:
        handle.write(text.encode("utf-8", "replace"))


def _redacted(text: str, config: DatasetBuilderConfig) -> str:
    """The text without the secrets of any layer, those of the environment, and the name of the home folder."""
    text = without_secrets(text, config)
    home = str(Path.home())
    return text.replace(home, "~") if len(home) > 1 else text


def _versions(registries: Iterable[Registry[Any]]) -> Iterator[str]:
    yield f"dsbuilder {__version__}, Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}"
    size = shutil.get_terminal_size()
    terminal = f"terminal {os.environ.get('TERM', '–')} {size.columns}×{size.lines}"
    yield f"{platform.platform()}; {locale.getpreferredencoding()}; {terminal}"
    yield f"{'in a virtual environment' if sys.prefix != sys.base_prefix else 'no virtual environment'}; {os.cpu_count()} cores"
    try:
        required = importlib.metadata.requires(_PACKAGE) or []
    except importlib.metadata.PackageNotFoundError:
        required = []
    names = sorted({re.split(r"[^A-Za-z0-9._-]", line)[0] for line in required if "extra ==" not in line})
    yield ", ".join(f"{name} {_version(name)}" for name in names) or "packages unknown"
    for registry in registries:
        for row in registry.rows.values():
            if row.package:
                yield f"{registry.kind} {row.name}, of {row.package}"


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "missing"


def _settings(config: DatasetBuilderConfig) -> Iterator[str]:
    for source in config.sources:
        if source.values:
            yield f"{source.layer} ({source.place}):" if source.place != source.layer else f"{source.layer}:"
            yield from (f"  {name} = {_shown(source, name)}" for name in sorted(source.values))
    proxies = [name for name in os.environ if name.lower().endswith("_proxy")]
    if proxies:
        yield f"set in the environment: {', '.join(sorted(proxies))}"


def _shown(source: SettingsSource, name: str) -> str:
    value = source.borrowed.get(name, source.values[name])
    if name in SECRETS:
        return "set" if value else "unset"
    return one_line(str(without_login(str(value)) if name in URLS else value), 200)


class _SessionReport:
    """What is told of one session: ``lines`` without texts, ``texts`` where they are asked for."""

    def __init__(self, config: DatasetBuilderConfig, with_texts: bool) -> None:
        self.config, self._with_texts = config, with_texts
        self.lines: list[str] = []
        self.texts: list[str] = []

    async def read(self, reference: str | None) -> None:
        """Raises ``SessionNotFound`` for a name that no session has."""
        try:
            async with await Session.open(reference, self.config) as session:
                self.config = session.config
                await self._tell(session)
        except SessionNotFound:
            if reference is not None:
                raise
        except (DsbuilderError, OSError) as error:
            self.lines.append(f"It could not be read: {error}")
            await self._examine(reference)

    async def _tell(self, session: Session) -> None:
        summary = (await session.summary()).as_dict()
        self.lines += [
            f"{name}: {json.dumps(value, ensure_ascii=False, default=str)}" for name, value in summary.items()
        ]
        self.lines.append(f"settings it keeps: {', '.join(sorted(session.settings.kept)) or 'none'}")
        files = sorted(path for path in session.folder.iterdir() if path.is_file() and not path.is_symlink())
        self.lines += ["files:", *(f"  {path.name} {path.stat().st_size:,} bytes" for path in files)]
        newest = await session.newest_history(_MOST_EVENTS)
        self.lines += [
            "last events:",
            *(f"  {iso(entry.created_at)} {entry.kind} {_facts(entry.data)}".rstrip() for entry in newest),
        ]
        if self._with_texts:
            messages = await session.chat.messages(_MOST_TEXTS)
            self.texts = [f"{message.role}: {one_line(message.text, _MOST_TEXT)}" for message in messages]
            for rejection in await session.rejections.newest(_MOST_TEXTS):
                self.texts.append(f"rejected ({rejection.stage}): {one_line(rejection.text, _MOST_TEXT)}")

    async def _examine(self, reference: str | None) -> None:
        """What its note says of a session that cannot be opened, and what of it is whole."""
        with contextlib.suppress(DsbuilderError, OSError):  # in use, or no session at all
            folder = find_session(self.config.checkpoint_root, reference)
            listing = await list_session(folder, SystemClock())
            self.lines += [f"{name}: {value}" for name, value in listing.as_dict().items()]
            _, findings = await examine_session(folder, self.config)
            self.lines += [f"{one.name}: {one.problem or one.words}" for one in findings]


def _facts(data: Any) -> str:
    """What is no text of a case or of a person: numbers, and words of few letters."""
    if not isinstance(data, dict):
        return ""
    plain = {
        name: value for name, value in data.items()
        if isinstance(value, bool | int | float) or (isinstance(value, str) and re.fullmatch(r"[\w.-]{1,40}", value))
    }  # fmt: skip
    return " ".join(f"{name}={value}" for name, value in plain.items())


def _crash_log() -> list[str]:
    try:
        return crash_log_file().read_text(encoding="utf-8", errors="replace")[-_MOST_LOG:].splitlines()
    except OSError:
        return []
