"""Turns of calls in a process of a node."""

from __future__ import annotations

from functools import partial

from dsbuilder_tui.generation.runners.call_turns import CallTurn, CallTurns


def test_calls_have_their_turn_in_their_order_as_many_as_may_be_made_at_once() -> None:
    turns, said = CallTurns(), list[tuple[str, bool]]()

    def take(name: str, at_once: int) -> CallTurn:
        return turns.take(at_once, lambda come: said.append((name, come)))

    calls = {name: take(name, 2) for name in "abcde"}
    assert said == [("a", True), ("b", True)] and (turns.inside, turns.waiting) == (2, 3)
    turns.end(calls["c"])  # it is not wanted any more
    turns.end(calls["b"])
    assert said[2:] == [("d", True)] and calls["d"].come and not calls["c"].come
    turns.end(calls["b"])  # again: nothing
    assert turns.inside == 2
    take("f", 3)  # more at once from now on: the next in the row first
    assert said[3:] == [("e", True)]
    turns.turn_away()
    assert said[4:] == [("f", False)] and turns.waiting == 0
    for name in "ade":
        turns.end(calls[name])
    assert turns.inside == 0
    list(map(partial(take, at_once=0), "ghi"))
    assert said[5:] == [("g", True), ("h", True), ("i", True)], "as many as there are"


def test_a_call_that_was_overtaken_by_its_turning_away_is_not_made() -> None:
    """Messages to a process may overtake one another: what was sent before the pause can come after it."""
    turns, said = CallTurns(), list[tuple[str, bool]]()

    def take(name: str, at_once: int) -> CallTurn:
        return turns.take(at_once, lambda come: said.append((name, come)))

    inside = take("inside", 1)
    turns.turn_away()
    late, begun = take("late", 1), take("begun again", 0)
    assert said == [("inside", True), ("late", False), ("begun again", True)]
    assert (turns.inside, turns.waiting) == (2, 0) and begun.come and not late.come
    for turn in (inside, late, begun):
        turns.end(turn)
    assert turns.inside == 0 and len(said) == 3
