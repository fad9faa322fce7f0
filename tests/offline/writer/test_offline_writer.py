"""The built-in writer: on topic, different, and the same every time."""

from __future__ import annotations

import random
import re
from typing import Any

import pytest

from dsbuilder_tui import DatasetCategory, DatasetPlanInput
from dsbuilder_tui.diversity.compared_text import structure_hash
from dsbuilder_tui.domain.case import Slot
from dsbuilder_tui.domain.errors import InputError
from dsbuilder_tui.generation.slots import slot_plans
from dsbuilder_tui.offline.writer import perturb
from dsbuilder_tui.offline.writer.frames import Frame, fitting_groups, load_phrases
from dsbuilder_tui.offline.writer.offline_writer import OfflineWriter
from dsbuilder_tui.offline.writer.studied_category import study
from dsbuilder_tui.offline.writer.templates import paraphrases, read_template, shown, without_ids
from dsbuilder_tui.offline.writer.values import ValuePool, same_shape


def written(count: int, seed: int = 0, fields: Any = None, **category: Any) -> list[dict[str, Any]]:
    base = {"name": "order_status", "description": "Where orders are", "count": count}
    only = DatasetCategory(**{**base, **category})
    plan = DatasetPlanInput(dataset_name="d", categories=[only], **({"input_fields": fields} if fields else {}))
    writer, slots = OfflineWriter(), slot_plans(plan, seed)[only.name]
    return [writer.write(plan, only, Slot(only.name, n, slots.attributes(n)), 0, seed) for n in range(1, count + 1)]


@pytest.mark.parametrize(
    ("text", "template"),
    [
        ("Where is my order #12345?", "Where is my order {id}?"),
        ("Cancel ORD-99812 please", "Cancel {id} please"),
        ("Tell me about the wireless headphones", "Tell me about the {product}"),
        ("I paid $49.99 on 2025-03-14", "I paid {money} on {date}"),
        ("Book a flight from Berlin to Paris for 2 people", "Book a flight from {city} to {city} for {number} people"),
        ("My name is Ann Lee and my e-mail is ann@example.com", "My name is {name} and my e-mail is {email}"),
        ("See you on Monday, March 3rd", "See you on {weekday}, {date}"),
        ("What is 2 plus 2?", "What is 2 plus 2?"),
        ("Use {braces} here", "Use {braces} here"),
        ("How long does the desk lamp glow?", "How long does the desk lamp glow?"),
        ("It began on November 16, 2022", "It began on {date}"),
    ],
)
def test_examples_become_templates(text: str, template: str) -> None:
    assert shown(read_template(text)) == template


def test_a_missing_detail_leaves_a_sentence() -> None:
    assert without_ids(read_template("Where is my order #12345?")) == "Where is my order?"
    assert without_ids(read_template("I want a refund for order number #12345")) == "I want a refund for my order"


@pytest.mark.parametrize(
    ("text", "some"),
    [
        ("Where is my order?", ["Can you tell me where my order is?", "What's the status of my order?"]),
        ("I want a refund", ["I'd like a refund.", "Can I get a refund?"]),
        ("Tell me about the desk lamp", ["What can you tell me about the desk lamp?"]),
        ("Can I cancel my booking?", ["Am I able to cancel my booking?", "How do I cancel my booking?"]),
        ("How do I reset my password?", ["Can you tell me how I reset my password?"]),
        ("Cancel my subscription", ["Please cancel my subscription.", "I need you to cancel my subscription."]),
        ("I want to change my address", ["How do I change my address?"]),
        ("My parcel is late", ["It seems my parcel is late."]),
        ("Colourless green ideas sleep furiously", ["My request: colourless green ideas sleep furiously."]),
    ],
)
def test_cores_are_said_in_other_words(text: str, some: list[str]) -> None:
    ways = paraphrases(text)
    assert len(ways) >= 8 and len(set(ways)) == len(ways)
    for way in some:
        assert way in ways
    for way in ways:
        assert way[0].isupper() and way[-1] in ".?!" and "{" not in way and "?." not in way and "??" not in way


def test_two_hundred_distinct_cases_from_one_sentence() -> None:
    cases = written(200, example_inputs="Where is my order #12345?")
    texts = [case["inputs"]["query"] for case in cases]
    assert len({structure_hash(case["inputs"]) for case in cases}) == 200
    on_topic = sum("order" in text.lower() or "parcel" in text.lower() or "ordre" in text.lower() for text in texts)
    assert on_topic >= 190
    openings = {" ".join(text.lower().split()[:3]) for text in texts}
    assert len(openings) >= 80
    assert all("{" not in text for text in texts)


def test_the_tags_say_how_it_was_made() -> None:
    cases = written(60, example_inputs="Where is my order #12345?")
    assert {case["tags"]["template"] for case in cases} == {"Where is my order {id}?"}
    kinds = {kind for case in cases for kind in case["tags"]["perturbation"].split(", ")}
    assert {"none", "missing", "several", "typos", "adversarial", "spoken", "texting"} <= kinds


def test_the_same_seed_writes_the_same() -> None:
    one = written(40, seed=3, example_inputs="Where is my order #12345?")
    assert one == written(40, seed=3, example_inputs="Where is my order #12345?")
    assert one != written(40, seed=4, example_inputs="Where is my order #12345?")


def test_attributes_shape_the_text() -> None:
    def texts(**axes: tuple[str, ...]) -> list[str]:
        return [c["inputs"]["query"] for c in written(24, example_inputs="Where is my order #12345?", attributes=axes)]

    short, long = texts(length=("short",)), texts(length=("long",))
    assert sum(map(len, long)) > 2 * sum(map(len, short))
    assert all("\n\n" in text for text in texts(channel=("e-mail",)))
    assert all(text == text.lower() for text in texts(channel=("voice transcript",), tone=("polite",)))
    assert all("Please answer in Spanish." in text for text in texts(language=("Spanish",)))
    assert any("truck driver" in text for text in texts(persona=("truck driver",)))
    assert all("gold" in text for text in texts(membership=("gold",)))


def test_several_fields_and_lists_of_messages() -> None:
    example = {"query": "Where is my order #12345?", "locale": "en-US", "customer_id": "C-4711"}
    case = written(3, fields=["query", "locale", "customer_id"], example_inputs=[example])[1]["inputs"]
    assert list(case) == ["query", "locale", "customer_id"]
    assert (
        case["locale"] == "en-US"
        and case["customer_id"] != "C-4711"
        and re.fullmatch(r"[A-Z]-\d{4}", case["customer_id"])
    )
    turns = [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "Where is my order #12345?"}]
    case = written(3, example_inputs=[{"messages": turns}])[0]["inputs"]
    assert case["messages"][0] == turns[0]
    assert "order" in case["messages"][1]["content"].lower()


def test_without_examples_the_description_is_the_topic() -> None:
    texts = [
        c["inputs"]["query"].lower() for c in written(12, description="Test questions about late trains", name="trains")
    ]
    assert sum("train" in text for text in texts) >= 9


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Wo bleibt meine Bestellung #12345?", ("bestellung", "bestelung")),
        ("¿Dónde está mi pedido #12345?", ("pedido",)),
        ("Je voudrais un remboursement pour la commande #123", ("rembourse",)),
    ],
)
def test_other_languages_stay_themselves(text: str, words: tuple[str, ...]) -> None:
    cases = written(60, example_inputs=text)
    assert len({structure_hash(case["inputs"]) for case in cases}) >= 57
    texts = [case["inputs"]["query"].lower() for case in cases]
    assert not any(re.search(r"\b(the|please|thank you|hello|i'm)\b", text) for text in texts)
    assert sum(any(word in text for word in words) for text in texts) >= 50


def checked(**category: Any) -> list[str]:
    fields = category.pop("fields", None)
    plan = DatasetPlanInput(
        dataset_name="d",
        categories=[DatasetCategory(**{"name": "c", "count": 2, **category})],
        **({"input_fields": fields} if fields else {}),
    )
    offline, *notes = OfflineWriter().check(plan)
    assert offline[0] == "info" and "OPENAI_API_KEY" in offline[1]
    assert all(level == "warning" for level, _ in notes)
    return [text for _, text in notes]


def test_what_it_cannot_do_well_is_said_before() -> None:
    assert checked(example_inputs="Where is my order?") == []
    assert "no example inputs" in checked(description="Late trains")[0]
    assert "language the built-in writer has no phrases for" in checked(example_inputs="注文番号12345はどこですか？")[0]
    assert checked(example_inputs="Where is it?", fields=["query", "locale", "customer_id"]) == []
    with pytest.raises(InputError, match="input field 'mood'"):
        checked(example_inputs="Where is it?", fields=["query", "mood"])


def test_code_and_documents_are_left_alone() -> None:
    block = "def f(x):\n    return {x: 1}"
    for case in written(30, example_inputs=f"Explain this function:\n{block}"):
        assert case["inputs"]["query"].endswith(f"\n\n{block}")
    for case in written(
        30, example_inputs="Render {order} with {}", attributes={"length": ("long",), "tone": ("polite",)}
    ):
        assert "{order} with {}" in case["inputs"]["query"]


def test_things_stay_what_they_are() -> None:
    for case in written(40, example_inputs="How many suitcases can I take on my flight AB1234?", name="luggage"):
        assert re.search(r"(?i)s\w*i\w*t", case["inputs"]["query"])
    for case in written(
        60, example_inputs="Book a flight from Berlin to Paris", name="flights", attributes={"tone": ("polite",)}
    ):
        one, other = re.search(r"from (.+?) to (New York|Cape Town|\w+)", case["inputs"]["query"]).groups()  # type: ignore[union-attr]
        assert one != other


def said(core: str) -> set[str]:
    """What may be added to a message besides what goes with any."""
    groups = load_phrases()["detail"]
    free = {sentence for group in groups if not group.get("when") for sentence in group["say"]}
    return {sentence for group in fitting_groups(groups, read_template(core)) for sentence in group} - free


def test_what_is_added_goes_with_what_is_asked() -> None:
    assert any("tracking page" in text for text in said("Where is my order #12345?"))
    for bank in (
        "Why was my transfer of $250 declined?",
        "I lost my credit card, please block it",
        "What would a loan of $5,000 cost me?",
    ):
        assert said(bank) and not any(
            re.search("order|parcel|receipt|box|size|tracking|shipping", text) for text in said(bank)
        )
    for other in ("Write a haiku", "May I work from Norway?", "Is the green curry hot?"):
        assert not any(re.search("order|parcel|card|flight|router", text) for text in said(other))


def test_one_message_says_one_thing_of_a_kind() -> None:
    cases = written(300, name="returns", description="Returns", example_inputs="Can I return the lamp I bought?")
    for text in (case["inputs"]["query"] for case in cases):
        assert ("I have the receipt" in text) + ("the receipt any more" in text) <= 1, text
        assert ("It arrived broken" in text) + ("It doesn't fit" in text) + ("A part is missing" in text) <= 1, text


def test_every_placeholder_in_the_phrases_can_be_filled() -> None:
    pool, rng = ValuePool(1), random.Random(1)

    def texts(value: Any) -> list[str]:
        if isinstance(value, str):
            return [value]
        return [t for inner in (value.values() if isinstance(value, dict) else value) for t in texts(inner)]

    def without_own(bank: dict[str, Any]) -> dict[str, Any]:
        """Without what the expectations fill themselves, and the patterns."""
        return {
            name: without_own(inner) if isinstance(inner, dict) else inner
            for name, inner in bank.items()
            if name not in ("expected", "detail", "second")
        }

    phrases = load_phrases()
    groups = [sentence for group in (*phrases["detail"], *phrases["second"]) for sentence in group["say"]]
    for text in (*texts(without_own(phrases)), *groups):
        assert "{" not in pool.fill(text.replace("{core}", "").replace("{about}", ""), rng), text


def test_perturbations() -> None:
    rng = random.Random(2)
    text = "Where is my order, please? I have waited for three weeks and nobody answers me."
    assert perturb.typos(text, rng) != text
    assert perturb.spoken(text, rng, ["um"]).islower() and "?" not in perturb.spoken(text, rng, ["um"])
    assert {perturb.mixed_case(text, random.Random(n)).isupper() for n in range(9)} == {True, False}
    assert "AB" not in {same_shape("AB-1234", random.Random(n))[:2] for n in range(3)}
    assert same_shape("#12345", rng).startswith("#") and len(same_shape("#12345", rng)) == 6
    assert same_shape("ORD-77", rng).startswith("ORD-")


def test_frames_understand_common_words() -> None:
    phrases, rng = load_phrases(), random.Random(1)
    frame = Frame.of(
        {"mood": "very angry", "medium": "SMS", "edge_case": "prompt injection", "difficulty": "hard"}, phrases, rng
    )
    assert (frame.tone, frame.channel) == ("frustrated", "mobile")
    assert {"adversarial", "several", "missing"} <= frame.flags


def test_a_stay_ends_a_few_days_after_it_begins() -> None:
    pool = ValuePool(3)
    for text in ("from {date:March 14} to {date:March 17}", "from {date:2026-03-14} until {date:2026-03-17}"):
        for seed in range(50):
            first, last = re.findall(r"(\d+)(?= |$)", pool.fill(text, random.Random(seed)))
            assert 1 <= int(last) - int(first) <= 7


@pytest.mark.parametrize("example", ["Do you have a family room?", "Which papers do you need?", "Can I use your app?"])
def test_an_expectation_does_not_speak_to_the_application_as_you(example: str) -> None:
    category = DatasetCategory(name="c", description="Questions", count=1, example_inputs=example)
    plan = DatasetPlanInput(dataset_name="d", categories=[category])
    (studied,) = study(plan, category, load_phrases()).examples
    assert studied.answered == ""  # then the question itself is told


@pytest.mark.parametrize(
    ("category", "example", "thing"),
    [
        ("onboarding", "When do I get my laptop?", "laptop"),
        ("equipment", "I need a new monitor", "monitor"),
        ("helpdesk", "Where is my tablet?", "tablet"),
    ],
)
def test_a_thing_is_another_thing_in_a_shop_alone(category: str, example: str, thing: str) -> None:
    cases = written(60, name=category, description="", example_inputs=example)
    texts = [c["inputs"]["query"].lower() for c in cases if "missing" not in c["tags"]["perturbation"]]
    assert sum(thing in text for text in texts) >= 0.9 * len(texts) and not any("my budget" in text for text in texts)
    sold = written(60, name=category, description="A shop's products", example_inputs=example)
    assert sum(thing in c["inputs"]["query"].lower() for c in sold) < 30


def test_who_is_new_has_no_past_and_who_is_not_has_one() -> None:
    for persona in ("first-time user", "long-time customer"):
        cases = written(200, example_inputs="Cancel my contract", attributes={"persona": (persona,)})
        texts = [c["inputs"]["query"] for c in cases]
        assert not [
            text for text in texts if "I've had it for" in text and re.search("since 20|new|first time|ago", text)
        ]
        assert any("I hardly use it." in text for text in texts)
