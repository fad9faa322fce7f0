"""The vectors of an embedding endpoint, for as long as a run waits for them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, TypeVar

from dsbuilder_tui.domain.errors import EndpointUnavailable
from dsbuilder_tui.settings.schema import DatasetBuilderConfig

T = TypeVar("T")
_KEPT = 200  # vectors of texts that may soon be asked for again


class VectorsGivenUp(EndpointUnavailable):
    """Nobody waits for an answer any more."""


class RemoteVectors:
    """Asks the endpoint until ``give_up`` is called; then every call, of now and of later, raises ``VectorsGivenUp``."""

    def __init__(self, config: DatasetBuilderConfig, tell: Callable[[str], None], given_up: asyncio.Event) -> None:
        from dsbuilder_tui.models.embeddings import EndpointEmbeddings  # with an HTTP client, which few runs need

        self._endpoint, self._given_up = EndpointEmbeddings(config, tell), given_up
        self.name = self._endpoint.name
        self._recent: dict[str, list[float]] = {}  # by text: a case that is judged is compared before and after

    async def close(self) -> None:
        await self._endpoint.close()

    async def dimensions(self) -> int:
        """How many numbers a vector has. Raises as ``embed``."""
        return await self._unless_given_up(self._endpoint.dimensions())

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """One vector a text. Raises ``VectorsGivenUp``, or as ``EndpointEmbeddings.embed``."""
        unknown = [text for text in dict.fromkeys(texts) if text not in self._recent]
        if unknown:
            found = await self._unless_given_up(self._endpoint.embed(unknown))
            self._recent.update(zip(unknown, found, strict=True))
        vectors = [self._recent[text] for text in texts]
        for text in list(self._recent)[: max(0, len(self._recent) - _KEPT)]:
            del self._recent[text]
        return vectors

    def beginning(self, text: str) -> int | None:
        """How many characters of a text its vector stands for; None for all of them."""
        return self._endpoint.beginning(text)

    async def _unless_given_up(self, work: Coroutine[Any, Any, T]) -> T:
        asked, end = asyncio.ensure_future(work), asyncio.ensure_future(self._given_up.wait())
        try:
            await asyncio.wait({asked, end}, return_when=asyncio.FIRST_COMPLETED)
            if asked.done():
                return asked.result()
            raise VectorsGivenUp("The embedding endpoint had not answered when the run was to end.", "Resume to go on.")
        finally:
            for each in (asked, end):
                each.cancel()
            await asyncio.gather(asked, end, return_exceptions=True)
