"""Who makes the vectors of a pass: a static model in this process, or an endpoint."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from dsbuilder_tui.diversity.static_embedding import Embedder, Vectors, local_embedder, unit
from dsbuilder_tui.domain.errors import EndpointUnavailable
from dsbuilder_tui.settings.schema import DatasetBuilderConfig

if TYPE_CHECKING:
    from dsbuilder_tui.models.embeddings import EndpointEmbeddings

T = TypeVar("T")


class Embedders:
    """Makes the embedder that the settings name, and ends what it still waits for."""

    def __init__(self, config: DatasetBuilderConfig, tell: Callable[[str], None]) -> None:
        """``tell`` gets a sentence when an endpoint must be asked again."""
        self._config, self._tell = config, tell
        self._asking: _Asking | None = None

    def make(self) -> Embedder:
        """Called in the thread that uses it. Raises ``ConfigError``, ``EndpointRefused`` or ``EndpointUnavailable``."""
        local = local_embedder(self._config.embedding_model)
        if local is not None:
            return local
        self._asking = _Asking()
        self._asking.begin(self._config, self._tell)
        return self._asking

    def stop(self) -> None:
        """Wait for no answer any more. From any thread."""
        if self._asking is not None:
            self._asking.stop()

    def close(self) -> None:
        """Called in the thread that has used it."""
        if self._asking is not None:
            self._asking.close()


class _Asking:
    """An endpoint for one thread, which waits for the answers on an event loop of its own."""

    name = ""
    dimensions = 0

    def __init__(self) -> None:
        self._runner = asyncio.Runner()
        self._loop = self._runner.get_loop()
        self._client: EndpointEmbeddings | None = None
        self._task: asyncio.Task[Any] | None = None
        self._stopped = False

    def begin(self, config: DatasetBuilderConfig, tell: Callable[[str], None]) -> None:
        from dsbuilder_tui.models.embeddings import EndpointEmbeddings

        async def connect() -> int:
            self._client = EndpointEmbeddings(config, tell)
            self.name = self._client.name
            return await self._client.dimensions()

        self.dimensions = self._wait_for(connect())

    def embed(self, texts: Sequence[str]) -> Vectors:
        assert self._client is not None
        vectors = self._wait_for(self._client.embed(texts)) if texts else []
        return unit(np.asarray(vectors, np.float32).reshape(len(texts), self.dimensions))

    def stop(self) -> None:
        self._stopped = True
        with contextlib.suppress(RuntimeError):  # the loop is closed
            self._loop.call_soon_threadsafe(self._cancel)

    def close(self) -> None:
        if self._client is not None:
            self._runner.run(self._client.close())
        self._runner.close()

    def _wait_for(self, work: Coroutine[Any, Any, T]) -> T:
        async def waiting() -> T:
            self._task = asyncio.current_task()
            if self._stopped:
                work.close()
                raise asyncio.CancelledError
            try:
                return await work
            except EndpointUnavailable as error:
                problem = error.problem.removesuffix(" Everything accepted is saved.")
                raise EndpointUnavailable(
                    problem, "No file was written. Check that endpoint, or use --set embedding_model=static."
                ) from None
            finally:
                self._task = None

        return self._runner.run(waiting())

    def _cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()
