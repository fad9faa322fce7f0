"""The ledger: every slot leased, filled once, tried again, exhausted."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from dsbuilder_tui import DatasetPlanInput
from dsbuilder_tui.domain.case import Slot
from dsbuilder_tui.generation.ledger import Batch, Ledger, SlotState
from dsbuilder_tui.store.rows import LedgerRows

Plans = Callable[..., DatasetPlanInput]


def drain(ledger: Ledger, size: int = 7, workers: int = 1) -> list[Batch]:
    batches = []
    while (batch := ledger.lease(lambda _: size, workers)) is not None:
        batches.append(batch)
    return batches


def ordinals(batches: list[Batch], name: str) -> list[int]:
    return [wanted.slot.ordinal for b in batches if b.category.name == name for wanted in b.slots]


def test_every_slot_is_leased_once(make_plan: Plans) -> None:
    ledger = Ledger(make_plan(50, 31), 0, 3, ordered=False)
    batches = drain(ledger)
    assert ordinals(batches, "category_1") == list(range(1, 51))
    assert ordinals(batches, "category_2") == list(range(1, 32))
    assert [b.number for b in batches] == list(range(1, len(batches) + 1))
    assert all(len({w.slot.category for w in b.slots}) == 1 for b in batches)
    assert (ledger.open, ledger.leased) == (81, 81)


def test_near_the_end_what_is_left_is_spread_over_the_idle_workers(make_plan: Plans) -> None:
    ledger = Ledger(make_plan(10), 0, 3, ordered=False)
    sizes = [len(batch.slots) for idle in range(5, 0, -1) if (batch := ledger.lease(lambda _: 20, idle))]
    assert sizes == [2, 2, 2, 2, 2]


def test_a_rejected_slot_opens_again_with_what_it_was_too_close_to(make_plan: Plans) -> None:
    ledger = Ledger(make_plan(3), 0, 3, ordered=False)
    (batch,) = drain(ledger)
    for wanted in batch.slots[1:]:
        ledger.fill(wanted.slot)
    assert ledger.reject(batch.slots[0].slot, 42) is None
    (again,) = drain(ledger)
    assert [(w.slot.ordinal, w.attempt) for w in again.slots] == [(1, 1)]
    assert again.avoid == (42,)
    assert (ledger.filled, ledger.open) == (2, 1)


def test_a_slot_is_exhausted_after_the_limit(make_plan: Plans) -> None:
    ledger = Ledger(make_plan(1), 0, 3, ordered=False)
    told = []
    for _ in range(3):
        (batch,) = drain(ledger)
        told.append(ledger.reject(batch.slots[0].slot, None))
    assert told == [None, None, 3]
    assert (ledger.open, ledger.exhausted, drain(ledger)) == (0, 1, [])


def test_a_failed_worker_is_not_held_against_the_slot(make_plan: Plans) -> None:
    ledger = Ledger(make_plan(2), 0, 1, ordered=False)
    for _ in range(5):
        (batch,) = drain(ledger)
        for wanted in batch.slots:
            assert wanted.attempt == 0
            ledger.give_back(wanted.slot)
    assert ledger.open == 2


def test_ordered_rounds_do_not_depend_on_timing(make_plan: Plans) -> None:
    plan = make_plan(40, 20)

    def judged(workers: int) -> list[tuple[str, int, int]]:
        ledger, order, flying = Ledger(plan, 0, 4, ordered=True), [], []
        while ledger.open:
            while len(flying) < workers and (batch := ledger.lease(lambda _: 6, workers)):
                flying.append(batch)
            batch = flying.pop(0)
            for wanted in batch.slots:
                order.append((wanted.slot.category, wanted.slot.ordinal, wanted.attempt))
                if (wanted.slot.ordinal * 7 + wanted.attempt) % 3 == 0:
                    ledger.reject(wanted.slot, None)
                else:
                    ledger.fill(wanted.slot)
        return order

    assert judged(1) == judged(3) == judged(9)


def test_restored_from_rows(make_plan: Plans) -> None:
    ledger = Ledger(make_plan(6), 0, 3, ordered=False)
    ledger.restore(
        LedgerRows(
            filled={"category_1": [(1, None, 1), (4, None, 2)]},
            attempts={("category_1", 2): (2, 1, [1, 2]), ("category_1", 5): (6, 3, [])},
            exhausted={"category_1": [5]},
        ),
        last_batch=9,
    )
    assert (ledger.open, ledger.filled, ledger.exhausted) == (3, 2, 1)
    batches = drain(ledger)
    leased = {w.slot.ordinal: w.attempt for b in batches for w in b.slots}
    assert leased == {3: 0, 6: 0, 2: 2}
    assert batches[0].number == 10
    assert ledger.reject(Slot("category_1", 2), None) is None
    assert ledger.reject(Slot("category_1", 2), None) == 3


@pytest.mark.parametrize("ordered", [False, True])
def test_a_filled_slot_opens_again_for_a_person(ordered: bool, make_plan: Plans) -> None:
    ledger = Ledger(make_plan(4), 0, 2, ordered=ordered)
    first = ledger.lease(lambda _: 2, 1)
    assert first is not None
    for wanted in first.slots:
        ledger.fill(wanted.slot)
    ledger.reopen("category_1", 2, 5, 42)
    assert (ledger.filled, ledger.open, ledger.state("category_1", 2)) == (1, 3, SlotState.OPEN)
    batches = drain(ledger)
    assert sorted(ordinals(batches, "category_1")) == [2, 3, 4] or ordered
    for wanted in [w for b in batches for w in b.slots]:
        ledger.fill(wanted.slot)
    batches += drain(ledger)
    assert sorted(ordinals(batches, "category_1")) == [2, 3, 4]
    again = next(b for b in batches for w in b.slots if w.slot.ordinal == 2)
    assert 42 in again.avoid and {w.attempt for w in again.slots if w.slot.ordinal == 2} == {5}


def test_a_person_fills_slots_without_a_lease(make_plan: Plans) -> None:
    ledger = Ledger(make_plan(4), 0, 1, ordered=False)
    (batch,) = drain(ledger)
    ledger.reject(batch.slots[0].slot, None)  # exhausted
    ledger.give_back(batch.slots[1].slot)  # open, in line
    ledger.fill(batch.slots[2].slot)
    assert [ledger.state("category_1", n) for n in range(6)] == [
        None, SlotState.EXHAUSTED, SlotState.OPEN, SlotState.FILLED, SlotState.LEASED, None,
    ]  # fmt: skip
    assert ledger.state("none", 1) is None
    ledger.claim("category_1", 1)
    ledger.claim("category_1", 2)
    assert (ledger.filled, ledger.open, ledger.exhausted, ledger.leased) == (3, 1, 0, 1)
    assert drain(ledger) == []
    ledger.give_back(batch.slots[3].slot)
    assert ordinals(drain(ledger), "category_1") == [4]


def test_slots_of_an_earlier_plan_are_passed_over(make_plan: Plans) -> None:
    ledger = Ledger(make_plan(2), 0, 3, ordered=False)
    ledger.restore(
        LedgerRows(
            filled={"gone": []},
            attempts={("gone", 1): (1, 1, []), ("category_1", 9): (2, 2, [])},
            exhausted={"gone": []},
        ),
        0,
    )
    assert ordinals(drain(ledger), "category_1") == [1, 2]


def test_retired_slots_are_never_leased(make_plan: Plans) -> None:
    ledger = Ledger(make_plan(5), 0, 3, ordered=True)
    rows = LedgerRows(
        filled={"category_1": [(6, None, 1)]},
        attempts={("category_1", 2): (1, 1, [])},
        exhausted={"category_1": []},
        retired={"category_1": [2, 4], "dropped": [1, 2, 3]},
    )
    ledger.restore(rows, 0)
    assert (ledger.open, ledger.filled) == (4, 1)
    assert ordinals(drain(ledger), "category_1") == [1, 3, 5, 7]
    assert ledger.state("category_1", 2) is SlotState.RETIRED and ledger.state("category_1", 8) is None


def _paired(make_plan: Plans, *counts: int) -> DatasetPlanInput:
    return make_plan(*counts, contrast=0.1, same=0.1)


def test_a_partner_is_leased_when_its_case_is_there(make_plan: Plans) -> None:
    ledger = Ledger(_paired(make_plan, 50), 0, 3, ordered=False)
    batches = drain(ledger)
    alone = [wanted.slot for batch in batches for wanted in batch.slots]
    assert len(alone) == 40 and all(slot.pair is None for slot in alone) and ledger.open == 50
    first, *others = alone
    for slot in others:
        ledger.fill(slot)
    partners = [wanted.slot for batch in drain(ledger) for wanted in batch.slots]
    assert all(slot.pair is not None for slot in partners)
    waits = [slot for slot in others if slot.ordinal == first.ordinal]
    assert not waits and len(partners) in (9, 10)
    ledger.fill(first)
    partners += [wanted.slot for batch in drain(ledger) for wanted in batch.slots]
    assert len(partners) == 10
    for slot in partners:
        assert slot.pair is not None and slot.attributes == ledger.slot("category_1", slot.pair.original).attributes
        ledger.fill(slot)
    assert (ledger.open, ledger.filled, drain(ledger)) == (0, 50, [])


def test_a_partner_waits_again_when_its_case_is_gone(make_plan: Plans) -> None:
    ledger = Ledger(_paired(make_plan, 10), 0, 3, ordered=False)
    for batch in drain(ledger):
        for wanted in batch.slots:
            ledger.fill(wanted.slot)
    (batch,) = drain(ledger)
    first, second = (wanted.slot for wanted in batch.slots)
    assert first.pair is not None and second.pair is not None
    ledger.give_back(second)
    ledger.reopen("category_1", first.pair.original, 1, 7)  # while its partner is written
    ledger.give_back(first)
    leased = [wanted.slot for batch in drain(ledger) for wanted in batch.slots]
    assert sorted(slot.ordinal for slot in leased) == sorted([first.pair.original, second.ordinal])
    for slot in leased:
        ledger.fill(slot)
    (batch,) = drain(ledger)
    assert [wanted.slot.ordinal for wanted in batch.slots] == [first.ordinal]


def test_a_partner_whose_case_is_given_up_is_no_partner(make_plan: Plans) -> None:
    ledger = Ledger(_paired(make_plan, 10), 0, 1, ordered=False)
    slots = [wanted.slot for batch in drain(ledger) for wanted in batch.slots]
    for slot in slots:
        assert ledger.reject(slot, None) == 1
    left = [wanted.slot for batch in drain(ledger) for wanted in batch.slots]
    assert len(left) == 2 and all(slot.pair is None for slot in left)


@pytest.mark.parametrize("ordered", [False, True])
def test_what_is_left_of_pairs_is_the_same_after_a_restart(make_plan: Plans, *, ordered: bool) -> None:
    plan = _paired(make_plan, 30)
    ledger = Ledger(plan, 0, 3, ordered=ordered)
    slots = [wanted.slot for batch in drain(ledger) for wanted in batch.slots]
    filled = slots[::2]
    rows = LedgerRows({"category_1": [(slot.ordinal, None, n) for n, slot in enumerate(filled, 1)]}, {}, {})
    again = Ledger(plan, 0, 3, ordered=ordered)
    again.restore(rows, 5)
    order: list[int] = []
    while batch := again.lease(lambda _: 3, 1):
        for wanted in batch.slots:
            pair = wanted.slot.pair
            assert pair is None or again.state("category_1", pair.original) is SlotState.FILLED
            again.fill(wanted.slot)
            order.append(wanted.slot.ordinal)
    assert sorted([*order, *(slot.ordinal for slot in filled)]) == list(range(1, 31))
    if ordered:  # partners come behind all others
        partners = [ordinal for ordinal in order if ordinal not in {slot.ordinal for slot in slots}]
        assert order[-6:] == partners
