"""The question, in the app, whether a key may go to an address that a file of the working folder names."""

from __future__ import annotations

import asyncio
from typing import Any

from textual.app import App

from dsbuilder_tui.domain.sanitise import visible
from dsbuilder_tui.settings.key_trust import ForeignAddress, allow, foreign_addresses, refusal, uses_of
from dsbuilder_tui.settings.schema import DatasetBuilderConfig
from dsbuilder_tui.tui.services import UsesServices
from dsbuilder_tui.tui.widgets.dialogs import QuestionDialog


class TrustQuestions(UsesServices):
    """Asks about addresses that came with the folder, each once while the app is open; a yes is remembered for good."""

    def __init__(self, app: App[Any]) -> None:
        self.app = app
        self._asked: set[ForeignAddress] = set()

    def ask(self, config: DatasetBuilderConfig) -> None:
        """Show the question if there is one. Neither Enter nor Esc alone sends a key anywhere."""
        foreign = [one for one in foreign_addresses(config, uses_of(config)) if one not in self._asked]
        if not foreign:
            return
        self._asked.update(foreign)
        words = "\n".join(visible(one.words) for one in foreign)
        question = QuestionDialog(
            "Send the key there?",
            f"{words}\nThe file came with the folder, the key did not. Until you agree, nothing is sent.",
            [("do not send it", False), ("send it, and remember this for the folder", True), ("decide later", False)],
        )

        def answered(yes: bool | None) -> None:
            if yes:
                self.services.attempt(asyncio.to_thread(allow, foreign))
            else:
                self.services.say(refusal(foreign).hint)

        self.app.push_screen(question, answered)
