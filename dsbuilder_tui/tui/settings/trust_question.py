"""The question, in the app, whether a key may go to an address that a file of the working folder names."""

from __future__ import annotations

from collections.abc import Sequence

from dsbuilder_tui.domain.sanitise import visible
from dsbuilder_tui.settings.key_trust import ForeignAddress
from dsbuilder_tui.tui.widgets.dialogs import Question


def trust_question(foreign: Sequence[ForeignAddress]) -> Question:
    """The dialog: True for a yes that is to be remembered. Neither Enter nor Esc alone sends a key anywhere."""
    words = "\n".join(visible(one.words) for one in foreign)
    return Question(
        "Send the key there?",
        f"{words}\nThe file came with the folder, the key did not. Until you agree, nothing is sent.",
        [("do not send it", False), ("send it, and remember this for the folder", True), ("decide later", False)],
    )
