"""Text of the conversation in which what is named is a link: plain, and Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual.content import Content
from textual.scrollbar import ScrollBar
from textual.style import Style
from textual.widgets import Markdown, Static
from textual.widgets.markdown import MarkdownBlock, MarkdownFence

from dsbuilder_tui.domain.sanitise import visible
from dsbuilder_tui.tui.paint.line import clip
from dsbuilder_tui.tui.places.links import links_in, visit_action
from dsbuilder_tui.tui.places.place import Place
from dsbuilder_tui.tui.places.references import TextLink, references
from dsbuilder_tui.tui.widgets.safe import markdown_parser

if TYPE_CHECKING:
    from dsbuilder_tui.tui.places.finder import PlaceFinder


class LinkedText(Static):
    """A content, whose text may be foreign, with its links."""

    def __init__(self, content: Content, *, classes: str) -> None:
        super().__init__(content, classes=classes)
        self._unlinked = content
        self._links: Sequence[TextLink] = ()

    def on_mount(self) -> None:
        self.relink()

    def relink(self) -> None:
        """Look again what is a link."""
        found = links_in(self, self._unlinked.plain)
        if list(found) != list(self._links):
            self._links = found
            content = self._unlinked
            for link in found:
                content = content.stylize(Style.from_meta({"@click": visit_action(link.place)}), link.start, link.end)
            self.update(content)


def with_links(text: str, screen: object) -> Content:
    """A short text of ours, such as a toast, in which what it names leads there from a screen about a session. Whether it is
    there is looked for when it is clicked."""
    finder: PlaceFinder | None = getattr(screen, "places", None)
    content = Content(text)
    for link in references(text, finder.names) if finder is not None else ():
        meta = Style.from_meta({"@click": visit_action(link.place)})
        content = content.stylize(meta + Style(underline=True), link.start, link.end)
    return content


class CodeBlock(MarkdownFence):
    """A block of code in Markdown."""

    @property
    def horizontal_scrollbar(self) -> ScrollBar:
        # Styles that reach one that is being taken down ask for its bar, which would be begun then and ended by nobody.
        if self._pruning and self._horizontal_scrollbar is None:
            return ScrollBar(vertical=False)
        return super().horizontal_scrollbar


class SafeMarkdown(Markdown):
    """Markdown that opens nothing outside of the app: its own links only say where they lead; what it names is a link."""

    def __init__(self, text: str, *, growing: bool = False) -> None:
        """While it is ``growing`` it is not drawn again."""
        self._growing, self._first = growing, visible(text)
        self._places: dict[str, Place] = {}  # what the links that are ours lead to
        self._shown: set[str] = set()  # the links for which it was drawn last
        super().__init__(visible(text) or None, open_links=False, parser_factory=lambda: markdown_parser(self._find))

    def _find(self, text: str) -> list[tuple[int, int, str]]:
        """Called while it is parsed, which is done beside the event loop: nothing is asked for here."""
        found = []
        for link in links_in(self, text, asks=False) if self.is_attached else ():
            self._places[link.place.token] = link.place
            found.append((link.start, link.end, link.place.token))
        return found

    def on_mount(self) -> None:
        self.call_later(self.relink)

    def get_block_class(self, block_name: str) -> type[MarkdownBlock]:
        found = super().get_block_class(block_name)
        return CodeBlock if found is MarkdownFence else found

    async def relink(self) -> None:
        """Look again what is a link; draws only when something else is one."""
        if self._growing:
            return
        text = self.source or self._first  # what it begins with is not its source yet while that is being drawn
        found = {link.place.token for line in text.splitlines() for link in links_in(self, line)}
        if found not in (self._shown, set(self._places)):
            self._shown = found
            self._places = {}
            await self.update(text)

    async def grown(self) -> None:
        """Its text is whole."""
        self._growing = False
        await self.relink()

    def on_markdown_link_clicked(self, event: Markdown.LinkClicked) -> None:
        event.stop()
        if (place := self._places.get(event.href)) is not None:
            self.call_later(self.run_action, visit_action(place))
        else:
            self.app.notify(f"The link leads to {clip(event.href, 200)}", markup=False)
