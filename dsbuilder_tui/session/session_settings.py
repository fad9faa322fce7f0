"""``SessionSettings``: the settings of an open session, and the layer of them that it keeps."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from dsbuilder_tui.session.files import SessionFiles
from dsbuilder_tui.settings.layers import Layer
from dsbuilder_tui.settings.schema import OWN_WORD_ONLY, SEALED, SECRETS, DatasetBuilderConfig
from dsbuilder_tui.settings.seal import seals_of, unsealed
from dsbuilder_tui.settings.stack import SettingsStack


class SessionSettings:
    """Whoever changes a setting of a session does it here. What is kept in the session is used again by later runs."""

    def __init__(
        self, files: SessionFiles, config: DatasetBuilderConfig, changed: Callable[[], Awaitable[None]]
    ) -> None:
        """``config`` is what the session was opened with; ``changed`` is called when it keeps something else than before.
        Raises ``ConfigError`` for a kept value that cannot be used."""
        self._files, self._opened_with, self._changed = files, config, changed
        self.read_again()

    def read_again(self) -> None:
        """Take over what the session keeps, as when it is opened. Raises ``ConfigError``."""
        files = self._files
        self._at_first = self.kept
        known = DatasetBuilderConfig.model_fields  # one that another version kept is left alone
        kept = {name: value for name, value in self.kept.items() if name in known and name not in SECRETS}
        foreign = unsealed(kept, SEALED, files.meta.get("seals"))
        kept = {name: value for name, value in kept.items() if name not in OWN_WORD_ONLY or name not in foreign}
        self._stack = SettingsStack.over(self._opened_with, kept, folder=files.folder, foreign=foreign)

    @property
    def config(self) -> DatasetBuilderConfig:
        """The values that are in force."""
        return self._stack.config

    @property
    def kept(self) -> dict[str, Any]:
        """What the session keeps on disk: what it was begun with, and what was set since."""
        return dict(self._files.meta.get("settings") or {})

    def get(self, name: str) -> Any:
        """The value of a setting that is in force. Raises ``ConfigError`` for a name that no setting has."""
        return self._stack.get(name)

    def layer_of(self, name: str) -> Layer:
        """The layer that says a setting's value. Raises ``ConfigError`` for a name that no setting has."""
        return self._stack.layer_of(name)

    async def set(self, name: str, value: Any) -> None:
        """As ``change``, for one setting."""
        await self.change({name: value})

    async def change(self, values: Mapping[str, Any]) -> None:
        """Change settings from the next run on, and keep them; ``None`` takes one out of what is kept.

        What was said last counts, also against a flag of the same setting; no other setting changes. A secret counts
        until the session is closed. Raises ``ConfigError``; nothing has changed then.
        """
        self._stack.change(values)
        kept: dict[str, Any] = {**self.kept, **{name: value for name, value in values.items() if name not in SECRETS}}
        given = [name for name, value in values.items() if value is not None]
        kept |= self.config.shown_urls(given)
        await self._keep(kept)

    async def put_back(self, name: str, flag: Any = None) -> None:
        """Undo what was set since the session was opened; ``flag`` is the flag that counts again, None for none.

        Raises ``ConfigError``; nothing has changed then.
        """
        self._stack.put_back(name, flag)
        await self._keep({**self.kept, name: self._at_first.get(name)})

    async def _keep(self, values: Mapping[str, Any]) -> None:
        kept = {name: value for name, value in values.items() if value is not None}
        said = {name: value for name, value in kept.items() if name not in self._stack.foreign}
        before = self.kept
        await self._files.remember(settings=kept, seals=(self._files.meta.get("seals") or {}) | seals_of(said, SEALED))
        if self.kept != before:
            await self._changed()
