"""Links of the app in a test: what is shown as one, and a click on it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from dsbuilder_tui.tui.places.place import Place, place_of
from tests.support.studio import User

_TOKEN = re.compile(r"(?:screen\.visit|link)\('([a-z]+_[0-9a-f]+)'\)")


def links(user: User) -> dict[str, Place]:
    """All links that can be seen: the text of each, and where it leads."""
    return {text: place for text, place, _, _ in _found(user)}


def _found(user: User) -> Iterator[tuple[str, Place, int, int]]:
    screen = user.app.screen
    for y, strip in enumerate(screen._compositor.render_strips(screen.size)):
        x, text, token, begin = 0, "", "", 0
        for segment in [*strip, None]:
            action = (
                str(segment.style.meta.get("@click", "")) if segment and segment.style and segment.style._meta else ""
            )
            found = _TOKEN.fullmatch(action)
            here = found[1] if found else ""
            if token and here != token:
                place = place_of(token)
                assert place is not None, token
                yield text.strip(), place, begin, y
            if here != token:
                text, token, begin = "", here, x
            if segment is not None:
                text += segment.text
                x += segment.cell_length


def place_of_text(user: User, text: str) -> tuple[int, int]:
    """Where a link with this text begins."""
    return next((x, y) for shown, _, x, y in _found(user) if shown == text)


async def follow(user: User, text: str) -> None:
    """Click on a link, once it is there."""
    await user.until(lambda: text in links(user))
    await user.pilot.click(offset=place_of_text(user, text))
