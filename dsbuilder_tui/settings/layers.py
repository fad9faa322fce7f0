"""The layers of the settings: what the user's file, the project's file, ``.env`` and the environment say."""

from __future__ import annotations

import difflib
import os
import re
import tomllib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from io import StringIO
from pathlib import Path
from typing import Any

from dotenv import dotenv_values
from dotenv.parser import parse_stream

from dsbuilder_tui.domain.errors import ConfigError
from dsbuilder_tui.settings.locations import DOTENV_FILE, PROJECT_FILE, user_config_file

ENV_PREFIX = "DSBUILDER_"
_MOST_BYTES = 256 * 1024  # of a file of settings

# Names other tools and the original design already use; DSBUILDER_* wins over them.
_ENV_ALIASES = {
    "max_dataset_size": "MAX_DATASET_INSTANCES",
    "api_key": "OPENAI_API_KEY",
    "base_url": "OPENAI_BASE_URL",
    "organization": "OPENAI_ORG_ID",
    "project": "OPENAI_PROJECT_ID",
    "mlflow_tracking_uri": "MLFLOW_TRACKING_URI",
    "mlflow_experiment": "MLFLOW_EXPERIMENT_NAME",
}


class Layer(StrEnum):
    """Who says a value, the weakest first."""

    DEFAULT = "default"
    USER_FILE = "user file"
    PROJECT_FILE = "project file"
    DOTENV = ".env"
    ENVIRONMENT = "environment"
    SESSION = "session"
    FLAG = "flag"


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingsSource:
    """What one layer says. ``place`` is what people are told of it.

    ``variables`` names the variable of each value of an environment. ``borrowed`` holds, as written, the values of a
    file that were completed with variables of the environment. ``folder`` is where the source lies, and ``foreign`` names
    those of its values that whoever made that folder may have written.
    """

    layer: Layer
    place: str
    values: Mapping[str, Any]
    variables: Mapping[str, str] = field(default_factory=dict)
    borrowed: Mapping[str, str] = field(default_factory=dict)
    folder: Path | None = None
    foreign: frozenset[str] = frozenset()

    def origin(self, name: str) -> str:
        """Where the value of a setting is said, in words."""
        return f"{self.place} ({self.variables[name]})" if self.layer is Layer.ENVIRONMENT else self.place

    def as_written(self, name: str) -> Any:
        """What is said of a setting; where a variable of the environment completed it, without that."""
        return self.borrowed.get(name, self.values.get(name))

    def of_the_person(self) -> SettingsSource:
        """The same without what whoever made its folder may have written."""
        return replace(self, values={name: value for name, value in self.values.items() if name not in self.foreign})


def merged(sources: Iterable[SettingsSource]) -> dict[str, Any]:
    """One value a setting, of sources in order, the weakest first. Tables are merged key by key."""
    found: dict[str, Any] = {}
    for source in sources:
        found = _over(found, source.values)
    return found


def _over(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    found = dict(below)
    for name, value in above.items():
        before = found.get(name)
        found[name] = _over(before, value) if isinstance(before, Mapping) and isinstance(value, Mapping) else value
    return found


def read_sources(known: Collection[str]) -> tuple[SettingsSource, ...]:
    """What is said below the session and the flags, the weakest first. ``known`` are the names of the settings.

    Raises ``ConfigError`` for a file that cannot be read, or that names a setting which there is not. The environment is
    shared with other programs: an unknown name in it is left to ``environment_warnings``.
    """
    user_file, project = user_config_file(), _from_toml(Path(PROJECT_FILE), known)
    return (
        SettingsSource(layer=Layer.USER_FILE, place=str(user_file), values=_from_toml(user_file, known)),
        _of_folder(SettingsSource(layer=Layer.PROJECT_FILE, place=PROJECT_FILE, values=project)),
        _from_dotenv(known),
        _from_environment(os.environ, known, Layer.ENVIRONMENT, "environment"),
    )


def _of_folder(source: SettingsSource) -> SettingsSource:
    """A source that lies in the working folder, whoever put it there."""
    return replace(source, folder=Path.cwd(), foreign=frozenset(source.values))


def environment_warnings(known: Collection[str]) -> list[str]:
    """A sentence for each ``DSBUILDER_*`` variable of the environment that sets nothing."""
    return [f"{error.problem} {error.hint}" for error in _unknown_variables(os.environ, known, "environment")]


def unknown_setting(where: str, name: str, known: Collection[str]) -> ConfigError:
    """The error for a name that no setting has, with the nearest one."""
    close = difflib.get_close_matches(name, known, n=1)
    hint = f"Did you mean {close[0]}?" if close else "`dsbuilder config` lists the settings."
    return ConfigError(f"{where}: no setting is called {name!r}.", hint)


def _unknown_variables(
    environment: Mapping[str, str | None], known: Collection[str], place: str
) -> Iterable[ConfigError]:
    for variable in environment:
        name = variable.removeprefix(ENV_PREFIX).lower()
        if variable.startswith(ENV_PREFIX) and name not in known:
            yield unknown_setting(f"{place}: {variable}", name, known)


def _variable(name: str, environment: Mapping[str, str | None]) -> str:
    own = ENV_PREFIX + name.upper()
    return own if environment.get(own) or name not in _ENV_ALIASES else _ENV_ALIASES[name]


def _from_environment(
    environment: Mapping[str, str | None], known: Collection[str], layer: Layer, place: str
) -> SettingsSource:
    variables = {name: _variable(name, environment) for name in known}
    # An empty variable means "not set", as everywhere in a shell.
    values = {name: environment[variable] for name, variable in variables.items() if environment.get(variable)}
    return SettingsSource(layer=layer, place=place, values=values, variables={name: variables[name] for name in values})


def _from_dotenv(known: Collection[str]) -> SettingsSource:
    file = Path(DOTENV_FILE)
    try:
        text = _text_of(file) if file.is_file() else ""
    except (OSError, ValueError) as error:
        raise ConfigError(f".env: cannot be read ({error}).", "Save it as UTF-8 text.") from None
    broken = [binding.original for binding in parse_stream(StringIO(text)) if binding.error]
    if broken:
        line = broken[0].string.strip().splitlines()[0].split("=")[0][:40]
        raise ConfigError(f".env, line {broken[0].line}: cannot be read ({line!r} …).", "Write NAME=VALUE lines only.")
    dotenv = dotenv_values(stream=StringIO(text))
    for unknown in _unknown_variables(dotenv, known, DOTENV_FILE):
        raise unknown
    source = _from_environment(dotenv, known, Layer.DOTENV, DOTENV_FILE)
    written = dotenv_values(stream=StringIO(text), interpolate=False)
    borrowing = _borrowing(written)
    borrowed = {name: written[v] or "" for name, v in source.variables.items() if v in borrowing}
    return _of_folder(replace(source, borrowed=borrowed))


def _borrowing(written: Mapping[str, str | None]) -> set[str]:
    """The variables of a file whose values take something from the environment, directly or by way of another one."""
    uses = {name: set(re.findall(r"\$\{([^}:]*)", value or "")) for name, value in written.items()}
    found = {name for name, used in uses.items() if used & set(os.environ)}
    while more := {name for name, used in uses.items() if used & found} - found:
        found |= more
    return found


def _text_of(path: Path) -> str:
    """Raises ``OSError``, or ``ValueError`` for what is no text or too long to be settings."""
    with path.open("rb") as file:
        data = file.read(_MOST_BYTES + 1)
    if len(data) > _MOST_BYTES:
        raise ValueError(f"it is longer than {_MOST_BYTES // 1024} KiB")
    return data.decode("utf-8")


def _from_toml(path: Path, known: Collection[str]) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        values = tomllib.loads(_text_of(path))
    except (OSError, ValueError, RecursionError) as error:
        raise ConfigError(f"{path}: cannot be read as TOML ({error}).", "Mend the file or move it away.") from None
    for name in values:
        if name not in known:
            raise unknown_setting(str(path), name, known)
    return values
