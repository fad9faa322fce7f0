"""The fingerprints of accepted cases, for whoever measures how different they are."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from dsbuilder_tui.session.session_context import SessionContext

if TYPE_CHECKING:
    from dsbuilder_tui.diversity.fingerprint_reader import FingerprintPage, FingerprintReader


class FingerprintPages:
    """Reads the file that runs write; at rest, what is missing from it is made from the cases first."""

    def __init__(self, context: SessionContext) -> None:
        self._context = context
        self._prints: FingerprintReader | None = None
        self._complete_to = 0  # the place in the history up to which the file was made complete

    async def page(self, after: int = 0, most: int = 4096) -> FingerprintPage | None:
        """The next accepted cases behind a place in the history; None when no more have a fingerprint.

        Cases of categories that may repeat themselves have none.
        """
        from dsbuilder_tui.diversity.fingerprint_reader import FingerprintReader

        folder, store = self._context.files.folder, self._context.files.store
        if self._prints is None or self._prints.folder != folder:
            self._prints = FingerprintReader(folder)
        prints = self._prints
        while wanted := await store.cases.structures(after, most):
            page = await asyncio.to_thread(prints.find, wanted)
            if len(page.seqs) < len(wanted) and await self._complete():
                page = await asyncio.to_thread(prints.find, await store.cases.structures(after, most))
            if len(page.seqs):
                return page
            after = wanted[-1][0]
        return None

    async def _complete(self) -> bool:
        """Make what the file lacks, unless a run does or that was done. Whether something may have changed."""
        if (
            self._context.run
            or self._context.acts.locked()
            or self._complete_to == self._context.files.store.seq
            or not self._context.planned
            or self._context.files.read_only
        ):
            return False
        from dsbuilder_tui.generation.duplicate_check import DuplicateCheck

        async with self._context.acts:
            self._complete_to = self._context.files.store.seq
            duplicates = DuplicateCheck(self._context.plan, self._context.config, self._context.files.store)
            try:
                await duplicates.load(await self._context.files.store.slots.ledger_rows(), index=False)
            finally:
                await duplicates.close()
        return True
