"""What a retry's avoid-list does with a real model: ``python -m tests.bench.avoid_list http://127.0.0.1:8080/v1 --rounds 10``.

Retries are asked for in several ways in turn (what is shown of the texts that are taken, where, at which temperature), and
what comes is judged by the real comparer: whether it repeats anything that is taken, and whether a text that was shown.
Asserts nothing. A server that lists its own model is asked for it; a small one is slow: a round is a call for each way.
"""

from __future__ import annotations

import argparse
import json
import random
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from dsbuilder_tui import DatasetBuilderConfig, DatasetPlanInput
from dsbuilder_tui.diversity.answer import Question
from dsbuilder_tui.diversity.compared_text import compared_text
from dsbuilder_tui.diversity.comparer import Comparer
from dsbuilder_tui.diversity.static_embedding import built_in_embedder
from dsbuilder_tui.diversity.thresholds import rules_for
from dsbuilder_tui.domain.case import Slot
from dsbuilder_tui.domain.plan import DatasetCategory
from dsbuilder_tui.generation.output_limit import OutputLimit
from dsbuilder_tui.generation.prompts import Prompter
from dsbuilder_tui.generation.slots import slot_plans
from dsbuilder_tui.models.protocol import SlotRequest, WorkerRequest
from tests.engines.test_engines import PLAN

_SLOTS, _TOKENS, _SEED, _PATIENCE = 2, 180, 7, 600
_TAKEN = {
    "order_status": (
        "My parcel was due on Monday and the tracking page still says label created.",
        "Can you tell me whether order 88213 has left the warehouse?",
        "The courier says delivered, but there is nothing at my door!",
        "I moved last week. Is my package going to the old address?",
        "Half of my order came, when does the rest arrive?",
        "How long does delivery to Norway take these days?",
    ),
    "refunds": (
        "The kettle leaks. I would like my money back, please.",
        "You charged me twice for the same jacket, refund one of them.",
        "I sent the boots back three weeks ago and have seen no refund.",
        "Can I get store credit and not the money?",
        "The gift came broken and I have no receipt.",
        "Why is my refund four euros short?",
    ),
}


@dataclass(frozen=True)
class Way:
    """How a retry is asked for."""

    name: str
    shown: int = 0  # texts that are taken
    place: str = "end"
    examples: bool = False
    temperature: float | None = None


WAYS = (
    Way("nothing"), Way("nothing, and the examples", examples=True), Way("one, at the end", 1), Way("six, at the end", 6),
    Way("one, before the slots", 1, "before"), Way("one, and the examples", 1, examples=True),
    Way("nothing, at 1.3", temperature=1.3), Way("one, at 1.3", 1, temperature=1.3),
)  # fmt: skip


@dataclass
class Tally:
    asked: int = 0
    written: int = 0
    repeats: int = 0
    copies: int = 0  # repeats of what was shown


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("--model", default="smol")
    parser.add_argument("--rounds", type=int, default=10)
    given = parser.parse_args()
    plan = DatasetPlanInput.model_validate(yaml.safe_load(PLAN % (60, 60)))
    tallies = {way.name: Tally() for way in WAYS}
    for number in range(given.rounds):
        for way in WAYS:  # in turn, so that a busy machine is as busy for each
            _retry(plan, plan.categories[number % 2], way, number, tallies[way.name], given.url, given.model)
    print(f"{'shown':28} {'written':>8} {'repeats':>8} {'copies of what is shown':>24}")
    for name, tally in tallies.items():
        share = tally.repeats / max(1, tally.written)
        print(f"{name:28} {tally.written:>4}/{tally.asked:<3} {share:>8.2f} {tally.copies:>24}")


def _retry(
    plan: DatasetPlanInput, category: DatasetCategory, way: Way, number: int, tally: Tally, url: str, model: str
) -> None:
    drawn = random.Random(number)  # the same slots and texts for each way
    attributes = slot_plans(plan, _SEED)[category.name].attributes
    ordinals = drawn.sample(range(1, category.count + 1), _SLOTS)
    slots = [SlotRequest(Slot(category.name, each, attributes(each)), 0 if way.examples else 1) for each in ordinals]
    request = Prompter(plan, _SEED, OutputLimit(_TOKENS)).request(category, slots, [])
    taken = _TAKEN[category.name]
    shown = drawn.sample(taken, way.shown)
    found = _ask(url, model, request, _prompt(request.prompt, shown, way.place), way.temperature)
    tally.asked += _SLOTS
    before: list[Mapping[str, Any]] = [{"query": text} for text in taken] + [*plan.examples(category)]
    for inputs in found:
        tally.written += 1
        tally.repeats += _is_repeat(category, before, inputs)
        tally.copies += _is_repeat(category, [{"query": text} for text in shown], inputs)
        before.append(inputs)


def _prompt(prompt: str, shown: Sequence[str], place: str) -> str:
    lines = "\n".join(["", "Already taken; write something clearly different:", *(f"- {text}" for text in shown)])
    if not shown:
        return prompt
    if place == "end":
        return f"{prompt}\n{lines}"
    at = prompt.index("\n\nSlots (")
    return f"{prompt[:at]}\n{lines}{prompt[at:]}"


def _is_repeat(category: DatasetCategory, taken: Sequence[Mapping[str, Any]], inputs: Mapping[str, Any]) -> bool:
    rules, comparer = rules_for(DatasetBuilderConfig(), category), Comparer(built_in_embedder())
    comparer.admit([Question(category.name, compared_text(each), {}, rules) for each in taken])
    return comparer.judge([Question(category.name, compared_text(inputs), {}, rules)])[0].match is not None


def _ask(
    url: str, model: str, request: WorkerRequest, prompt: str, temperature: float | None
) -> list[Mapping[str, Any]]:
    """The inputs of the cases that came; nothing of an answer that is no JSON."""
    schema = {"name": "test_cases", "schema": request.schema, "strict": True}
    body: dict[str, Any] = {
        "model": model, "max_tokens": _TOKENS, "response_format": {"type": "json_schema", "json_schema": schema},
        "messages": [{"role": "system", "content": request.system}, {"role": "user", "content": prompt}],
    }  # fmt: skip
    if temperature is not None:
        body["temperature"] = temperature
    call = urllib.request.Request(
        f"{url}/chat/completions", json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(call, timeout=_PATIENCE) as response:
        words = json.load(response)["choices"][0]["message"]["content"]
    try:
        return [case["inputs"] for case in json.loads(words)["cases"]]
    except (ValueError, KeyError, TypeError):
        return []


if __name__ == "__main__":
    main()
