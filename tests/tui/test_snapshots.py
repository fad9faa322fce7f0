"""Every screen as a picture, in the sizes and states that matter.

The pictures are compared with those in ``__snapshots__``. After a change that is meant, look at the new ones and accept
them with ``--snapshot-update``.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input, TextArea

from tests.support import branch_scenes, coverage_scenes, judged_scenes, scenes, talk_scenes
from tests.support.frozen import ENDPOINT, FrozenApp, settled

Scene = Callable[[FrozenApp, Pilot[Any]], Awaitable[None]]
Shoot = Callable[..., None]

WIDE, NARROW = (120, 36), (80, 24)
BOTH = pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])

EACH = pytest.mark.parametrize("size", [(200, 50), WIDE, NARROW], ids=["large", "wide", "narrow"])


@pytest.fixture
def stillness(clean_environment: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A terminal of nobody in particular: known colours and folders, nothing blinks, clocks show UTC."""
    for name in ("NO_COLOR", "TEXTUAL_THEME", "XDG_STATE_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    for kind in (Input, TextArea):
        monkeypatch.setattr(kind.cursor_blink, "_default", False)
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.fixture
def shoot(stillness: None, snap_compare: Callable[..., bool]) -> Shoot:
    """``shoot(scene, size, *keys)``: set the scene, press the keys one by one, compare the picture."""

    def take(scene: Scene | None, size: tuple[int, int], *keys: str, offline: bool = False, **flags: Any) -> None:
        app = FrozenApp({**({} if offline else ENDPOINT), "plan_samples": 0, **flags})

        async def before(pilot: Pilot[Any]) -> None:
            if scene is not None:
                await scene(app, pilot)
            await settled(pilot)
            for key in keys:
                await pilot.press(key)
                await settled(pilot)
            await settled(pilot, picture=True)

        assert snap_compare(app, terminal_size=size, run_before=before)

    return take


@pytest.mark.parametrize(
    "size", [(200, 50), WIDE, (100, 30), NARROW, (60, 16)], ids=["large", "wide", "least_wide", "narrow", "tiny"]
)
def test_studio_running(shoot: Shoot, size: tuple[int, int]) -> None:
    shoot(scenes.running, size)


@BOTH
def test_studio_not_started(shoot: Shoot, size: tuple[int, int]) -> None:
    shoot(scenes.not_started, size)


@BOTH
def test_talk_proposing(shoot: Shoot, size: tuple[int, int]) -> None:
    shoot(talk_scenes.proposing, size, plan_samples=3)  # they are written already


@BOTH
def test_talk_revising(shoot: Shoot, size: tuple[int, int]) -> None:
    shoot(talk_scenes.revising, size)


def test_talk_details(shoot: Shoot) -> None:
    shoot(talk_scenes.revising, WIDE, "ctrl+o")


def test_talk_asking(shoot: Shoot) -> None:
    shoot(talk_scenes.asking, WIDE)


@pytest.mark.parametrize("offline", [True, False], ids=["built_in", "model"])
def test_talk_welcome(shoot: Shoot, offline: bool) -> None:
    shoot(talk_scenes.welcome, WIDE, offline=offline)


def test_studio_draining(shoot: Shoot) -> None:
    shoot(scenes.draining, WIDE)


def test_studio_paused(shoot: Shoot) -> None:
    shoot(scenes.paused, WIDE)


def test_studio_rate_limited(shoot: Shoot) -> None:
    shoot(scenes.rate_limited, WIDE)


def test_studio_finished(shoot: Shoot) -> None:
    shoot(scenes.finished, WIDE)


@pytest.mark.parametrize(("size", "keys"), [(WIDE, []), (NARROW, ["shift+tab"])], ids=["wide", "narrow"])
def test_studio_finished_short(shoot: Shoot, size: tuple[int, int], keys: list[str]) -> None:
    shoot(scenes.finished_short, size, *keys)


@BOTH
def test_studio_refused_by_the_endpoint(shoot: Shoot, size: tuple[int, int]) -> None:
    shoot(scenes.refused, size)


@pytest.mark.parametrize(("size", "keys"), [(WIDE, []), (NARROW, ["tab"])], ids=["wide", "narrow"])
def test_studio_many_categories(shoot: Shoot, size: tuple[int, int], keys: list[str]) -> None:
    shoot(scenes.many_categories, size, *keys)


@pytest.mark.parametrize(("size", "keys"), [(WIDE, []), (NARROW, ["tab"])], ids=["wide", "narrow"])
def test_studio_long_names(shoot: Shoot, size: tuple[int, int], keys: list[str]) -> None:
    shoot(scenes.long_names, size, *keys)


@pytest.mark.parametrize("theme", ["light", "high-contrast"])
def test_studio_theme(shoot: Shoot, theme: str) -> None:
    shoot(scenes.rate_limited, WIDE, theme=theme)


def test_studio_without_colour(shoot: Shoot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    shoot(scenes.rate_limited, WIDE)


def test_studio_narrow_rejected_tab(shoot: Shoot) -> None:
    shoot(scenes.running, NARROW, *["tab"] * 5)


def test_studio_narrow_cases_tab(shoot: Shoot) -> None:
    shoot(scenes.running, NARROW, "tab", "tab", *["down"] * 4)


@pytest.mark.parametrize("scene", [scenes.paused, scenes.finished], ids=["paused", "finished"])
def test_studio_at_rest_large(shoot: Shoot, scene: Scene) -> None:
    shoot(scene, (200, 50))


def test_studio_tiny_workers_tab(shoot: Shoot) -> None:
    shoot(scenes.rate_limited, (60, 16), "tab", "tab", "tab")


def test_studio_completions(shoot: Shoot) -> None:
    shoot(scenes.running, NARROW, *"/ch")


# What may do nothing but be read


@pytest.mark.parametrize("keys", [[], ["f2"], ["f5"], ["f6"]], ids=["studio", "cases", "rejected", "workers"])
def test_hostile_text(shoot: Shoot, keys: list[str]) -> None:
    shoot(scenes.hostile, WIDE, *keys)


# The other screens


@BOTH
def test_home(shoot: Shoot, size: tuple[int, int]) -> None:
    shoot(scenes.home, size)


@BOTH
def test_home_at_first(shoot: Shoot, size: tuple[int, int]) -> None:
    shoot(None, size, offline=True)


@BOTH
def test_cases(shoot: Shoot, size: tuple[int, int]) -> None:
    shoot(scenes.running, size, "f2", "down", "down")


@BOTH
def test_cases_flags(shoot: Shoot, size: tuple[int, int]) -> None:
    shoot(scenes.compared, size, "f2", "down", "down", "down")


@BOTH
def test_cases_filter(shoot: Shoot, size: tuple[int, int]) -> None:
    shoot(scenes.running, size, "f2", "f")


@EACH
def test_cases_judged(shoot: Shoot, size: tuple[int, int]) -> None:
    shoot(judged_scenes.judged, size, "f2")


@BOTH
def test_cases_edit(shoot: Shoot, size: tuple[int, int]) -> None:
    shoot(judged_scenes.judged, size, "f2", "e")


def test_cases_edit_as_json(shoot: Shoot) -> None:
    shoot(scenes.paused, WIDE, "f2", "e", "ctrl+r")


@EACH
def test_coverage(shoot: Shoot, size: tuple[int, int]) -> None:
    shoot(coverage_scenes.filling, size, "f3", "a", "down", "down", "right")


@EACH
def test_coverage_of_documents(shoot: Shoot, size: tuple[int, int]) -> None:
    shoot(judged_scenes.judged, size, "f3", "tab", "end", "tab", "down")


@EACH
def test_map(shoot: Shoot, size: tuple[int, int]) -> None:
    shoot(coverage_scenes.mapped, size, "f7", "left", "left", "up", "space", *["right"] * 14, *["down"] * 5)


def test_map_without_colour(shoot: Shoot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    shoot(coverage_scenes.mapped, WIDE, "f7", "m")


def test_coverage_of_many_categories(shoot: Shoot) -> None:
    shoot(coverage_scenes.many_categories, WIDE, "f3", *["right"] * 9)


def test_coverage_of_hostile_text(shoot: Shoot) -> None:
    shoot(coverage_scenes.hostile, WIDE, "f3")


def test_coverage_without_colour(shoot: Shoot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    shoot(coverage_scenes.filling, NARROW, "f3", "tab")


def test_coverage_not_begun(shoot: Shoot) -> None:
    shoot(scenes.not_started, NARROW, "f3")


@BOTH
def test_checkpoints(shoot: Shoot, size: tuple[int, int]) -> None:
    shoot(scenes.running, size, "f4", "left", "left")


@EACH
def test_branches(shoot: Shoot, size: tuple[int, int]) -> None:
    shoot(branch_scenes.branched, size, "f4", "left", "left", "down", "left")


@BOTH
def test_going_back(shoot: Shoot, size: tuple[int, int]) -> None:
    shoot(branch_scenes.branched, size, "f4", "left", "left", "enter")


def test_branches_without_colour(shoot: Shoot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    shoot(branch_scenes.branched, NARROW, "f4", "down", "tab", "tab")


def test_studio_of_a_branch(shoot: Shoot) -> None:
    shoot(branch_scenes.branched, (200, 50))


def test_nothing_yet(shoot: Shoot) -> None:
    shoot(scenes.not_started, NARROW, "f4")


@BOTH
def test_rejected(shoot: Shoot, size: tuple[int, int]) -> None:
    shoot(scenes.running, size, "f5", "down", "down", "down")


@BOTH
def test_rejected_what_if(shoot: Shoot, size: tuple[int, int]) -> None:
    shoot(scenes.compared, size, "f5", "t", "right", "right")


@EACH
@pytest.mark.parametrize("keys", [[], ["down"]], ids=["judge", "validators"])
def test_rejected_by_rules(shoot: Shoot, size: tuple[int, int], keys: list[str]) -> None:
    shoot(judged_scenes.judged, size, "f5", *keys)


def test_rejected_without_threshold(shoot: Shoot) -> None:
    shoot(scenes.running, WIDE, "f5", "s", "down", "enter", "t")


@BOTH
def test_workers(shoot: Shoot, size: tuple[int, int]) -> None:
    shoot(scenes.rate_limited, size, "f6", "down")


@BOTH
def test_settings(shoot: Shoot, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DSBUILDER_JUDGE")  # as it is by default
    shoot(None, size, "c", api_key="sk-not-to-be-seen")


@BOTH
def test_help(shoot: Shoot, size: tuple[int, int]) -> None:
    shoot(None, size, "f1")


@BOTH
def test_guide(shoot: Shoot, size: tuple[int, int]) -> None:
    shoot(None, size, "f1", "g", "down", "down", "down")


# Dialogs


@BOTH
def test_new_session(shoot: Shoot, size: tuple[int, int]) -> None:
    shoot(None, size, "f", *"bot_v1")


@BOTH
def test_examples(shoot: Shoot, size: tuple[int, int]) -> None:
    shoot(None, size, "e", "down")


@BOTH
def test_quit_question(shoot: Shoot, size: tuple[int, int]) -> None:
    shoot(scenes.running, size, "ctrl+q")


@BOTH
def test_plan_editor(shoot: Shoot, size: tuple[int, int]) -> None:
    shoot(scenes.not_started, size, "e")


@BOTH
def test_palette(shoot: Shoot, size: tuple[int, int]) -> None:
    shoot(scenes.running, size, "ctrl+k")


@EACH
def test_goto(shoot: Shoot, size: tuple[int, int]) -> None:
    shoot(scenes.running, size, "ctrl+g", *"14", "down")


@BOTH
def test_jump_labels(shoot: Shoot, size: tuple[int, int]) -> None:
    shoot(scenes.running, size, "ctrl+l")


def test_palette_tiny(shoot: Shoot) -> None:
    shoot(scenes.running, (60, 16), "ctrl+k", *"re")


@EACH
def test_review(shoot: Shoot, size: tuple[int, int]) -> None:
    shoot(judged_scenes.judged, size, "f8")
