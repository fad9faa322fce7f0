"""Which slots are open, leased, filled or exhausted."""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from enum import IntEnum

from dsbuilder_tui.domain.case import Slot, case_id
from dsbuilder_tui.domain.plan import DatasetCategory, DatasetPlanInput
from dsbuilder_tui.generation.passage_plan import PassagePlans
from dsbuilder_tui.generation.prompts import MOST_AVOIDED
from dsbuilder_tui.generation.row_plan import RowPlans
from dsbuilder_tui.generation.slots import slot_order, slot_plans
from dsbuilder_tui.models.protocol import SlotRequest
from dsbuilder_tui.store.rows import LedgerRows

_CHUNK = 20  # slots of one category in a row; fixed, so that the order of slots does not hang on the batch size
_KEPT_NEAREST = 3


class SlotState(IntEnum):
    OPEN, LEASED, FILLED, EXHAUSTED, RETIRED = range(5)


# As plain names: the loops below look at every slot.
_OPEN, _LEASED, _FILLED, _EXHAUSTED, _RETIRED = SlotState
_WITHOUT_CASE = (_EXHAUSTED, _RETIRED)  # nothing is written for them


@dataclass(frozen=True, slots=True)
class Batch:
    """Open slots of one category, leased to one worker call. ``number`` counts up within the session."""

    number: int
    category: DatasetCategory
    slots: tuple[SlotRequest, ...]
    avoid: tuple[int, ...]  # history places of accepted cases that these slots' last candidates were too close to


class _Book:
    """The slots of one category: a byte each, and the few that have been tried before."""

    def __init__(self, count: int) -> None:
        self.state = bytearray(count + 1)
        self.retry: list[tuple[int, int]] = []  # heap of (attempt, ordinal)
        self.partners: list[tuple[int, int]] = []  # the same, of partners that are written behind all others
        self.attempt: dict[int, int] = {}
        self.tries: dict[int, int] = {}
        self.nearest: dict[int, list[int]] = {}
        self.critique: dict[int, str] = {}
        self.fruitless: dict[int, int] = {}  # calls that brought nothing for a slot, in words of the model or a filter

    def no_retry(self, ordinal: int) -> None:
        """A slot is not to be leased in its turn."""
        if any(entry[1] == ordinal for entry in (*self.retry, *self.partners)):
            self.retry = [entry for entry in self.retry if entry[1] != ordinal]
            self.partners = [entry for entry in self.partners if entry[1] != ordinal]
            heapq.heapify(self.retry)
            heapq.heapify(self.partners)


class Ledger:
    """Leases slots and takes them back. Progress is what the store says: ``restore`` before the first lease.

    In ``ordered`` mode a slot is tried again only after every slot of the round before has been judged, so the order
    of judgement, and with it the dataset, does not depend on timing.
    """

    def __init__(self, plan: DatasetPlanInput, seed: int, max_attempts: int, *, ordered: bool) -> None:
        self._plan, self._max_attempts, self._ordered = plan, max_attempts, ordered
        self._slots = slot_plans(plan, seed)
        self._passages: PassagePlans = {}
        self._rows: RowPlans = {}
        self._books = {category.name: _Book(category.count) for category in plan.categories}
        self._fresh: Iterator[tuple[str, int, int]] = slot_order(plan, _CHUNK)
        self._chunk: tuple[str, int, int] | None = None
        self._aside: list[tuple[str, int, int]] = []
        self._round = 0
        self._partners_turn = False
        self._leased = 0
        self.open = plan.total_instances
        self.filled = 0
        self.exhausted = 0
        self.next_batch = 1

    def take_sources(self, passages: PassagePlans, rows: RowPlans) -> None:
        """Take over what the slots are written from; before the first lease."""
        self._passages, self._rows = passages, rows

    def restore(self, rows: LedgerRows, last_batch: int) -> None:
        self.next_batch = last_batch + 1
        for name, retired in rows.retired.items():
            if (book := self._books.get(name)) is not None:
                book.state += bytes(len(retired))
                for ordinal in retired:
                    book.state[ordinal] = _RETIRED
        if rows.retired:
            self._fresh = slot_order(self._plan, _CHUNK, rows.retired)
        for name, filled in rows.filled.items():
            for ordinal, _, _ in filled:
                self._books[name].state[ordinal] = _FILLED
            self.filled += len(filled)
            self.open -= len(filled)
        for name, ordinals in rows.exhausted.items():
            for ordinal in ordinals:
                self._books[name].state[ordinal] = _EXHAUSTED
            self.exhausted += len(ordinals)
            self.open -= len(ordinals)
        for (name, ordinal), (attempt, tries, nearest) in rows.attempts.items():
            if self.state(name, ordinal) in (None, _RETIRED):
                continue  # a slot of an earlier plan
            book = self._books[name]
            book.attempt[ordinal], book.tries[ordinal] = attempt, tries
            book.nearest[ordinal] = nearest[-_KEPT_NEAREST:]
            if critique := rows.critiques.get((name, ordinal)):
                book.critique[ordinal] = critique
            if book.state[ordinal] == _OPEN and self._slots[name].pairs.of(ordinal) is None:
                heapq.heappush(book.retry, (attempt, ordinal))
        for name, book in self._books.items():
            if self._slots[name].pairs:
                for ordinal in self._slots[name].pairs.partners(len(book.state) - 1):
                    if book.state[ordinal] == _OPEN:
                        self._queue(name, ordinal)

    def filled_partner(self, category: str, ordinal: int) -> str | None:
        """The id of the case that was written as a partner of this slot's."""
        partner = self._slots[category].pairs.partner_of(ordinal)
        filled = partner is not None and self.state(category, partner) is SlotState.FILLED
        return case_id(category, partner) if partner is not None and filled else None

    @property
    def leased(self) -> int:
        return self._leased

    def slot(self, category: str, ordinal: int) -> Slot:
        """A slot of the plan. One whose original will not come is the partner of none, and a case of its own."""
        passages, rows, slots = self._passages.get(category), self._rows.get(category), self._slots[category]
        pair = slots.pairs.of(ordinal)
        if pair is not None and self._books[category].state[pair.original] in _WITHOUT_CASE:
            pair = None
        return Slot(
            category, ordinal, attributes=slots.attributes(ordinal), pair=pair,
            passages=passages.of(slots.place(ordinal)) if passages is not None else (),
            row=rows.of(slots.place(ordinal)) if rows is not None else None, varies=slots.varies(ordinal),
        )  # fmt: skip

    def lease(self, most: Callable[[str], int], idle: int, held: Collection[str] = ()) -> Batch | None:
        """A batch of at most ``most(category)`` slots; None if none can start now. Nothing of a category that is ``held``.

        Near the end batches get smaller: what is left is spread over the ``idle`` workers. So do those of slots for which
        calls brought nothing: one of them may be what the model, or a filter, takes offence at.
        """
        waiting = self.open - self._leased
        if waiting <= 0:
            return None
        share = math.ceil(waiting / max(1, idle))

        def size(category: str) -> int:
            return max(1, min(most(category), share))

        taken = self._take_retry(size, held, only_full=True) if not self._ordered else None
        taken = taken or self._take_fresh(size, held) or self._take_retry(size, held) or self._take_partners(size, held)
        if taken is None:
            return None
        name, ordinals = taken
        book, avoid = self._books[name], list[int]()
        for ordinal in ordinals:
            book.state[ordinal] = _LEASED
            avoid.extend(book.nearest.get(ordinal, ()))
        self._leased += len(ordinals)
        requests = tuple(
            SlotRequest(self.slot(name, o), book.attempt.get(o, 0), book.critique.get(o, "")) for o in ordinals
        )
        return Batch(self.take_number(), self._plan.category(name), requests, tuple(avoid[-MOST_AVOIDED:]))

    def waiting(self, category: str) -> int:
        """How many slots of a category are open and not leased."""
        return self._books[category].state.count(_OPEN) - 1  # there is no slot 0

    def take_number(self) -> int:
        """The number of the next call."""
        self.next_batch += 1
        return self.next_batch - 1

    def is_open(self, category: str, ordinal: int) -> bool:
        """Whether a slot waits to be written, and nobody is at it; a partner's does when its original is there."""
        if self.state(category, ordinal) is not SlotState.OPEN:
            return False
        pair = self.slot(category, ordinal).pair
        return pair is None or self.state(category, pair.original) is SlotState.FILLED

    def take(self, category: str, ordinal: int) -> SlotRequest | None:
        """Lease one open slot by its name, out of turn; None when it is not open, or not planned."""
        if not self.is_open(category, ordinal):
            return None
        slot = self.slot(category, ordinal)
        book = self._books[category]
        book.state[ordinal] = _LEASED
        book.no_retry(ordinal)
        self._leased += 1
        return SlotRequest(slot, book.attempt.get(ordinal, 0), book.critique.get(ordinal, ""))

    def fill(self, slot: Slot) -> None:
        self._settle(slot, _FILLED)
        self.filled += 1
        self.open -= 1
        self._queue_partner(slot.category, slot.ordinal)

    def reject(self, slot: Slot, nearest_seq: int | None, critique: str = "") -> int | None:
        """Open the slot again. Returns the number of tries when it is exhausted instead.

        ``critique`` is for whoever writes it next.
        """
        book, ordinal = self._books[slot.category], slot.ordinal
        book.attempt[ordinal] = book.attempt.get(ordinal, 0) + 1
        book.tries[ordinal] = book.tries.get(ordinal, 0) + 1
        if nearest_seq is not None:
            book.nearest[ordinal] = [*book.nearest.get(ordinal, ()), nearest_seq][-_KEPT_NEAREST:]
        book.critique.pop(ordinal, None)  # it was about the try before
        if critique:
            book.critique[ordinal] = critique
        if book.tries[ordinal] >= self._max_attempts:
            self.give_up(slot)
            return book.tries[ordinal]
        self._settle(slot, _OPEN)
        self._queue(slot.category, ordinal)
        return None

    def give_back(self, slot: Slot, *, fruitless: bool = False, alone: bool = False) -> int | None:
        """Open the slot again without a mark against it: it was not written, or its call failed.

        ``fruitless`` when a call that the endpoint answered brought nothing at all. A slot for which that has happened
        often, and at last when it was asked for ``alone``, is given up: returns the number of calls then.
        """
        book = self._books[slot.category]
        if fruitless:
            calls = book.fruitless[slot.ordinal] = book.fruitless.get(slot.ordinal, 0) + 1
            if alone and calls >= self._max_attempts:
                self.give_up(slot)
                return calls
        self._settle(slot, _OPEN)
        self._queue(slot.category, slot.ordinal)
        return None

    def state(self, category: str, ordinal: int) -> SlotState | None:
        """Where a slot stands; None when the plan has no such slot."""
        book = self._books.get(category)
        return SlotState(book.state[ordinal]) if book and 0 < ordinal < len(book.state) else None

    def reopen(self, category: str, ordinal: int, attempt: int, gone: int, critique: str = "") -> None:
        """Open a filled slot for a fresh set of tries. ``gone`` is the case that filled it, to be avoided from now on;
        ``critique`` is what was wrong with it.
        """
        book = self._books[category]
        book.state[ordinal] = _OPEN
        book.attempt[ordinal], book.tries[ordinal] = attempt, 0
        book.critique.pop(ordinal, None)
        if critique:
            book.critique[ordinal] = critique
        book.nearest[ordinal] = [*book.nearest.get(ordinal, ()), gone][-_KEPT_NEAREST:]
        self._queue(category, ordinal)
        if (partner := self._open_partner(category, ordinal)) is not None:
            book.no_retry(partner)  # it has to wait for the next case
        self.filled -= 1
        self.open += 1

    def claim(self, category: str, ordinal: int) -> None:
        """Fill an open slot, or an exhausted one, without a lease."""
        book = self._books[category]
        if book.state[ordinal] == _EXHAUSTED:
            self.exhausted -= 1
            if (partner := self._open_partner(category, ordinal)) is not None:
                book.no_retry(partner)
        else:
            book.no_retry(ordinal)
            self.open -= 1
        book.state[ordinal] = _FILLED
        self.filled += 1
        self._queue_partner(category, ordinal)

    def attempt(self, slot: Slot) -> int:
        return self._books[slot.category].attempt.get(slot.ordinal, 0)

    def give_up(self, slot: Slot) -> int:
        """Exhaust a leased slot, whatever tries it has left. Returns how many it has had."""
        self._settle(slot, _EXHAUSTED)
        self.exhausted += 1
        self.open -= 1
        self._queue_partner(slot.category, slot.ordinal)
        return self._books[slot.category].tries.get(slot.ordinal, 0)

    def _queue(self, category: str, ordinal: int) -> None:
        """Have an open slot written: at once, or a partner when its original is there, or is known never to come."""
        book, pair = self._books[category], self._slots[category].pairs.of(ordinal)
        if pair is None:
            heapq.heappush(book.retry, (book.attempt.get(ordinal, 0), ordinal))
        elif book.state[pair.original] == _FILLED or book.state[pair.original] in _WITHOUT_CASE:
            waiting = book.partners if self._ordered and not self._partners_turn else book.retry
            heapq.heappush(waiting, (book.attempt.get(ordinal, 0), ordinal))

    def _queue_partner(self, category: str, ordinal: int) -> None:
        if (partner := self._open_partner(category, ordinal)) is not None:
            self._queue(category, partner)

    def _open_partner(self, category: str, ordinal: int) -> int | None:
        """The slot that is to be a partner of this one, when it is planned and open."""
        partner, book = self._slots[category].pairs.partner_of(ordinal), self._books[category]
        if partner is None or partner >= len(book.state) or book.state[partner] != _OPEN:
            return None
        return partner

    def _take_partners(self, size: Callable[[str], int], held: Collection[str]) -> tuple[str, list[int]] | None:
        """Where order counts, partners are written when every original is judged."""
        if self._leased or not any(book.partners for book in self._books.values()):
            return None
        self._partners_turn = True
        for book in self._books.values():
            book.retry, book.partners = [*book.retry, *book.partners], []
            heapq.heapify(book.retry)
        return self._take_retry(size, held)

    def _settle(self, slot: Slot, state: int) -> None:
        self._books[slot.category].state[slot.ordinal] = state
        self._leased -= 1

    def _take_fresh(self, size: Callable[[str], int], held: Collection[str]) -> tuple[str, list[int]] | None:
        taken: list[int] = []
        name = ""
        while not taken or len(taken) < size(name):
            chunk = self._next_chunk(held)
            if chunk is None or (taken and chunk[0] != name):
                self._chunk = chunk
                break
            name, first, last = chunk
            book, most, pairs = self._books[name], size(name), self._slots[name].pairs
            while first <= last and len(taken) < most:
                if book.state[first] == _OPEN and first not in book.attempt and pairs.of(first) is None:
                    taken.append(first)
                first += 1
            self._chunk = (name, first, last) if first <= last else None
        return (name, taken) if taken else None

    def _next_chunk(self, held: Collection[str]) -> tuple[str, int, int] | None:
        """The next stretch of fresh slots. Those of categories that are held are put aside until they are not."""
        chunk, self._chunk = self._chunk, None
        if chunk is None:
            free = (place for place, aside in enumerate(self._aside) if aside[0] not in held)
            chunk = self._aside.pop(place) if (place := next(free, None)) is not None else next(self._fresh, None)
        while chunk is not None and chunk[0] in held:
            name, first, last = chunk
            before = next((one for one in self._aside if one[0] == name and one[2] + 1 == first), None)
            if before is not None:
                self._aside.remove(before)
                first = before[1]
            self._aside.append((name, first, last))
            chunk = next(self._fresh, None)
        return chunk

    def _take_retry(
        self, size: Callable[[str], int], held: Collection[str], *, only_full: bool = False
    ) -> tuple[str, list[int]] | None:
        waiting = {name: book for name, book in self._books.items() if book.retry and name not in held}
        if not waiting:
            return None
        if self._ordered:
            lowest = min(book.retry[0][0] for book in waiting.values())
            if lowest != self._round:
                if self._leased:
                    return None  # the round before is not judged to its end
                self._round = lowest
            name = next(name for name, book in waiting.items() if book.retry[0][0] == lowest)
        else:
            name = max(waiting, key=lambda n: len(waiting[n].retry))
            if only_full and len(waiting[name].retry) < size(name):
                return None
        heap, fruitless, taken, most = waiting[name].retry, waiting[name].fruitless, list[int](), size(name)
        while heap and len(taken) < most and not (self._ordered and heap[0][0] != self._round):
            most = min(most, max(len(taken), 1, size(name) >> max(0, fruitless.get(heap[0][1], 0) - 1)))
            if len(taken) < most:
                taken.append(heapq.heappop(heap)[1])
        return name, taken
