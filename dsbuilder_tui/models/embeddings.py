"""Vectors from an endpoint's ``/v1/embeddings``: OpenAI, Ollama, LM Studio, vLLM, llama.cpp and others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import aiohttp
import orjson

from dsbuilder_tui.domain.errors import EndpointRefused, EndpointUnavailable
from dsbuilder_tui.domain.failure_kind import FailureKind
from dsbuilder_tui.models.embedding_answer import UnusableVectors, loads_numbers, read_vectors
from dsbuilder_tui.models.endpoint import Endpoint, read_all, read_response, shown
from dsbuilder_tui.models.endpoint_errors import MOST_SAID, explain
from dsbuilder_tui.models.error_report import ErrorReport, error_in, read_body
from dsbuilder_tui.models.failure_table import failure_kind
from dsbuilder_tui.models.protocol import CallRefused, RequestTooLarge, TransientError
from dsbuilder_tui.models.retry import with_retries
from dsbuilder_tui.settings.key_trust import KeyUse, is_named_in_flag, require_trust
from dsbuilder_tui.settings.schema import DatasetBuilderConfig

MOST_TEXTS = 64  # a request
MOST_CHARACTERS = 8000  # of a text
_LEAST_CHARACTERS = 200  # whoever takes no more takes nothing
_MOST_QUOTED = 60  # bytes of an answer that is none
_MOST_REFUSED = 5  # texts in a row; then it is not for what they say

_HINTS = {
    FailureKind.NO_SERVICE: "Start the server with one (llama.cpp: --embeddings), or set embedding_model to static.",
    FailureKind.NO_MODEL: "Name one that does with embedding_model, or set it to static.",
    FailureKind.KEY: "Set embedding_api_key, or the key of base_url, to a valid key.",
    FailureKind.REQUEST: "Is it an embedding model, and does the server pool (llama.cpp: --embeddings --pooling mean)? "
    "Or set embedding_model to static.",
}  # fmt: skip


class EndpointEmbeddings:
    """Asks one endpoint for vectors, again and again when it is busy or cannot be reached.

    Attributes:
        most_texts, most_characters: what it takes of texts in a request, and of a text, as far as is known.
    """

    def __init__(self, config: DatasetBuilderConfig, tell: Callable[[str], None] = lambda text: None) -> None:
        """``tell`` gets a sentence whenever a request must be made again.

        Raises ``ConfigError`` where a file of the working folder would lead a key away.
        """
        require_trust(config, KeyUse.EMBEDDINGS)
        named = is_named_in_flag(config, KeyUse.EMBEDDINGS)
        if config.embedding_base_url:
            # An endpoint of its own gets no key that is meant for another.
            own: dict[str, Any] = {"base_url": config.embedding_base_url, "api_key": config.embedding_api_key}
            none: dict[str, Any] = {"organization": None, "project": None, "extra_headers": {}}
            config = config.model_copy(update={**own, **none})
        elif config.embedding_api_key:
            own = {"base_url": config.base_url, "api_key": config.embedding_api_key}
            config = config.model_copy(update=own)
        self._tell = tell
        self._dimensions = 0
        self.most_characters, self.most_texts = MOST_CHARACTERS, MOST_TEXTS
        self._refused_in_a_row = 0
        self._told: set[str] = set()
        self._model, self._most_retries = config.embedding_model, config.max_retries
        self._endpoint = Endpoint(config, may_be_link_local=named, asked=True)
        self.url = self._endpoint.url
        self.name = f"{self.url} {self._model}"  # whose vectors they are

    async def close(self) -> None:
        await self._endpoint.close()

    async def dimensions(self) -> int:
        """How many numbers a vector has. Raises as ``embed``."""
        return len((await self.embed(["How many numbers?"]))[0])

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """One vector a text; zeros for one of which there is none to be had, which is told once.

        Raises ``EndpointRefused``, or ``EndpointUnavailable`` after ``max_retries`` tries again.
        """
        vectors: list[list[float]] = []
        while len(vectors) < len(texts):
            some = texts[len(vectors) : len(vectors) + self.most_texts]
            vectors += await self._in_pieces([text[: self.most_characters] if text.strip() else " " for text in some])
        return vectors

    def beginning(self, text: str) -> int | None:
        """How many characters of a text its vector stands for; None for all of them."""
        return self.most_characters if len(text) > self.most_characters else None

    async def _in_pieces(self, texts: list[str]) -> list[list[float]]:
        """The vectors of texts that may be more, or longer, than the server takes at once."""
        try:
            return await self._patiently(texts)
        except (RequestTooLarge, CallRefused) as error:
            refusal = error
        if len(texts) == 1:
            return [await self._shortened(texts[0], refusal)]
        half = len(texts) // 2
        vectors = await self._in_pieces(texts[:half]) + await self._in_pieces(texts[half:])
        self.most_texts = min(self.most_texts, half)
        return vectors

    async def _shortened(self, text: str, refusal: RequestTooLarge | CallRefused) -> list[float]:
        """The vector of as much of a text as the server takes."""
        filtered = isinstance(refusal, CallRefused) and refusal.kind is FailureKind.CONTENT
        shorter = text
        while len(shorter) > _LEAST_CHARACTERS and not filtered:
            shorter = shorter[: max(_LEAST_CHARACTERS, len(shorter) // 2)]
            try:
                vector = (await self._patiently([shorter]))[0]
            except (RequestTooLarge, CallRefused) as error:
                refusal = error
                continue
            if len(shorter) < self.most_characters:
                self.most_characters = len(shorter)
                self._tell(
                    f"{self._model} takes no text of {len(text)} characters: longer ones than {self.most_characters} are "
                    "compared by their beginning."
                )
            return vector
        if isinstance(refusal, RequestTooLarge):
            raise EndpointRefused(
                refusal.problem, "Give the server a larger context, or set embedding_model to static."
            ) from None
        self._refused_in_a_row += 1
        if not self._dimensions or self._refused_in_a_row >= _MOST_REFUSED:
            said = refusal.whole.problem if refusal.whole else f"{self.url} turns texts away: {refusal.detail}"
            raise EndpointRefused(said, _HINTS[FailureKind.REQUEST]) from None
        self._tell_once(f"{self._model} turns a text away ({refusal.detail}): it is not compared by its meaning.")
        return [0.0] * self._dimensions

    async def _patiently(self, texts: list[str]) -> list[list[float]]:
        try:
            vectors = await with_retries(lambda: self._ask(texts), self._most_retries, self._again)
        except TransientError as trouble:
            raise EndpointUnavailable(
                f"The embeddings of {self._model} at {self.url} kept failing ({trouble.detail}). Everything accepted is saved.",
                "Check that endpoint, or set embedding_model to static; then resume.",
            ) from None
        self._refused_in_a_row = 0
        return vectors

    async def _again(self, trouble: TransientError, wait: float) -> None:
        self._tell(f"Embeddings: {trouble.detail}; next try in {wait:.0f} s.")

    def _tell_once(self, sentence: str) -> None:
        if sentence not in self._told:
            self._told.add(sentence)
            self._tell(sentence)

    async def _ask(self, texts: list[str]) -> list[list[float]]:
        body = orjson.dumps({"model": self._model, "input": texts})
        try:
            async with self._endpoint.post("/embeddings", body) as response:
                if response.status != 200:
                    raise self._failure(await read_response(response))
                answer = await read_all(response, self._endpoint.held)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise self._endpoint.network_error(error) from None
        data = loads_numbers(answer)
        if error_in(data) is not None:
            raise self._failure(read_body(answer, 200))
        if data is None:
            if (report := read_body(answer, 200)).page:
                raise self._failure(report)
            said = self._endpoint.redact(shown(answer[:_MOST_QUOTED]))
            raise TransientError(FailureKind.BAD_ANSWER, f"an answer that is no JSON: {said}", 0.0)
        try:
            return self._whole(read_vectors(data, len(texts)))
        except UnusableVectors as error:
            raise EndpointRefused(f"{self.url}/embeddings {error.problem} ({self._model}).", error.hint) from None

    def _failure(self, report: ErrorReport) -> Exception:
        """An error that the endpoint tells of, with the way out that there is for embeddings."""
        report = replace(report, message=self._endpoint.redact(report.message))
        kind = failure_kind(report)
        if kind is FailureKind.NO_SERVICE:
            said = f"There is no embeddings service at {self.url}: {report.message[:MOST_SAID]}"
            return EndpointRefused(said, _HINTS[kind])
        error = explain(report, kind, self._model, self.url)
        return EndpointRefused(error.problem, _HINTS.get(kind, error.hint)) if type(error) is EndpointRefused else error

    def _whole(self, found: list[list[float] | None]) -> list[list[float]]:
        """The vectors, all of one length; of zeros where there is none. Raises ``UnusableVectors``."""
        some = [vector for vector in found if vector is not None and any(vector)]
        self._dimensions = self._dimensions or len(some[0] if some else ())
        if not self._dimensions:
            what = "numbers that are none (NaN)" if None in found else "nothing but zeros"
            raise UnusableVectors(f"answers with {what} for a text")
        for vector in found:
            if vector is not None and len(vector) != self._dimensions:
                raise UnusableVectors(
                    f"answers with vectors of {self._dimensions} numbers and of {len(vector)}, not with one vector a text"
                )
        if len(some) < len(found):
            self._tell_once(f"{self._model} has no vector for some texts: they are not compared by their meaning.")
        return [vector or [0.0] * self._dimensions for vector in found]
