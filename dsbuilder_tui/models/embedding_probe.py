"""A closer look at the embeddings that a run compares with: whether they tell texts apart, and what they take at once."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Sequence

from dsbuilder_tui.diversity.static_embedding import local_embedder
from dsbuilder_tui.domain.errors import ConfigError, DsbuilderError
from dsbuilder_tui.models.embeddings import MOST_CHARACTERS, MOST_TEXTS, EndpointEmbeddings
from dsbuilder_tui.models.endpoint_probe import ProbeFinding
from dsbuilder_tui.settings.schema import DatasetBuilderConfig

_NAME = "embeddings"
_LIKE_AND_UNLIKE = (
    "Can I add two baguettes to my order?", "Could you put two more baguettes on my order?", "Which planet is the largest?",
)  # fmt: skip
_MOST_UNLIKE = 0.95
_SENTENCE = "The two baguettes that I ordered for Sunday have not come yet. "


async def probe_embeddings(config: DatasetBuilderConfig) -> ProbeFinding:
    """Whether the embedding model of the settings tells texts apart: the built-in one, a folder's or an endpoint's."""
    try:
        local = await asyncio.to_thread(local_embedder, config.embedding_model)
    except ConfigError as error:
        return ProbeFinding(_NAME, problem=error)
    if local is None:
        return await _of_endpoint(config)
    name = "built in" if config.embedding_model == "static" else config.embedding_model
    return _judged(name, local.embed(_LIKE_AND_UNLIKE).tolist(), "it may be no model for sentences")


async def _of_endpoint(config: DatasetBuilderConfig) -> ProbeFinding:
    try:
        embeddings = EndpointEmbeddings(config.model_copy(update={"max_retries": min(1, config.max_retries)}))
    except DsbuilderError as error:
        return ProbeFinding(_NAME, problem=error)
    try:
        vectors = await embeddings.embed(_LIKE_AND_UNLIKE)
        finding = _judged(
            config.embedding_model, vectors,
            "the server may pool them wrongly (llama.cpp: --pooling mean), or it is no embedding model",
        )  # fmt: skip
        if not finding.certain:
            return finding
        # As a run asks: many at once, and texts that are long.
        await embeddings.embed([f"Question {number} to a bakery" for number in range(MOST_TEXTS)])
        await embeddings.embed([(_SENTENCE * (1 + MOST_CHARACTERS // len(_SENTENCE)))[:MOST_CHARACTERS]])
    except DsbuilderError as error:
        return ProbeFinding(_NAME, problem=error)
    finally:
        await embeddings.close()
    words = finding.words
    if embeddings.most_texts < MOST_TEXTS:
        words += f", {embeddings.most_texts} texts a call"
    if embeddings.most_characters < MOST_CHARACTERS:
        words += f"; of texts longer than {embeddings.most_characters} characters their beginning is compared"
    return ProbeFinding(_NAME, words, certain=embeddings.most_characters == MOST_CHARACTERS)


def _judged(model: str, vectors: Sequence[Sequence[float]], doubt: str) -> ProbeFinding:
    first, reworded, other = vectors
    near, far = _likeness(first, reworded), _likeness(first, other)
    words = f"{model}: {len(first)} numbers a text"
    if far >= near or far > _MOST_UNLIKE:
        words += (
            f", but two questions that have nothing in common come out {far:.2f} alike, and two that say the same {near:.2f}: "
            f"{doubt}"
        )
        return ProbeFinding(_NAME, words, certain=False)
    return ProbeFinding(_NAME, words)


def _likeness(first: Sequence[float], second: Sequence[float]) -> float:
    """The cosine of two vectors."""
    size = math.sqrt(math.fsum(x * x for x in first) * math.fsum(x * x for x in second))
    return math.fsum(x * y for x, y in zip(first, second, strict=True)) / size if size else 0.0
