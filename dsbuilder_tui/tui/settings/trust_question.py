"""The question, in the app, whether keys and prompts may go to an address that a folder names, or unencrypted."""

from __future__ import annotations

import asyncio
from typing import Any

from textual.app import App

from dsbuilder_tui.domain.sanitise import visible
from dsbuilder_tui.settings.key_trust import (
    ForeignAddress,
    TrustRisk,
    allow,
    foreign_addresses,
    foreign_tracking,
    refusal,
    uses_of,
)
from dsbuilder_tui.settings.schema import DatasetBuilderConfig
from dsbuilder_tui.tui.services import UsesServices
from dsbuilder_tui.tui.widgets.dialogs import QuestionDialog


class TrustQuestions(UsesServices):
    """Asks about addresses that came with a folder, or to which the way is open.

    Each is asked about once while the app is open; a yes is remembered for good.
    """

    def __init__(self, app: App[Any]) -> None:
        self.app = app
        self._asked: set[ForeignAddress] = set()

    def ask(self, config: DatasetBuilderConfig) -> None:
        """Show the question if there is one. Neither Enter nor Esc alone sends a key anywhere."""
        all_foreign = (*foreign_addresses(config, uses_of(config)), *foreign_tracking(config))
        foreign = [one for one in all_foreign if one not in self._asked]
        if not foreign:
            return
        self._asked.update(foreign)
        words = "\n".join(visible(one.words) for one in foreign)
        of_folder = all(one.folder is not None and not one.of_session for one in foreign)
        led_away = of_folder and all(one.key and one.risk is TrustRisk.FOLDER for one in foreign)
        spends = any(one.risk is TrustRisk.SPENDING for one in foreign)
        why = "The file came with the folder, the key did not. " if led_away else ""
        question = QuestionDialog(
            "Go by what came with the folder?" if spends else "Send the key there?" if led_away else "Send it there?",
            f"{words}\n{why}Until you agree, nothing is sent.",
            [
                ("do not" if spends else "do not send it", False),
                (
                    f"{'go by' if spends else 'send'} it, and remember this{' for the folder' if of_folder else ''}",
                    True,
                ),
                ("decide later", False),
            ],
        )

        def answered(yes: bool | None) -> None:
            if yes:
                self.services.attempt(asyncio.to_thread(allow, foreign))
            else:
                self.services.say(refusal(foreign).hint)

        self.app.push_screen(question, answered)
