"""Small dialogs: a question with answers, a line of text to give."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, TypeVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Static, TextArea

from dsbuilder_tui.domain.sanitise import visible
from dsbuilder_tui.tui.paint.line import Line, clip
from dsbuilder_tui.tui.widgets.rows import RowList
from dsbuilder_tui.tui.widgets.safe import title

T = TypeVar("T")


def text(words: str, classes: str = "said") -> Static:
    """A paragraph of text that may be foreign: shown as it is, never as markup."""
    return Static(Content(visible(words)), classes=classes)


class Dialog(ModalScreen[T | None]):
    """What all dialogs share: Esc leaves without an answer, and words in it are replaced by ``say``."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "cancel", "cancel")]

    def say(self, selector: str, words: str) -> None:
        """Put words, which may be foreign, into a paragraph made by ``text``."""
        self.query_one(selector, Static).update(Content(visible(words)))

    def action_cancel(self) -> None:
        self.dismiss(None)


class QuestionDialog(Dialog[Any]):
    """A question; the first answer is the one that Enter gives. Esc is the last one."""

    def __init__(self, heading: str, words: str, answers: Sequence[tuple[str, Any]]) -> None:
        super().__init__()
        self._title, self._words, self._answers = heading, words, answers

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog") as box:
            box.border_title = title(self._title)
            box.border_subtitle = "enter choose · esc cancel"
            yield text(self._words)
            rows = RowList(self._row, id="answers")
            rows.styles.height = len(self._answers)
            yield rows

    def on_mount(self) -> None:
        rows = self.query_one(RowList)
        rows.set_count(len(self._answers))
        rows.focus()

    def _row(self, index: int, width: int, chosen: bool) -> Line:
        return ((clip(self._answers[index][0], width), "strong" if chosen else "text"),)

    def on_row_list_chosen(self, event: RowList.Chosen) -> None:
        self.dismiss(self._answers[event.rows.cursor][1])

    def action_cancel(self) -> None:
        self.dismiss(self._answers[-1][1])


class Ask(Dialog[str]):
    """One line of text. ``check`` says what is wrong with it, as it is typed; empty means nothing."""

    def __init__(
        self,
        heading: str,
        words: str,
        value: str = "",
        *,
        check: Callable[[str], str] = lambda value: "",
        secret: bool = False,
    ) -> None:
        super().__init__()
        self._title, self._words, self._value, self._check, self._secret = heading, words, value, check, secret

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog") as box:
            box.border_title = title(self._title)
            box.border_subtitle = "enter take it · esc cancel"
            yield text(self._words)
            with Vertical(classes="field-box"):
                yield Field(value=self._value, id="line", password=self._secret)
            yield text("", "problem")

    def on_mount(self) -> None:
        self.query_one(Input).focus()

    def on_input_changed(self, event: Input.Changed) -> None:
        self.say(".problem", self._check(event.value))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        if not self._check(event.value):
            self.dismiss(event.value)


class Field(Input):
    """A line of input."""

    def __init__(
        self, value: str = "", *, id: str | None = None, placeholder: str = "", password: bool = False
    ) -> None:
        super().__init__(
            value=value, id=id, placeholder=placeholder, password=password, compact=True, select_on_focus=False
        )

    def validate_value(self, value: str) -> str:
        """Whatever way a text comes in, it is one line of characters that can be seen."""
        return visible(value).replace("\n", " ").replace("\t", " ")


class TextBox(TextArea):
    """Several lines of input; what is pasted is made visible. Tab goes on to the next field."""

    def __init__(self, value: str = "", *, id: str | None = None, language: str | None = None) -> None:
        super().__init__(
            visible(value), id=id, soft_wrap=True, tab_behavior="focus", show_line_numbers=False, compact=True,
            language=language,
        )  # fmt: skip

    async def _on_paste(self, event: Any) -> None:
        event.prevent_default()
        event.stop()
        self.insert(visible(event.text.replace("\r\n", "\n").replace("\r", "\n")))
