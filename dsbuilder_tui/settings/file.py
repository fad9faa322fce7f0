"""Changing a configuration file that a person has written: comments, order and everything else stay."""

from __future__ import annotations

import os
import re
import stat
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from dsbuilder_tui.atomic_write import atomic_write
from dsbuilder_tui.domain.errors import ConfigError, StorageError
from dsbuilder_tui.settings.layers import Layer, SettingsSource, unknown_setting
from dsbuilder_tui.settings.locations import user_config_file
from dsbuilder_tui.settings.schema import DatasetBuilderConfig
from dsbuilder_tui.settings.stack import explain


def save_settings(values: Mapping[str, Any], path: Path | None = None) -> Path:
    """Put settings into the user's configuration file, or the one at ``path``; ``None`` takes a setting out.

    The file keeps its comments, its order and whatever else is in it; it is replaced in one step, and a new one can be
    read by its owner only. Returns its path. Raises ``ConfigError`` for a value that is not valid, for ``api_key``
    (which is never written), and for a file that cannot be read or written; the file is then as it was.
    """
    for name in values:
        if name not in DatasetBuilderConfig.model_fields:
            raise unknown_setting("Settings to save", name, DatasetBuilderConfig.model_fields)
    if values.get("api_key") is not None:
        raise ConfigError(
            "setting api_key: (hidden) — a key is never written into a configuration file.",
            "Put OPENAI_API_KEY into the environment or .env.",
        )
    given = {name: value for name, value in values.items() if value is not None}

    sources = [SettingsSource(layer=Layer.FLAG, place=Layer.FLAG, values=given)]
    try:
        # What the other sources hold neither mends nor spoils the values to save.
        checked = DatasetBuilderConfig.of_sources(sources).model_dump(
            mode="json", include=set(given), exclude_none=True
        )
    except ValidationError as error:
        raise ConfigError(explain(error, sources), "Nothing was saved; choose another value.") from None
    words = {name: value for name, value in given.items() if name not in checked}  # "off": nothing, said on purpose
    return change_settings_file(path or user_config_file(), dict.fromkeys(values) | words | checked)


def change_settings_file(path: Path, values: Mapping[str, Any]) -> Path:
    """Set these top-level keys of a TOML file, or take them out where the value is ``None``.

    The values are what TOML can hold: texts, numbers, booleans, and mappings of them. The file is replaced in one step;
    a link stays a link, a file keeps its mode, a new one gets 0600. Returns ``path``. Raises ``ConfigError`` when the
    file cannot be read as TOML, or cannot be written; it is then as it was.
    """
    path = path.expanduser()
    target = path.resolve()
    before = _text_of(target)
    after = _changed(path, before, values)
    if after == before:
        return path
    try:
        with atomic_write(target, private=True) as handle:
            if os.name != "nt" and target.exists():
                os.fchmod(handle.fileno(), stat.S_IMODE(target.stat().st_mode))
            handle.write(after.encode())
    except StorageError as error:
        raise ConfigError(f"The settings were not saved: {error.problem}", error.hint) from None
    except UnicodeEncodeError:
        raise ConfigError(
            f"The settings were not saved: {path} is UTF-8, and a value is not text.", "Choose another value."
        ) from None
    return path


def _text_of(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8")  # not read_text: line ends stay what they are
    except (FileNotFoundError, NotADirectoryError):
        return ""
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read as TOML ({error}).", "Mend the file or move it away.") from None


def _changed(path: Path, text: str, values: Mapping[str, Any]) -> str:
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    try:
        wanted = tomllib.loads(text)
        document = tomlkit.parse(text)
    except (tomllib.TOMLDecodeError, TOMLKitError) as error:
        raise ConfigError(f"{path}: cannot be read as TOML ({error}).", "Mend the file or move it away.") from None
    new = []
    for name, value in values.items():
        if value is None:
            wanted.pop(name, None)
            document.pop(name, None)
        elif name not in wanted or wanted[name] != value or type(wanted[name]) is not type(value):
            if name in wanted or isinstance(value, Mapping):
                document[name] = value
            else:
                new.append(tomlkit.dumps({name: value}))
            wanted[name] = value
    after = _with_lines(tomlkit.dumps(document), new)
    try:
        kept = tomllib.loads(after) == wanted
    except tomllib.TOMLDecodeError:
        kept = False
    if not kept:
        raise ConfigError(
            f"{path}: cannot be changed without losing something of it.", f"Write {', '.join(values)} into it by hand."
        )
    return after


def _with_lines(text: str, new: list[str]) -> str:
    """The text with new top-level lines: behind the last one there is, above the first table and its comment."""
    if not new:
        return text
    lines = re.findall(r"[^\n]*\n|[^\n]+", text)
    end = next((n for n, line in enumerate(lines) if line.lstrip().startswith("[") and _is_toml(lines[:n])), None)
    if end is None:
        end = len(lines)
    else:
        while end and lines[end - 1].lstrip().startswith("#"):
            end -= 1
        while end and not lines[end - 1].strip():
            end -= 1
    ending = "\r\n" if "\r\n" in text else "\n"
    if end and not lines[end - 1].endswith("\n"):
        lines[end - 1] += ending
    return "".join([*lines[:end], *(line.replace("\n", ending) for line in new), *lines[end:]])


def _is_toml(lines: list[str]) -> bool:
    try:
        tomllib.loads("".join(lines))
    except tomllib.TOMLDecodeError:
        return False
    return True
