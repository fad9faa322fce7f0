"""The first screen: what there is, who will write, and how to begin."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.timer import Timer
from textual.widgets import Input

from dsbuilder_tui.domain.plain_words import counted
from dsbuilder_tui.domain.plan import DatasetPlanInput
from dsbuilder_tui.domain.session_state import SessionState
from dsbuilder_tui.models.local_servers import LocalEndpoint, find_local_endpoints
from dsbuilder_tui.models.providers import provider_of
from dsbuilder_tui.session import Session, library
from dsbuilder_tui.session.export_formats import ending_words
from dsbuilder_tui.session.library import SessionListing
from dsbuilder_tui.settings.stack import load_config
from dsbuilder_tui.tui.home.paint import session_row
from dsbuilder_tui.tui.paint.line import Line, Span, clip, cut, wrap
from dsbuilder_tui.tui.screen_base import FullScreen
from dsbuilder_tui.tui.widgets.chrome import KeyBar
from dsbuilder_tui.tui.widgets.dialogs import Field
from dsbuilder_tui.tui.widgets.painted import Painted
from dsbuilder_tui.tui.widgets.rows import RowList
from dsbuilder_tui.wording import short_path

_LOOK_AGAIN = 2.0  # seconds, and only while a session runs in another process


class Welcome(Painted):
    """The name of the house, and who writes."""

    def __init__(self) -> None:
        super().__init__(id="welcome")
        self.found: Sequence[LocalEndpoint] = ()

    def paint(self, width: int, height: int) -> Sequence[Line]:
        config = self.services.config
        head: Line = (("dsbuilder", "key"), ("   talk, and an evaluation dataset takes shape", "muted"))
        provider = provider_of(config)
        if not provider.has_endpoint:
            why = "(no key, no endpoint configured)" if config.lacks_provider else "(chosen in the settings)"
            spans: list[Span] = [("Writing with ", "muted"), (f"{provider.label} ", "strong"), (why, "muted")]
        else:
            spans = [("Writing with ", "muted"), (clip(config.worker_model, 40), "strong")]
            spans.append((f" at {clip(config.shown_url or config.endpoint, 60)}", "muted"))
            if provider.needs_key and config.api_key is None:
                spans.append((" (no key)", "muted"))
        lines: list[Line] = [cut(head, width), (), cut(tuple(spans), width)]
        keys: list[Span] = [
            ("c", "key", "screen.connect"),
            (" connect a model or change the writer", "muted", "screen.connect"),
        ]
        if self.found and not provider.has_endpoint:
            first = self.found[0]
            keys += [("    ", "text"), ("o", "key", "screen.use_local")]
            keys.append((f" use {clip(first.name, 20)}, which answers on this machine", "muted", "screen.use_local"))
        lines.append(cut(tuple(keys), width))
        return lines[:height]


class HomeScreen(FullScreen):
    CSS_PATH = "screen.tcss"
    enter_words = "open"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "talk", "new"),
        Binding("f", "new", "form or file"),
        Binding("e", "examples", "examples"),
        Binding("slash", "filter", "filter"),
        Binding("w", "watch", "watch"),
        Binding("r", "rename", "rename"),
        Binding("x", "export", "export"),
        Binding("delete,backspace", "trash", "delete", key_display="del"),
        Binding("u", "restore", "undo"),
        Binding("c", "connect", "connect a model", show=False),
        Binding("o", "use_local", "use the model server on this machine", show=False),
        Binding("ctrl+r", "reload", "read the list again", show=False),
        Binding("ctrl+k", "app.command_palette", "palette"),
        Binding("f1", "app.help", "help"),
        Binding("ctrl+q", "app.leave", "quit", priority=True),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._all: list[SessionListing] = []
        self._shown: list[SessionListing] = []
        self._read = False
        self._timer: Timer | None = None
        self._taken_back: list[Callable[[], Awaitable[str]]] = []  # how what was done here is undone, the last one last

    def compose(self) -> ComposeResult:
        yield Welcome()
        with Vertical(id="sessions", classes="pane"):
            yield RowList(self._row, empty=self._empty, id="session-list")
        yield Field(placeholder="filter by name or state", id="filter")
        yield KeyBar()

    def on_mount(self) -> None:
        self.query_one("#sessions").border_title = "Sessions"
        self.query_one("#filter").display = False
        self.query_one(RowList).focus()
        self._fit()
        self.run_worker(self._look_for_servers(), exit_on_error=False, group="servers")

    def on_resize(self) -> None:
        self._fit()

    def _fit(self) -> None:
        self.query_one(RowList).set_row_height(2 if self.size.height >= 20 and len(self._shown) < 12 else 1)

    async def on_screen_resume(self) -> None:
        self.query_one(Welcome).repaint()
        self.action_reload()

    @property
    def chosen(self) -> SessionListing | None:
        rows = self.query_one(RowList)
        return self._shown[rows.cursor] if self._shown else None

    @property
    def _in_use(self) -> bool:
        """Whether the chosen session is open in another window."""
        chosen = self.chosen if self.is_mounted else None
        return chosen is not None and chosen.state is SessionState.RUNNING

    def key_words(self, binding: Binding) -> str:
        return "watch" if binding.action == "choose" and self._in_use else super().key_words(binding)

    def on_row_list_moved(self) -> None:
        self.refresh_bindings()

    async def reload(self) -> None:
        """Read the list again; the cursor stays on its session."""
        async with self.services.shelf:
            root = self.services.config.checkpoint_root
            found = await library.list_sessions(root, self.services.clock)
        self._all, self._read = found, True
        self._apply_filter()
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
        if self.is_current and any(listing.state is SessionState.RUNNING for listing in found):
            self._timer = self.set_timer(_LOOK_AGAIN, self.action_reload)

    def _apply_filter(self) -> None:
        words = self.query_one("#filter", Input).value.casefold().split()
        self._shown = [
            listing for listing in self._all
            if all(word in f"{listing.id} {listing.dataset_name} {listing.state}".casefold() for word in words)
        ]  # fmt: skip
        rows = self.query_one(RowList)
        self._fit()
        rows.set_keys([listing.id for listing in self._shown])
        pane = self.query_one("#sessions")
        pane.border_subtitle = (
            f"{len(self._shown)} of {len(self._all)}"
            if words
            else (f"{len(self._all)} · / filter" if self._all else "")
        )
        self.refresh_bindings()

    def _row(self, index: int, width: int, chosen: bool) -> Line:
        return session_row(self._shown[index], width, self.services.clock.now(), chosen=chosen)

    def _empty(self) -> Sequence[Line]:
        if not self._read:
            return [(("Looking …", "faint"),)]
        if self._all:
            return [(("No session matches. Esc clears the filter.", "muted"),)]
        root = short_path(self.services.config.checkpoint_root)
        width = max(20, self.query_one(RowList).size.width - 1)
        words = "There is no session yet. A session is one dataset being designed and built."
        lines: list[Line] = [
            *[((row, "text"),) for row in wrap(words, width)],
            (),
            (
                ("  n  ", "key", "screen.talk"),
                ("say in your own words what the dataset is for", "muted", "screen.talk"),
            ),
            (
                ("  e  ", "key", "screen.examples"),
                ("try an example: 500 cases for a customer-service bot", "muted", "screen.examples"),
            ),
            (
                ("  f  ", "key", "screen.new"),
                ("fill in a short form, or take a plan file", "muted", "screen.new"),
            ),
            (),
        ]
        return [*lines, *[((line, "faint"),) for line in wrap(f"Sessions are kept in {root}", width)]]

    async def _look_for_servers(self) -> None:
        if self.services.config.lacks_provider:
            welcome = self.query_one(Welcome)
            welcome.found = [server for server in await find_local_endpoints() if server.models]
            welcome.repaint()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "watch":
            return self._in_use
        if action in ("rename", "export", "trash"):
            return bool(self._shown) and not self._in_use  # who has it open does that there
        if action == "filter":
            return bool(self._all)
        return bool(self._taken_back) if action == "restore" else True

    # Filter

    def action_filter(self) -> None:
        box = self.query_one("#filter", Input)
        box.display = True
        box.focus()

    def on_input_changed(self, event: Input.Changed) -> None:
        if event.input.id == "filter":
            self._apply_filter()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        self.query_one(RowList).focus()

    def on_key(self, event: Any) -> None:
        box = self.query_one("#filter", Input)
        if event.key == "escape" and box.display:
            event.stop()
            box.value = ""
            box.display = False
            self.query_one(RowList).focus()
        elif event.key in ("down", "up") and box.has_focus:
            event.stop()
            self.query_one(RowList).focus()

    # Acts

    def on_row_list_chosen(self, event: RowList.Chosen) -> None:
        self.action_open()

    def action_open(self) -> None:
        if (listing := self.chosen) is not None:
            self.services.attempt(self.services.open_session(Path(listing.path)), opens=True)

    def action_watch(self) -> None:
        if (listing := self.chosen) is not None:
            self.services.attempt(self.services.watching.open(Path(listing.path)), opens=True)

    def action_talk(self) -> None:
        self.services.attempt(self.services.begin_conversation(), opens=True)

    def action_new(self) -> None:
        from dsbuilder_tui.tui.home.new_session import NewSession

        self.ask(NewSession(), self._begin)

    def action_examples(self) -> None:
        from dsbuilder_tui.tui.home.new_session import Examples

        self.ask(Examples(), self._begin)

    def _begin(self, plan: DatasetPlanInput | None) -> None:
        """Make a session of a plan; a plan above the size limit is asked about first."""
        if plan is None:
            return
        from dsbuilder_tui.tui.widgets.dialogs import QuestionDialog

        limit = load_config(**self.services.flags).max_dataset_size
        if plan.total_instances <= limit:
            self.services.attempt(self.services.create_session(plan), opens=True)
            return
        free = provider_of(self.services.config).is_free
        cost = (
            "The built-in writer costs nothing."
            if free
            else "Each case is written by the model you connected, which may cost money."
        )
        question = QuestionDialog(
            f"{counted(plan.total_instances, 'case')}?",
            f"The plan has {counted(plan.total_instances, 'case')}; the limit is {limit:,}, so that a typo cannot become "
            f"a bill. {cost}",
            [(f"raise the limit to {plan.total_instances:,} for this session", True), ("go back", False)],
        )

        def decided(yes: bool | None) -> None:
            if yes:
                self.services.attempt(
                    self.services.create_session(plan, max_dataset_size=plan.total_instances), opens=True
                )

        self.ask(question, decided)

    def action_rename(self) -> None:
        from dsbuilder_tui.tui.widgets.dialogs import Ask

        if (listing := self.chosen) is None:
            return

        async def rename(name: str | None) -> None:
            if name and name != listing.id:
                async with self.services.shelf:
                    folder = await library.rename_session(Path(listing.path), name)
                self._taken_back.append(partial(_called_again, folder, listing.id))
                await self.reload()

        ask = Ask(
            "Rename the session", "Its folder takes the new name; the dataset's name in the plan stays.", listing.id
        )
        self.ask(ask, lambda name: self.services.attempt(rename(name)))

    def action_export(self) -> None:
        from dsbuilder_tui.tui.widgets.dialogs import Ask

        if (listing := self.chosen) is None:
            return

        async def export(target: str | None) -> None:
            if not target:
                return
            config, clock = self.services.config, self.services.clock
            async with self.services.shelf, await Session.open(Path(listing.path), config, clock=clock) as session:
                count = await session.export(target)
                where = session.dataset.where(Path(short_path(Path(target).expanduser().absolute())))
            self.services.say(f"Wrote {counted(count, 'case')} to {where}")

        hint = f"The name ends in {ending_words()}."
        ask = Ask("Export the dataset", hint, f"{listing.id}.jsonl")
        self.ask(ask, lambda target: self.services.attempt(export(target)))

    def action_trash(self) -> None:
        from dsbuilder_tui.tui.widgets.dialogs import QuestionDialog

        if (listing := self.chosen) is None:
            return

        async def trash() -> None:
            async with self.services.shelf:
                gone = await library.trash_session(Path(listing.path), self.services.clock)
            self._taken_back.append(partial(_fetched_back, gone, self.services.config.checkpoint_root))
            self.services.say(f"{listing.id} is in the trash: {short_path(gone)}. u fetches it back.")
            await self.reload()

        what = "Its conversation goes" if listing.undecided else f"Its {counted(listing.accepted, 'case')} go"
        question = QuestionDialog(
            f"Delete {clip(listing.id, 40)}?",
            f"{what} to the trash folder of the checkpoint directory and can be fetched back.",
            [("delete", True), ("keep", False)],
        )
        self.ask(question, lambda yes: self.services.attempt(trash()) if yes else None)

    def action_restore(self) -> None:
        async def restore() -> None:
            async with self.services.shelf:
                if not self._taken_back:  # the key was pressed again meanwhile
                    return
                words = await self._taken_back[-1]()
                self._taken_back.pop()
            self.services.say(words)
            await self.reload()

        if self._taken_back:
            self.services.attempt(restore())

    def action_reload(self) -> None:
        self.background(self.reload, group="list")

    def action_connect(self) -> None:
        self.services.show_screen("settings")

    def action_use_local(self) -> None:
        welcome = self.query_one(Welcome)
        if not welcome.found:
            return
        server = welcome.found[0]
        model = server.models[0]

        async def use() -> None:
            await self.services.use_settings({"base_url": server.url, "worker_model": model, "model": model})
            self.services.say(f"{server.name} writes from now on, with {model}. c changes it.")
            welcome.repaint()

        self.services.attempt(use())


async def _fetched_back(trashed: Path, root: Path) -> str:
    """A session that was deleted comes back. Returns what to say of it."""
    return f"{(await library.restore_session(trashed, root)).name} is back."


async def _called_again(folder: Path, name: str) -> str:
    """A session has its old name again. Returns what to say of it."""
    return f"It is called {(await library.rename_session(folder, name)).name} again."
