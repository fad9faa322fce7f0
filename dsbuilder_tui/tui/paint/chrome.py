"""The lines around the panels: the header, the keys at the bottom, the tabs of a narrow terminal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len

from dsbuilder_tui.domain.run_state import RunState
from dsbuilder_tui.tui.paint.line import Line, Span, clip, cut, length, pad, plain, sides
from dsbuilder_tui.view import RunView
from dsbuilder_tui.wording import span, spent_words

STATE_LOOKS = {
    RunState.IDLE: ("○", "muted", "not started"),
    RunState.RUNNING: ("●", "good", "running"),
    RunState.PAUSING: ("◐", "warn", "pausing"),
    RunState.PAUSED: ("‖", "warn", "paused"),
    RunState.FINISHED: ("✓", "good", "finished"),
}


@dataclass(frozen=True, slots=True)
class Key:
    """One key of the bottom line: what to press, what it does, which action a click runs.

    One to be ``kept`` is there at any width: what destroys, what answers, what leaves.
    """

    key: str
    words: str
    action: str
    kept: bool = False


def state_spans(view: RunView, now: float) -> list[Span]:
    mark, role, words = STATE_LOOKS[view.state]
    if view.state is RunState.FINISHED and view.accepted < view.planned:
        mark, role, words = "!", "warn", "finished short"
    if view.state is RunState.IDLE and not view.planned:
        words = "no plan yet"
    if view.state is RunState.PAUSING:
        words = f"draining {view.workers_busy} in flight …"
    spans: list[Span] = [(f"{mark} {words}", role)]
    if view.started and view.busy:
        spans.append((f" {span(now - view.started)}", "muted"))
    return spans


def header(
    view: RunView,
    width: int,
    now: float,
    *,
    models: str,
    mode: str = "",
    screen: str = "",
    budget: float | None = None,
) -> Line:
    """Name, session, who writes, what it cost, how it stands. The middle gives way on a narrow terminal."""
    left: list[Span] = [(" dsbuilder ", "key"), (" ", "text"), (clip(view.session, max(12, width // 3)), "strong")]
    if screen:
        left.append((f" · {screen}", "muted"))
    right: list[Span] = []
    if mode:
        right += [(mode, "info"), ("   ", "text")]
    right += [*state_spans(view, now), (" ", "text")]
    spent = spent_words(view, budget)
    room = width - length(tuple(left)) - length(tuple(right)) - 4
    middle: list[Span] = []
    models = plain(models)
    if models and cell_len(models) + 3 <= room:
        middle.append((f"   {models}", "muted"))
        room -= cell_len(models) + 3
    tracked = _tracked(view)
    if tracked is not None and cell_len(tracked[0]) + 3 <= room:
        right = [tracked, ("   ", "text"), *right]
        room -= cell_len(tracked[0]) + 3
    if spent and len(spent) + 3 > room:
        spent = spent.partition(" →")[0]  # the forecast gives way first
    if spent and len(spent) + 3 <= room:
        used_up = budget is not None and view.dollars >= budget
        right = [(f"{spent}   ", "warn" if used_up else "muted"), *right]
    return sides([*left, *middle], right, width)


def _tracked(view: RunView) -> Span | None:
    """How far the session is in MLflow: ``MLflow 120/150``, with a mark while that cannot be reached."""
    state = view.tracking
    if state is None:
        return None
    there, trouble = f"{state.synced:,}/{state.accepted:,}", bool(state.error)
    if state.finished and not state.waiting and not trouble:
        return ("MLflow ✓", "muted")
    return (f"MLflow {'! ' if trouble else ''}{there}", "warn" if trouble else "muted")


def key_bar(keys: Sequence[Key], width: int) -> Line:
    """The keys that work now. When they do not all fit, the others give way to those that are kept, from the end."""

    def size(key: Key) -> int:
        return len(key.key) + len(key.words) + 3

    room = width - sum(size(key) for key in keys if key.kept)  # with a cell of margin at both ends
    shown: list[Key] = []
    for key in keys:
        if not key.kept:
            room -= size(key)
        if key.kept or room >= 0:
            shown.append(key)
    spans: list[Span] = [(" ", "text")]
    for key in shown:
        spans += [(key.key, "key", key.action), (f" {key.words}", "muted", key.action), ("  ", "text")]
    return pad(cut(tuple(spans[:-1]), width), width)


def tab_bar(names: Sequence[str], chosen: int, counts: Sequence[str], width: int) -> Line:
    """The tabs of a narrow terminal; each can be clicked."""
    spans: list[Span] = [(" ", "text")]
    tight = sum(len(n) + len(c) + 4 for n, c in zip(names, counts, strict=True)) > width
    for index, (name, count) in enumerate(zip(names, counts, strict=True)):
        action = f"screen.tab({index})"
        role = "accent+bold" if index == chosen else "muted"
        mark = "▌" if index == chosen else " "
        spans += [(f"{mark}{name}", role, action)]
        if count and not tight:
            spans.append((f" {count}", "faint", action))
        spans.append((" " if tight else "  ", "text"))
    return pad(tuple(spans), width)
