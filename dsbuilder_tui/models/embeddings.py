"""Vectors from an endpoint's ``/v1/embeddings``: OpenAI, Ollama, LM Studio, vLLM, llama.cpp and others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import aiohttp
import orjson

from dsbuilder_tui.domain.errors import EndpointRefused, EndpointUnavailable
from dsbuilder_tui.domain.failure_kind import FailureKind
from dsbuilder_tui.models.endpoint import Endpoint, read_all, read_response
from dsbuilder_tui.models.endpoint_errors import MOST_SAID, explain
from dsbuilder_tui.models.failure_table import failure_kind
from dsbuilder_tui.models.protocol import RequestTooLarge, TransientError
from dsbuilder_tui.models.retry import with_retries
from dsbuilder_tui.settings.key_trust import KeyUse, is_named_in_flag, require_trust
from dsbuilder_tui.settings.schema import DatasetBuilderConfig

_MOST_TEXTS = 64  # a request
_MOST_CHARACTERS = 8000  # of a text
_LEAST_CHARACTERS = 200  # whoever takes no more takes nothing


class EndpointEmbeddings:
    """Asks one endpoint for vectors, again and again when it is busy or cannot be reached."""

    def __init__(self, config: DatasetBuilderConfig, tell: Callable[[str], None] = lambda text: None) -> None:
        """``tell`` gets a sentence whenever a request must be made again.

        Raises ``ConfigError`` where a file of the working folder would lead a key away.
        """
        require_trust(config, KeyUse.EMBEDDINGS)
        # Allowed as a whole: in a copy it is not asked again who said which part of it.
        named = is_named_in_flag(config, KeyUse.EMBEDDINGS)
        allowed: dict[str, Any] = {"verify_tls": config.verify_tls, "ca_bundle": config.ca_bundle}
        if config.embedding_base_url:
            # An endpoint of its own gets no key that is meant for another.
            own: dict[str, Any] = {"base_url": config.embedding_base_url, "api_key": config.embedding_api_key}
            none: dict[str, Any] = {"organization": None, "project": None, "extra_headers": {}}
            config = config.model_copy(update={**allowed, **own, **none})
        elif config.embedding_api_key:
            own = {"base_url": config.base_url, "api_key": config.embedding_api_key}
            config = config.model_copy(update={**allowed, **own})
        self._tell = tell
        self._dimensions = 0
        self._most = _MOST_CHARACTERS
        self._model, self._most_retries = config.embedding_model, config.max_retries
        self._endpoint = Endpoint(config, may_be_link_local=named)
        self.url = self._endpoint.url
        self.name = f"{self.url} {self._model}"  # whose vectors they are

    async def close(self) -> None:
        await self._endpoint.close()

    async def dimensions(self) -> int:
        """How many numbers a vector has. Raises as ``embed``."""
        return len((await self.embed(["How many numbers?"]))[0])

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """One vector a text. Raises ``EndpointRefused``, or ``EndpointUnavailable`` after ``max_retries`` tries again."""
        vectors: list[list[float]] = []
        for first in range(0, len(texts), _MOST_TEXTS):
            vectors += await self._shortened([text[: self._most] or " " for text in texts[first : first + _MOST_TEXTS]])
        return vectors

    async def _shortened(self, texts: list[str]) -> list[list[float]]:
        """The vectors of texts that may be longer than the server takes: of as much of each as it does."""
        try:
            return await self._patiently(texts)
        except RequestTooLarge as error:
            longest = max(map(len, texts))
            if longest <= _LEAST_CHARACTERS and len(texts) == 1:
                raise EndpointRefused(
                    error.problem, "Give the server a larger context, or set embedding_model to static."
                ) from None
        if len(texts) > 1:
            half = len(texts) // 2
            return await self._shortened(texts[:half]) + await self._shortened(texts[half:])
        self._most = min(self._most, longest // 2)
        self._tell(
            f"{self._model} takes no text of {longest} characters: longer ones than {self._most} are compared by their beginning."
        )
        return await self._shortened([texts[0][: self._most]])

    async def _patiently(self, texts: list[str]) -> list[list[float]]:
        try:
            return await with_retries(lambda: self._ask(texts), self._most_retries, self._again)
        except TransientError as trouble:
            raise EndpointUnavailable(
                f"The embeddings of {self._model} at {self.url} kept failing ({trouble.detail}). Everything accepted is saved.",
                "Check that endpoint, or set embedding_model to static; then resume.",
            ) from None

    async def _again(self, trouble: TransientError, wait: float) -> None:
        self._tell(f"Embeddings: {trouble.detail}; next try in {wait:.0f} s.")

    async def _ask(self, texts: list[str]) -> list[list[float]]:
        body = orjson.dumps({"model": self._model, "input": texts})
        try:
            async with self._endpoint.post("/embeddings", body) as response:
                if response.status != 200:
                    report = await read_response(response)
                    report = replace(report, message=self._endpoint.redact(report.message))
                    kind = failure_kind(report)
                    if kind is FailureKind.NO_SERVICE:
                        raise EndpointRefused(
                            f"There is no embeddings service at {self.url}: {report.message[:MOST_SAID]}",
                            "Start the server with one (llama.cpp: --embeddings), or set embedding_model to static.",
                        )
                    raise explain(report, kind, self._model, self.url)
                answer = await read_all(response)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise self._endpoint.network_error(error) from None
        return self._vectors(answer, len(texts))

    def _pooled(self, embedding: Any) -> Any:
        """One vector. Servers without pooling give one for each token, or wrap it in a list."""
        if not embedding or not isinstance(embedding, list) or not isinstance(embedding[0], list):
            return embedding
        if len(embedding) > 1:
            raise EndpointRefused(
                f"{self.url} answers with a vector for each token of a text, not one for the text.",
                "Start the server with pooling (llama.cpp: --pooling mean), or set embedding_model to static.",
            )
        return embedding[0]

    def _vectors(self, answer: bytes, count: int) -> list[list[float]]:
        try:
            items = sorted(orjson.loads(answer)["data"], key=lambda item: item.get("index", 0))
            vectors = [[float(number) for number in self._pooled(item["embedding"])] for item in items]
        except (orjson.JSONDecodeError, KeyError, TypeError, ValueError, AttributeError):
            vectors = []
        self._dimensions = self._dimensions or len(vectors[0] if vectors else ())
        if len(vectors) != count or not self._dimensions or any(len(v) != self._dimensions for v in vectors):
            raise EndpointRefused(
                f"{self.url}/embeddings did not answer with one vector a text for {self._model}.",
                "Is it an embedding model? Name another with embedding_model, or use static.",
            )
        return vectors
