"""Decisions with scores, written into a session as a run would have."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dsbuilder_tui import Session
from dsbuilder_tui.domain.case import AcceptedCase, Rejection
from dsbuilder_tui.store.rows import Changes


async def accept(
    session: Session,
    category: str,
    texts: Sequence[str],
    *,
    near: Sequence[float | None] = (),
    semantic: Sequence[float | None] = (),
    first: int = 1,
    flags: Sequence[list[dict[str, Any]]] = (),
    expectations: dict[str, Any] | None = None,
) -> list[AcceptedCase]:
    """Cases from slot ``first`` on; the nearest one of each, where it has a score, is the first of them."""
    store, cases, rows = session._files.store, [], []
    for place, text in enumerate(texts):
        tags = {"flags": flags[place]} if place < len(flags) and flags[place] else {}
        case = AcceptedCase(
            seq=store.next_seq(),
            category=category,
            ordinal=first + place,
            inputs={"query": text},
            expectations=expectations or {"polite": True},
            tags=tags,
            created_at=5.0,
            structure=place,
        )
        cases.append(case)
        scores = [of[place] if place < len(of) else None for of in (near, semantic)]
        if any(score is not None for score in scores):
            nearest = [None if score is None else cases[0].seq for score in scores]
            rows.append((case.seq, scores[0], nearest[0], scores[1], nearest[1]))
    await store.commit(Changes(accepted=cases))
    await store.connection.write(
        lambda connection: connection.executemany("INSERT INTO likeness VALUES (?,?,?,?,?)", rows)
    )
    return cases


async def reject(
    session: Session,
    category: str,
    stage: str,
    scores: Sequence[float],
    *,
    nearest: AcceptedCase,
    threshold: float = 0.92,
    text: str = "",
    slot: int = 1,
    inputs: dict[str, Any] | None = None,
) -> list[Rejection]:
    """Rejections of one stage against one case; the text of each says its score unless one is given."""
    store, found = session._files.store, []
    for attempt, score in enumerate(scores, 1):
        words = text or f"Where is the parcel that I have been waiting for since so many days, please: {score}?"
        whole = {"inputs": inputs or {"query": words}, "expectations": nearest.expectations, "tags": {}}
        found.append(
            Rejection(
                seq=store.next_seq(),
                category=category,
                ordinal=slot,
                attempt=attempt,
                stage=stage,
                reason="too close",
                text=words,
                created_at=6.0,
                score=score,
                threshold=threshold,
                nearest_seq=nearest.seq,
                nearest_case_id=nearest.case_id,
                candidate=whole,
            )
        )
    await store.commit(Changes(rejected=found))
    return found
