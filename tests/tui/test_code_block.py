"""A block of code in the conversation, taken down while styles are on their way to it."""

from __future__ import annotations

from textual.app import App, ComposeResult
from textual.widgets.markdown import MarkdownFence

from dsbuilder_tui.tui.widgets.linked_text import SafeMarkdown


class _OneBlock(App[None]):
    def compose(self) -> ComposeResult:
        yield SafeMarkdown(f"```\n{'x' * 300}\n```\n")


async def test_no_scrollbar_is_begun_that_nobody_would_end() -> None:
    app = _OneBlock()
    async with app.run_test(size=(60, 16)) as pilot:
        await pilot.pause()
        block = app.query_one(MarkdownFence)
        begun = block.horizontal_scrollbar
        assert begun.is_running, "while it stands it has one"
        await block.remove()
        block._horizontal_scrollbar = None  # as if it had been taken down before it was ever as wide
        block.show_horizontal_scrollbar = True
        block.styles.scrollbar_color = "red"
        assert block._horizontal_scrollbar is None
        assert not block.horizontal_scrollbar.is_running
