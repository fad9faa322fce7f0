"""What the app shows, read for words that only the code knows; on every screen about a session."""

from __future__ import annotations

import re
from collections.abc import Collection

from dsbuilder_tui.domain.expectation import MlflowKey
from dsbuilder_tui.settings.schema import DatasetBuilderConfig
from dsbuilder_tui.tui.registry import session_screens
from tests.support.studio import User

OTHER_SIZES = ((80, 24), (200, 50))  # than the one that a test drives at

# The cases' fields are shown with their names in the dataset, each with what it means.
FIELDS = frozenset(MlflowKey)
SETTINGS = frozenset(DatasetBuilderConfig.model_fields) | {
    "customer_service_v1"
}  # and the example of a name in the app
_MOST_PANES = 6
_IN_FULL = re.compile(r'[\s│]*(?:["\]{}]|\[\s)')
NOUNS = "cases|batches|checkpoints|slots|calls|workers|rows|categories|branches|candidates|messages|files|rejections|tokens|sessions"
_SLIPS = {
    "a name of the code": re.compile(r"(?<![\w./~:=@%<{-])[a-z][a-z0-9]*(?:_[a-z0-9]+)+(?![\w/=…]|\.\w)"),
    "a class of the code": re.compile(
        r"(?<![\w./])(?:[A-Z][a-z]+){1,3}(?:Error|Kind|State|Stage|Action|Event|Input|Approval|Outcome|Reason)\b"
    ),
    "a value of the code": re.compile(r"\b(?:None|True|False|nan)\b(?! of|…)|<\w+[ .:]|\b[A-Z]\w+\.[A-Z_]{3,}\b"),
    "a list of the code": re.compile(r"[(\[]['\"]|['\"], ?['\"]|['\"]\)"),
    "a word to a model": re.compile(r"(?i)tell the person|the person's yes|the person said"),
    "a wrong number": re.compile(rf"(?<![\d,.])1 (?:more |accepted |open |exhausted )?(?:{NOUNS})\b(?!/)"),
}


def slips(text: str, own: Collection[str] = ()) -> list[str]:
    """What a text shows that only the code knows, each with its line. ``own`` are names that a person gave."""
    found = []
    for line in text.split("\n"):
        for what, pattern in _SLIPS.items():
            for slip in pattern.findall(line):
                if slip not in SETTINGS and slip not in own:
                    found.append(f"{what}: {slip!r} in {' '.join(line.split())!r}")
    return found


class Reader:
    """Reads what is shown, and keeps what should not be."""

    def __init__(self, user: User, own: Collection[str]) -> None:
        self.user, self.own = user, own
        self.found: dict[str, str] = {}

    def look(self, place: str, *, without: str = "", of: str = "") -> None:
        """Look at the screen, but for the content of one widget, which is a model's or a person's text, and for what tools were
        told and answered in full, which is asked for as it is. ``of`` is the screen's own name, where the place has another."""
        text = self.user.text
        if without:
            region = self.user.one(without).region
            lines = text.split("\n")
            text = "\n".join(
                line[: region.x] + line[region.right :] if region.y <= y < region.bottom else line
                for y, line in enumerate(lines)
            )
        text = "\n".join(line for line in text.split("\n") if not _IN_FULL.match(line))
        own = {*self.own, *FIELDS} if (of or place) in ("cases", "review") else self.own
        for slip in slips(text, own):
            self.found.setdefault(slip, place)
        for slip in slips(self.user.told, self.own):
            self.found.setdefault(slip, f"{place}, a toast")

    def check(self) -> None:
        """Fail with each slip, and where it stood first."""
        assert not self.found, "\n".join(f"{place}: {slip}" for slip, place in self.found.items())

    async def at_other_sizes(self, place: str, *, without: str = "") -> None:
        """Look at the same screen in a small and a large terminal, and go back to the size there was."""
        own = self.user.app.size
        for size in OTHER_SIZES:
            await self.user.pilot.resize_terminal(*size)
            await self.user.pilot.pause()
            self.look(f"{place} at {size[0]}×{size[1]}", without=without, of=place)
        await self.user.pilot.resize_terminal(*own)

    async def screens(self) -> None:
        """Every screen about the session, with every pane of it."""
        user = self.user
        for row in session_screens():
            await user.press(row.key)
            await user.until(lambda row=row: user.app.screen.screen_name == row.name)
            # A call's prompt and answer, and a case's own text, are shown as they are.
            without = {"workers": "#call"}.get(row.name, "")
            for _ in range(_MOST_PANES):
                await user.pilot.pause()
                self.look(row.name, without=without)
                await user.press("tab")
            await user.press(*["escape"] * 3)
            await user.until(lambda: user.place == "StudioScreen")
