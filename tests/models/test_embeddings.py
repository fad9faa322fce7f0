"""Vectors from an endpoint: whole runs with them, and an endpoint that misbehaves."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from dsbuilder_tui import DatasetBuilderConfig, DatasetPlanInput, Session
from dsbuilder_tui.domain.errors import DsbuilderError, EndpointRefused, EndpointUnavailable
from dsbuilder_tui.domain.events import Notice
from dsbuilder_tui.models.embedding_probe import probe_embeddings
from dsbuilder_tui.models.embeddings import EndpointEmbeddings
from tests.support.fake_contents import word
from tests.support.fake_embeddings import SIZE, vector
from tests.support.fake_openai import FakeOpenAI

Plans = Callable[..., DatasetPlanInput]
Configs = Callable[..., DatasetBuilderConfig]

TEXTS = [" ".join(word(7919 * n + 31 * k) for k in range(9)) for n in range(40)]


async def test_texts_go_in_pieces_and_come_back_in_order(make_config: Configs) -> None:
    async with FakeOpenAI(embedding_script=["server_error", "rate_limit", "reset"]) as fake:
        told: list[str] = []
        asker = EndpointEmbeddings(make_config(base_url=fake.url, embedding_model="e5", max_retries=3), told.append)
        texts = [word(n) for n in range(150)]
        assert await asker.embed(texts) == [vector(text) for text in texts]
        assert [len(body["input"]) for body in fake.embedding_bodies] == [64, 64, 64, 64, 64, 22]
        assert {body["model"] for body in fake.embedding_bodies} == {"e5"}
        assert len(told) == 3 and all("next try in" in sentence for sentence in told)
        assert await asker.dimensions() == SIZE
        await asker.close()


@pytest.mark.parametrize(
    ("kind", "error", "words"),
    [
        ("unauthorized", EndpointRefused, "key"), ("no_model", EndpointRefused, "e5"),
        ("few", EndpointRefused, "one vector a text"), ("not_json", EndpointUnavailable, "no JSON"),
        ("no_numbers", EndpointRefused, "one vector a text"), ("no_service", EndpointRefused, "--embeddings"),
        ("by_token", EndpointRefused, "--pooling mean"), ("server_error", EndpointUnavailable, "kept failing"),
        ("no_pooling", EndpointRefused, "--pooling mean"), ("no_route", EndpointRefused, "no embeddings service"),
        ("html", EndpointRefused, "no embeddings service.*a web page .“Sign in”"),
        ("html_error", EndpointRefused, "no embeddings service.*a web page .“Sign in”"),
        ("error_200", EndpointUnavailable, "The embedding model crashed"), ("zeros", EndpointRefused, "nothing but zeros"),
        ("nan", EndpointRefused, "NaN"), ("null", EndpointRefused, "NaN"), ("few", EndpointRefused, "with 1 vector for 2 texts"),
        ("base64_cut", EndpointRefused, "one vector a text"), ("no_model", EndpointRefused, "with embedding_model"),
    ],
)  # fmt: skip
async def test_what_goes_wrong_is_said(
    make_config: Configs, kind: str, error: type[DsbuilderError], words: str
) -> None:
    async with FakeOpenAI(embedding_script=[kind] * 2) as fake:
        config = make_config(base_url=fake.url, api_key="sk-canary-777", embedding_model="e5", max_retries=1)
        asker = EndpointEmbeddings(config)
        with pytest.raises(error, match=words) as caught:
            await asker.embed(["a", "b"])
        assert "canary" not in (said := f"{caught.value} {caught.value.hint}") and "--worker-model" not in said
        assert "secret-page" not in said and "\n" not in caught.value.problem
        await asker.close()


async def test_a_text_that_is_too_long_is_shortened_and_said_to_be(make_config: Configs) -> None:
    async with FakeOpenAI(embedding_script=["most 300"] * 30) as fake:
        told: list[str] = []
        asker = EndpointEmbeddings(make_config(base_url=fake.url, embedding_model="e5", max_retries=0), told.append)
        long = "abc " * 500
        assert await asker.embed(["a", long, "b"]) == [vector("a"), vector(long[:250]), vector("b")]
        assert len(told) == 1 and "than 250 are compared by their beginning" in told[0]
        assert await asker.embed([long]) == [vector(long[:250])] and len(told) == 1
        fake.embedding_script[:] = ["wrapped"]
        assert await asker.embed(["a"]) == [vector("a")]
        fake.embedding_script[:] = ["too_large"] * 9
        with pytest.raises(EndpointRefused, match="larger context"):
            await asker.embed(["a"])
        await asker.close()


SHAPES = (
    "base64", "indexed_alike", "indexed_in_words", "unindexed", "ollama", "cohere", "gemini", "bare", "llama",
)  # fmt: skip


@pytest.mark.parametrize("kind", SHAPES)
@pytest.mark.parametrize("count", [1, 12])
async def test_vectors_in_any_shape_and_order(make_config: Configs, kind: str, count: int) -> None:
    async with FakeOpenAI(embedding_script=[kind]) as fake:
        asker = EndpointEmbeddings(make_config(base_url=fake.url, embedding_model="e5"))
        assert await asker.embed(TEXTS[:count]) == [vector(text) for text in TEXTS[:count]]
        await asker.close()


@pytest.mark.parametrize("kind", ["one_zero", "one_null"])
async def test_a_text_without_a_vector_is_told_once(make_config: Configs, kind: str) -> None:
    async with FakeOpenAI(embedding_script=["ok", kind, kind]) as fake:
        told: list[str] = []
        asker = EndpointEmbeddings(make_config(base_url=fake.url, embedding_model="e5"), told.append)
        await asker.dimensions()
        for _ in range(2):
            assert await asker.embed(TEXTS[:3]) == [[0.0] * SIZE, *(vector(text) for text in TEXTS[1:3])]
        assert told == ["e5 has no vector for some texts: they are not compared by their meaning."]
        await asker.close()


async def test_too_many_texts_at_once_are_parted_and_the_number_is_learned(make_config: Configs) -> None:
    async with FakeOpenAI(embedding_script=["count 10"] * 60) as fake:
        told: list[str] = []
        asker = EndpointEmbeddings(make_config(base_url=fake.url, embedding_model="e5"), told.append)
        texts = [word(n) for n in range(100)]
        assert await asker.embed(texts) == [vector(text) for text in texts]
        calls = len(fake.embedding_bodies)
        assert await asker.embed(texts[:64]) == [vector(text) for text in texts[:64]]
        assert len(fake.embedding_bodies) - calls == 8 and not told, "eight at once, by now without asking"
        await asker.close()


async def test_a_text_is_shortened_whatever_words_it_is_refused_with(make_config: Configs) -> None:
    async with FakeOpenAI(embedding_script=["words 600"] * 60) as fake:
        told: list[str] = []
        asker = EndpointEmbeddings(make_config(base_url=fake.url, embedding_model="e5"), told.append)
        long = "abc def " * 500
        assert await asker.embed(["a", long]) == [vector("a"), vector(long[:500])]
        assert len(told) == 1 and "than 500 are compared" in told[0]
        await asker.close()


async def test_a_text_that_a_filter_turns_away_is_left_out_of_the_comparison(make_config: Configs) -> None:
    async with FakeOpenAI(embedding_script=["not bomb"] * 60) as fake:
        told: list[str] = []
        asker = EndpointEmbeddings(make_config(base_url=fake.url, embedding_model="e5"), told.append)
        await asker.dimensions()
        bad = "a bath bomb " * 100
        found = await asker.embed([TEXTS[0], bad, TEXTS[1]])
        assert found == [vector(TEXTS[0]), [0.0] * SIZE, vector(TEXTS[1])]
        assert len(told) == 1 and "flagged by our filter" in told[0] and "not compared" in told[0]
        with pytest.raises(EndpointRefused, match="flagged"):
            await asker.embed([bad] * 8)
        await asker.close()


async def test_the_probe_sees_embeddings_that_tell_nothing_apart(make_config: Configs) -> None:
    async with FakeOpenAI() as fake:
        config = make_config(base_url=fake.url, embedding_model="e5")
        found = await probe_embeddings(config)
        assert found.certain and f"e5: {SIZE} numbers" in found.words
        fake.embedding_script[:] = ["alike"]
        found = await probe_embeddings(config)
        assert not found.certain and "1.00 alike" in found.words and "--pooling" in found.words
        fake.embedding_script[:] = ["no_service"]
        assert "no embeddings service" in str((await probe_embeddings(config)).problem)
        fake.embedding_script[:] = ["count 20"] * 20
        found = await probe_embeddings(config)
        assert found.certain and found.words == f"e5: {SIZE} numbers a text, 16 texts a call"
        fake.embedding_script[:] = ["most 1000"] * 20
        found = await probe_embeddings(config)
        assert not found.certain and "of texts longer than 1000 characters their beginning is compared" in found.words
        fake.embedding_script[:] = ["zeros"]
        assert "nothing but zeros" in str((await probe_embeddings(config)).problem)


async def test_the_probe_of_static_models(make_config: Configs, tmp_path: Path) -> None:
    found = await probe_embeddings(make_config())
    assert found.certain and found.words == "built in: 256 numbers a text"
    found = await probe_embeddings(make_config(embedding_model=str(tmp_path)))
    assert found.problem is not None and "has no model.safetensors" in str(found.problem)


async def test_vectors_of_another_size_are_not_taken(make_config: Configs) -> None:
    async with FakeOpenAI(embedding_script=["ok", "other_size"]) as fake:
        asker = EndpointEmbeddings(make_config(base_url=fake.url, embedding_model="e5"))
        await asker.embed(["a"])
        with pytest.raises(EndpointRefused, match="one vector"):
            await asker.embed(["a"])
        await asker.close()


async def test_an_endpoint_of_its_own_gets_its_own_key_only(make_config: Configs) -> None:
    async with FakeOpenAI() as fake:
        for key, expected in ((None, None), ("sk-embed", "Bearer sk-embed")):
            config = make_config(
                base_url="http://127.0.0.1:9/v1", api_key="sk-main", embedding_model="e5", embedding_base_url=fake.url,
                embedding_api_key=key, extra_headers={"X-Team": "secret-team"},
            )  # fmt: skip
            asker = EndpointEmbeddings(config)
            await asker.embed(["a"])
            await asker.close()
            assert fake.headers[-1].get("authorization") == expected
            assert "secret-team" not in str(fake.headers[-1])


async def test_a_run_compares_by_an_endpoints_vectors(make_plan: Plans, make_config: Configs) -> None:
    first = TEXTS[0].split()
    shuffled = " ".join(first[4:] + first[:4])
    async with FakeOpenAI(embedding_script=["ok", "server_error"]) as fake:
        fake._text = iter([TEXTS[0], shuffled, *TEXTS[1:]]).__next__  # type: ignore[method-assign]
        config = make_config(
            base_url=fake.url, embedding_model="e5", batch_size=1, max_workers=1, near_threshold=1.0,
            semantic_threshold=0.97,
        )  # fmt: skip
        events: list[Notice] = []
        async with await Session.create(make_plan(6), config) as session:
            session.subscribe(lambda event: events.append(event) if isinstance(event, Notice) else None)
            assert (await session.run()).state == "complete"
            page = await session.rejections.page(0, 10)
            assert [(r.stage, r.score, r.nearest_case_id) for r in page] == [("semantic", 1.0, "category_1-00001")]
            found = await session.diversity.fingerprints()
            assert found is not None and found.vectors.shape == (6, 256), "the figures go by the built-in embedding"
            assert any("Embeddings:" in notice.text for notice in events)


async def test_a_run_ends_resumable_when_the_embeddings_are_gone(make_plan: Plans, make_config: Configs) -> None:
    async with FakeOpenAI(embedding_script=["ok", "ok", *["server_error"] * 9]) as fake:
        config = make_config(base_url=fake.url, embedding_model="e5", batch_size=2, max_workers=1, max_retries=1)
        async with await Session.create(make_plan(8), config) as session:
            with pytest.raises(EndpointUnavailable, match="embeddings"):
                await session.run()
            assert (await session.summary()).state == "paused"
            fake.embedding_script.clear()
            assert (await session.run()).state == "complete"


async def test_several_candidates_a_slot(make_plan: Plans, make_config: Configs) -> None:
    """Of the candidates the least expected that is new is taken; repeats among them are no mark against the slot."""
    async with FakeOpenAI() as fake:
        count = iter(range(100))

        def case(number: int) -> dict[str, object]:
            texts = (TEXTS[next(count)], TEXTS[0], "Hello there")
            several = [
                {"probability": p, "inputs": {"query": text}, "expectations": {"polite": True}}
                for p, text in zip((0.05, 0.01, 0.7), texts, strict=True)
            ]
            return {"slot": number, "candidates": several}

        fake.case = case  # type: ignore[method-assign]
        config = make_config(base_url=fake.url, batch_size=2, max_workers=1, candidates_per_slot=3)
        async with await Session.create(make_plan(6), config) as session:
            assert (await session.run()).state == "complete"
            found = [case.inputs["query"] for case in await session.cases.page(0, 10)]
            assert found == TEXTS[:6]
            rejected = await session.rejections.page(0, 20)
            assert len(rejected) == 5 and {r.stage for r in rejected} == {"structural"}
            assert {r.attempt for r in rejected} == {0}
        body = fake.bodies[0]
        schema = body["response_format"]["json_schema"]["schema"]
        item = schema["properties"]["cases"]["items"]["properties"]["candidates"]["items"]
        assert list(item["properties"]) == ["probability", "inputs", "expectations"]
        assert "3 candidates" in body["messages"][0]["content"] and body["max_tokens"] == 3 * 500 * 2 + 100
