"""``SettingsStack``: who says what, and who wins."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from pydantic import ValidationError

from dsbuilder_tui.domain.errors import ConfigError
from dsbuilder_tui.domain.plain_words import plain_words
from dsbuilder_tui.settings.layers import Layer, SettingsSource, environment_warnings, read_sources, unknown_setting
from dsbuilder_tui.settings.schema import SECRETS, URLS, DatasetBuilderConfig
from dsbuilder_tui.settings.urls import without_login


class SettingsStack:
    """Defaults < user file < project file < ``.env`` < environment < session < flags.

    The files and the environment are read once. Only the session's layer changes later (``set``).
    """

    def __init__(
        self,
        sources: Sequence[SettingsSource],
        session: Mapping[str, Any],
        flags: Mapping[str, Any],
        *,
        folder: Path | None = None,
        foreign: Collection[str] = (),
    ) -> None:
        """``sources`` are what lies below the session. Raises ``ConfigError`` for a value that cannot be used.

        ``folder`` is the session's, and ``foreign`` names those of its values that this person may not have said.
        """
        self._below, self._session, self._flags = tuple(sources), dict(session), dict(flags)
        self._folder, self._foreign = folder, frozenset(foreign)
        self._config = self._build(self._session, self._flags, self._foreign)
        self._at_first, self._foreign_at_first = dict(self._session), self._foreign

    @classmethod
    def read(cls, session: Mapping[str, Any] | None = None, **flags: Any) -> Self:
        """The stack of now; a flag that is ``None`` was not given. Raises ``ConfigError``."""
        given = {name: value for name, value in flags.items() if value is not None}
        return cls(read_sources(DatasetBuilderConfig.model_fields), session or {}, given)

    @classmethod
    def over(
        cls,
        config: DatasetBuilderConfig,
        session: Mapping[str, Any],
        *,
        folder: Path | None = None,
        foreign: Collection[str] = (),
    ) -> Self:
        """The stack that a configuration was made of, with what a session keeps. Raises ``ConfigError``."""
        *below, flags = (source for source in config.sources if source.layer is not Layer.SESSION)
        return cls(below, session, flags.values, folder=folder, foreign=foreign)

    @property
    def config(self) -> DatasetBuilderConfig:
        """The values that are in force."""
        return self._config

    @property
    def session_layer(self) -> dict[str, Any]:
        """What was set for the session."""
        return dict(self._session)

    @property
    def foreign(self) -> frozenset[str]:
        """Those values of the session's layer that this person may not have said."""
        return self._foreign

    def get(self, name: str) -> Any:
        """The value of a setting that is in force. Raises ``ConfigError`` for a name that no setting has."""
        self._require(name)
        return getattr(self._config, name)

    def layer_of(self, name: str) -> Layer:
        """The layer that says a setting's value. Raises ``ConfigError`` for a name that no setting has."""
        self._require(name)
        return self._config.layer_of(name)

    def set(self, name: str, value: Any) -> None:
        """As ``change``, for one setting."""
        self.change({name: value})

    def change(self, values: Mapping[str, Any]) -> None:
        """Say values in the session's layer; ``None`` takes one out of it. All of them, or none.

        What was said last counts: a flag of the same name is given up for it. A secret is held as a flag, since a
        session keeps none. Raises ``ConfigError``; nothing has changed then.
        """
        session, flags = dict(self._session), dict(self._flags)
        for name, value in values.items():
            self._require(name)
            session.pop(name, None)
            flags.pop(name, None)
            if value is not None:
                (flags if name in SECRETS else session)[name] = value
        foreign = self._foreign - set(values)
        self._config = self._build(session, flags, foreign)
        self._session, self._flags, self._foreign = session, flags, foreign

    def put_back(self, name: str, flag: Any = None) -> None:
        """Have the session's layer say of a setting what it said at first, below ``flag`` if that is not None.

        Raises ``ConfigError``; nothing has changed then.
        """
        self._require(name)
        session, flags = ({k: v for k, v in layer.items() if k != name} for layer in (self._session, self._flags))
        if name in self._at_first:
            session[name] = self._at_first[name]
        if flag is not None:
            flags[name] = flag
        foreign = self._foreign | (self._foreign_at_first & {name})
        self._config = self._build(session, flags, foreign)
        self._session, self._flags, self._foreign = session, flags, foreign

    def _require(self, name: str) -> None:
        if name not in DatasetBuilderConfig.model_fields:
            raise unknown_setting("settings", name, DatasetBuilderConfig.model_fields)

    def _build(
        self, session: Mapping[str, Any], flags: Mapping[str, Any], foreign: frozenset[str]
    ) -> DatasetBuilderConfig:
        kept = SettingsSource(
            layer=Layer.SESSION, place=Layer.SESSION, values=session, folder=self._folder, foreign=foreign
        )
        given = SettingsSource(layer=Layer.FLAG, place=Layer.FLAG, values=flags)
        return _checked((*self._below, kept, given))


def load_config(**flags: Any) -> DatasetBuilderConfig:
    """The configuration with these flags (``None`` means not given).

    Raises ``ConfigError`` naming the setting, its value, where it came from and the fix.
    """
    return SettingsStack.read(**flags).config


def unknown_variables() -> list[str]:
    """A sentence for each ``DSBUILDER_*`` variable of the environment that no setting has, with the nearest name."""
    return environment_warnings(DatasetBuilderConfig.model_fields)


def _checked(sources: Sequence[SettingsSource]) -> DatasetBuilderConfig:
    try:
        return DatasetBuilderConfig.of_sources(sources)
    except ValidationError as error:
        raise ConfigError(explain(error, sources)) from None


def explain(error: ValidationError, sources: Sequence[SettingsSource]) -> str:
    """What is wrong, a line a value: the setting, its value unless it is secret, who said it."""
    lines = []
    for detail in error.errors():
        name = str(detail["loc"][0]) if detail["loc"] else "settings"
        holder = next((source for source in reversed(sources) if name in source.values), None)
        # What a file completed with a variable of the environment is shown as it is written.
        borrowed = holder.borrowed.get(name) if holder else None
        given = borrowed if borrowed is not None else detail.get("input")
        shown = without_login(given) if name in URLS and isinstance(given, str) else given
        value = "(hidden)" if name in SECRETS else repr(shown)
        path = name if name in SECRETS or borrowed is not None else ".".join(map(str, detail["loc"])) or name
        if holder is None:
            where = f"{path} in settings"
        elif holder.layer is Layer.FLAG:
            where = f"setting {path}"
        elif holder.layer is Layer.ENVIRONMENT:
            where = holder.variables[name]
        else:
            where = f"{path} in {'the session' if holder.layer is Layer.SESSION else holder.place}"
        words = plain_words(detail)
        if holder is not None and borrowed is not None:
            words = words.replace(str(holder.values[name]), borrowed)
        lines.append(f"{where}: {value} — {words}")
    return "\n".join(lines)
