"""A session whose fingerprints a test chooses: a vector for each text."""

from __future__ import annotations

import zlib
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dsbuilder_tui import Session
from dsbuilder_tui.domain.case import AcceptedCase, display_text
from dsbuilder_tui.domain.errors import DsbuilderError
from dsbuilder_tui.store.rows import Changes


@dataclass(frozen=True, slots=True)
class Page:
    seqs: NDArray[np.int64]
    categories: Sequence[str]
    vectors: NDArray[np.float16]
    nearest: NDArray[np.float32]


def fingerprint(text: str) -> NDArray[np.float16]:
    """A direction of its own for each text."""
    vector = np.random.default_rng(zlib.crc32(text.encode())).normal(size=256)
    return (vector / np.linalg.norm(vector)).astype(np.float16)


def prints_of(session: Session, late: Collection[int] = ()) -> Callable[..., Awaitable[Page | None]]:
    """Fingerprints made up from the cases that the session holds."""

    async def fingerprints(after: int = 0, most: int = 100) -> Page | None:
        cases = sorted([case async for case in session.cases.all()], key=lambda case: case.seq)
        vectors = [fingerprint(display_text(case.inputs)) for case in cases]
        rows = [index for index, case in enumerate(cases) if case.seq > after and case.ordinal not in late][:most]
        if not rows:
            return None
        nearest = [max((float(vectors[i] @ vectors[j]) for j in range(i)), default=float("nan")) for i in rows]
        return Page(
            np.array([cases[i].seq for i in rows]),
            [cases[i].category for i in rows],
            np.array([vectors[i] for i in rows]),
            np.array(nearest, dtype=np.float32),
        )

    return fingerprints


class Printed(Session):
    """Makes up its fingerprints from the cases that it holds."""

    pages = 0  # read so far
    late: Collection[int] = ()  # ordinals whose fingerprints are not there yet
    trouble: DsbuilderError | None = None  # what making them raises

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.diversity.fingerprints = self.fingerprints  # type: ignore[method-assign, assignment]

    async def fingerprints(self, after: int = 0, most: int = 100) -> Page | None:
        if self.trouble is not None:
            raise self.trouble
        page = await prints_of(self, self.late)(after, most)
        self.pages += page is not None
        return page


async def put(
    session: Session, texts: Mapping[tuple[str, int], str], attributes: Mapping[str, str] | None = None, **tags: Any
) -> None:
    """Accept cases as the gate would; each has the attributes of its slot unless others are given."""
    store = session._files.store
    cases = []
    for (name, ordinal), text in texts.items():
        own = await session.rejections.slot_attributes(name, ordinal) if attributes is None else dict(attributes)
        cases.append(
            AcceptedCase(
                seq=store.next_seq(),
                category=name,
                ordinal=ordinal,
                inputs={"query": text},
                expectations={},
                tags={"attributes": own, **tags},
                created_at=1.0,
                structure=None,
                batch=7,
            )
        )
    await store.commit(Changes(accepted=cases))
