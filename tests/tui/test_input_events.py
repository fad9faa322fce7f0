"""Input at an unlucky moment: the mouse on what was removed a moment ago and is still drawn, keys that come late."""

from __future__ import annotations

import pytest
from textual import events
from textual.widgets import Static

from dsbuilder_tui.tui.input_events import TypedAhead
from tests.support.studio import studio


def mouse(kind: type[events.MouseEvent], x: int, y: int, button: int = 1) -> events.MouseEvent:
    return kind(
        None, x=x, y=y, delta_x=1, delta_y=0, button=button, shift=False, meta=False, ctrl=False, screen_x=x, screen_y=y
    )


@pytest.mark.parametrize("pressed_before", [False, True], ids=["pressed", "dragged"])
async def test_the_mouse_on_what_was_just_removed_does_nothing(pressed_before: bool) -> None:
    async with studio() as user:
        app = user.pilot.app
        gone, stays = Static("gone\ngone"), Static("stays\nstays")
        await app.screen.mount(gone, stays)
        await user.until(lambda: gone.region.area and stays.region.area)
        x, y = gone.region.x, gone.region.y
        if pressed_before:
            await app.on_event(mouse(events.MouseDown, stays.region.x, stays.region.y))
        parent = gone.parent
        gone._detach()  # as its removal does, at the moment between that and the next layout
        assert app.screen.get_widget_at(x, y)[0] is gone  # still drawn
        for kind in (events.MouseMove, events.MouseDown, events.MouseMove, events.MouseUp):
            await app.on_event(mouse(kind, x, y))
            await user.pilot.pause()
        gone._attach(parent)
        assert app.is_running


def test_what_is_typed_ahead_stands_in_the_order_in_which_it_was_pressed() -> None:
    """What went to the list of sessions first comes back later than what was pressed after it."""
    ahead = TypedAhead(["f2"])
    pressed = [events.Key("enter" if one == "\r" else one, one) for one in "hello\rand so on"]
    pressed.insert(8, events.Key("f2", None))
    for event in pressed[9:] + pressed[:9]:
        assert ahead.take(event) or event.key == "enter"
    assert (ahead.sent, ahead.text, ahead.screen_key) == (["hello"], "and so on", "f2")
    assert not ahead.take(events.Key("f9", None)) and not ahead.take(mouse(events.MouseUp, 1, 1))
