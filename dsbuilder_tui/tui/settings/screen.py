"""Every setting, its value and where it came from; changed here, for this app or for good."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, ClassVar, Literal, get_args, get_origin

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical

from dsbuilder_tui.domain.errors import ConfigError
from dsbuilder_tui.models.providers import provider_of
from dsbuilder_tui.settings.file import save_settings
from dsbuilder_tui.settings.locations import default_checkpoint_root, user_config_file
from dsbuilder_tui.settings.provider_names import provider_names
from dsbuilder_tui.settings.schema import KEYS, SECRETS, DatasetBuilderConfig
from dsbuilder_tui.settings.stack import load_config
from dsbuilder_tui.settings.value_words import UNSET, value_words
from dsbuilder_tui.tui.paint.line import Line, Span, clip, cut, fit, length, pad, wrap
from dsbuilder_tui.tui.places.place import Place, PlaceKind
from dsbuilder_tui.tui.screen_base import FullScreen
from dsbuilder_tui.tui.undo_actions import UndoActions
from dsbuilder_tui.tui.widgets.chrome import KeyBar, TopLine
from dsbuilder_tui.tui.widgets.dialogs import Ask, QuestionDialog
from dsbuilder_tui.tui.widgets.painted import Painted
from dsbuilder_tui.tui.widgets.rows import RowList
from dsbuilder_tui.wording import short_path

# What a person looks for first.
_FIRST = (
    "provider",
    "base_url",
    "api_key",
    "worker_model",
    "model",
    "max_dataset_size",
    "max_workers",
    "theme",
    "notifications",
)


class About(Painted):
    """What the chosen setting means, and where changes go."""

    def __init__(self, screen: SettingsScreen) -> None:
        super().__init__(id="about")
        self._owner = screen

    def paint(self, width: int, height: int) -> Sequence[Line]:
        owner = self._owner
        name = owner.chosen
        field = DatasetBuilderConfig.model_fields[name]
        plain = field.get_default(call_default_factory=True)
        default = "" if (said := value_words(plain)) == UNSET or name in SECRETS else f" Default: {said}."
        if name == "checkpoint_dir":
            default = f" Default: {short_path(default_checkpoint_root())}."
        lines: list[Line] = [((clip(row, width), "text"),) for row in wrap(f"{field.description}.{default}", width)]
        where = "Changes count until the app is left; s writes this one to " + short_path(user_config_file())
        if name in KEYS:
            where = f"A key is kept in memory only. Put {KEYS[name]} into the environment or into .env to keep it."
        return [*lines, *[((row, "faint"),) for row in wrap(where, width)]][:height]


class SettingsScreen(FullScreen):
    CSS_PATH = "screen.tcss"
    title_words = "Settings"
    enter_words = "change"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("s", "keep", "save for good"),
        Binding("delete,backspace", "reset", "back to what it was", key_display="del"),
        Binding("u", "undo", "undo"),
        Binding("U", "redo", "redo", show=False),
        Binding("f1", "app.help", "help"),
        Binding("escape", "dismiss", "back"),
    ]

    def __init__(self) -> None:
        super().__init__()
        rest = [name for name in DatasetBuilderConfig.model_fields if name not in _FIRST]
        self._names = [*_FIRST, *rest]
        self.undo_actions = UndoActions(self, lambda result: self._renew())

    def compose(self) -> ComposeResult:
        yield TopLine(self._header)
        with Vertical(id="settings-pane", classes="pane"):
            yield RowList(self._row, id="settings")
        with Vertical(id="about-pane", classes="pane"):
            yield About(self)
        yield KeyBar()

    def on_mount(self) -> None:
        rows = self.query_one(RowList)
        rows.set_count(len(self._names))
        rows.focus()
        self.query_one("#settings-pane").border_title = "Settings"
        self.query_one(
            "#settings-pane"
        ).border_subtitle = "flag › session › environment › .env › dsbuilder.toml › config.toml"
        self._title()

    def _header(self, width: int) -> Line:
        config = self.services.config
        url = clip(config.shown_url or config.endpoint, 60)
        writers = [f"{clip(config.worker_model, 30)} at {url}", url]
        if not (provider := provider_of(config)).has_endpoint:
            writers = [provider.label]
        head: Line = ((" dsbuilder ", "key"), (" Settings ", "strong"), ("  cases are written by ", "muted"))
        room = width - length(head)
        writer = next((words for words in writers if cell_len(words) <= room), writers[-1])
        return pad((*head, (writer, "muted")), width)

    @property
    def place(self) -> Place:
        return Place(kind=PlaceKind.SETTING, name=self.chosen) if self.is_mounted else super().place

    async def show_place(self, place: Place) -> bool:
        if place.kind is not PlaceKind.SETTING:
            return await super().show_place(place)
        if place.name not in self._names:
            return False
        self.query_one(RowList).move_to(self._names.index(place.name))
        return True

    @property
    def chosen(self) -> str:
        return self._names[self.query_one(RowList).cursor]

    @property
    def config(self) -> DatasetBuilderConfig:
        """That of the open session, else the app's."""
        live = self.services.live
        return live.session.config if live is not None else self.services.config

    def _shown(self, name: str) -> str:
        if name in SECRETS:
            return "set" if getattr(self.config, name) else "unset"
        if name == "checkpoint_dir":  # where the sessions are, also when nobody said so
            return short_path(self.config.checkpoint_root)
        return value_words(self.config.shown_urls((name,)).get(name, getattr(self.config, name)))

    def _row(self, index: int, width: int, chosen: bool) -> Line:
        name = self._names[index]
        origin = self.config.origins()[name]
        if name in self.services.changed:
            origin = "changed here"
        label = 28 if width >= 70 else 24
        spans: list[Span] = [(fit(name, label), "strong" if chosen else "text"), (" ", "text")]
        value = max(14, width - label - 28) if width >= 60 else width - label - 2
        value = min(value, 44)
        spans.append((fit(self._shown(name), value), "accent" if origin != "default" else "muted"))
        spans.append(
            (" " + clip(origin, max(0, width - label - value - 3)), "warn" if origin == "changed here" else "faint")
        )
        return cut(tuple(spans), width)

    def on_row_list_moved(self, event: RowList.Moved) -> None:
        self._title()

    def on_row_list_chosen(self, event: RowList.Chosen) -> None:
        self.action_change()

    def _title(self) -> None:
        self.query_one("#about-pane").border_title = self.chosen
        self.query_one(About).repaint()
        self.refresh_bindings()

    def _problem(self, name: str, value: str) -> str:
        """What is wrong with a value, in words; empty when nothing is."""
        try:
            load_config(**{**self.services.flags, name: value or None})
        except ConfigError as error:
            return str(error)
        return ""

    def action_change(self) -> None:
        name = self.chosen
        field = DatasetBuilderConfig.model_fields[name]
        now = getattr(self.config, name)
        if field.annotation is bool:
            self._set(name, not now)
        elif name == "provider" or get_origin(field.annotation) is Literal:
            choices = provider_names() if name == "provider" else get_args(field.annotation)
            answers: list[tuple[str, Any]] = [(str(value), value) for value in choices]
            answers.append((f"as it is ({value_words(now)})", None))
            self.ask(
                QuestionDialog(name, field.description or "", answers),
                lambda v: self._set(name, v) if v is not None else None,
            )
        else:
            value = "" if name in SECRETS or now in (None, {}) else self._shown(name)
            ask = Ask(name, field.description or "", value, check=lambda v: self._problem(name, v), secret=name in KEYS)
            self.ask(ask, lambda v: self._set(name, v or None) if v is not None else None)

    def _set(self, name: str, value: Any) -> None:
        async def change() -> None:
            await self.services.use_settings({name: value})
            self._renew()

        self.services.attempt(change())

    def _renew(self) -> None:
        self.query_one(RowList).refresh()
        self._title()
        self.query_one(TopLine).repaint()

    def action_undo(self) -> None:
        self.undo_actions.undo()

    def action_redo(self) -> None:
        self.undo_actions.redo()

    def action_reset(self) -> None:
        name = self.chosen
        if name in self.services.changed:

            async def reset() -> None:
                await self.services.forget_setting(name)
                self.query_one(RowList).refresh()
                self._title()

            self.services.attempt(reset())

    def action_keep(self) -> None:
        name = self.chosen

        async def keep() -> None:
            path = await asyncio.to_thread(save_settings, {name: getattr(self.config, name)})
            self.services.say(f"{name} is written to {short_path(path)}.")

        self.services.attempt(keep())

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if not self.is_mounted:
            return True
        if action in ("undo", "redo"):
            return self.services.live is not None
        if action == "keep":
            return self.chosen not in SECRETS
        return self.chosen in self.services.changed if action == "reset" else True
