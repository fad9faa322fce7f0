"""``SessionSettings``: the settings of an open session, and the layer of them that it keeps."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Any

from dsbuilder_tui.domain.undo import ActKind, ActOutdated, SettingChange, SettingsFacts
from dsbuilder_tui.session.acting import new_act
from dsbuilder_tui.session.files import SessionFiles
from dsbuilder_tui.settings.layers import Layer
from dsbuilder_tui.settings.schema import OWN_WORD_ONLY, SEALED, SECRETS, DatasetBuilderConfig
from dsbuilder_tui.settings.seal import seals_of, unsealed
from dsbuilder_tui.settings.stack import SettingsStack
from dsbuilder_tui.store.row_format import to_text
from dsbuilder_tui.store.undo_log import ActReturn


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
        of_layers = {source.layer: source.values for source in self._opened_with.sources}
        self._flags_at_first = dict(of_layers.get(Layer.FLAG, {}))
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
        """Change settings from the next run on, and keep them; ``None`` takes one out of what is kept. A secret
        cannot be undone: it is kept nowhere.

        What was said last counts, also against a flag of the same setting; no other setting changes. A secret counts
        until the session is closed. Raises ``ConfigError``; nothing has changed then.
        """
        flags = [name for name in values if name not in SECRETS and self._stack.flag(name) is not None]
        self._stack.change(values)
        kept: dict[str, Any] = {**self.kept, **{name: value for name, value in values.items() if name not in SECRETS}}
        given = [name for name, value in values.items() if value is not None]
        kept |= self.config.shown_urls(given)
        await self._keep(kept, flags)

    async def put_back(self, name: str, flag: Any = None) -> None:
        """Undo what was set since the session was opened; ``flag`` is the flag that counts again, None for none.

        Raises ``ConfigError``; nothing has changed then.
        """
        self._stack.put_back(name, flag)
        await self._keep({**self.kept, name: self._at_first.get(name)}, [])

    async def restore(self, facts: SettingsFacts, act: ActReturn) -> None:
        """Have these settings say what they said before, or after, as an act that is undone, or redone. A flag that had counted
        counts again. Raises ``ActOutdated`` when one says something else by now, or ``ConfigError``; nothing has changed then.
        """
        kept, seals = self.kept, dict(self._files.meta.get("seals") or {})
        flags: dict[str, Any] = {}
        for change in facts.settings:
            then = change.before if act.redo else change.after
            if to_text(kept.get(change.name)) != to_text(then):
                raise ActOutdated(f"{change.name} was changed since.", "The settings show what it is now.")
            to_be, seal = (change.after, change.seal_after) if act.redo else (change.before, change.seal_before)
            kept = {k: v for k, v in kept.items() if k != change.name} | (
                {change.name: to_be} if to_be is not None else {}
            )
            seals = {k: v for k, v in seals.items() if k != change.name} | (
                {change.name: seal} if seal is not None else {}
            )
            if change.flag and not act.redo and change.name in self._flags_at_first:
                flags[change.name] = self._flags_at_first[change.name]
        names = [change.name for change in facts.settings if change.name in DatasetBuilderConfig.model_fields]
        # What the file says of an act may be anybody's: a value counts as this person's by its seal alone.
        foreign = set(unsealed({name: kept[name] for name in names if name in kept}, SEALED, seals))
        values = {name: None if name in foreign and name in OWN_WORD_ONLY else kept.get(name) for name in names}
        self._stack.restore(values, flags, foreign)
        await self._files.remember_by(act, {"settings": kept, "seals": seals})

    async def _keep(self, values: Mapping[str, Any], flags: Collection[str]) -> None:
        kept = {name: value for name, value in values.items() if value is not None}
        said = {name: value for name, value in kept.items() if name not in self._stack.foreign}
        before, seals = self.kept, self._files.meta.get("seals") or {}
        new = seals | seals_of(said, SEALED)
        changes = tuple(
            SettingChange(
                name=name, before=before.get(name), after=kept.get(name), seal_before=seals.get(name), seal_after=new.get(name),
                flag=name in flags,
            )
            for name in {**before, **kept}
            if before.get(name) != kept.get(name)
        )  # fmt: skip
        act = new_act(self._files, ActKind.SETTINGS, SettingsFacts(settings=changes)) if changes else None
        await self._files.remember_by(act, {"settings": kept, "seals": new})
        if self.kept != before:
            await self._changed()
