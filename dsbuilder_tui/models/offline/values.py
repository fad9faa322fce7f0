"""Values for the slots of a template: realistic, in the shape of the original, drawn from a seeded generator."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from typing import Any

from faker import Faker

_POOL = 300

PRODUCTS = (
    "wireless headphones", "espresso machine", "running shoes", "standing desk", "rain jacket", "mountain bike",
    "robot vacuum", "fitness watch", "noise-cancelling earbuds", "gaming laptop", "travel backpack", "air fryer",
    "desk lamp", "yoga mat", "electric toothbrush", "winter coat", "camping tent", "mechanical keyboard",
    "office chair", "coffee grinder", "baby stroller", "smart thermostat", "e-book reader", "water bottle",
    "sewing machine", "garden hose", "board game", "leather wallet", "photo printer", "portable speaker",
    "kitchen scale", "hiking boots", "cast-iron pan", "memory foam pillow", "rice cooker", "phone case",
    "wool sweater", "inflatable mattress", "graphics tablet", "bluetooth turntable",
)  # fmt: skip

_OTHER_HEADS = """
    headphone phone laptop tablet camera shirt dress jean sneaker sofa mattress fridge television tv monitor printer
    charger cable vacuum blender kettle toaster oven bike scooter jacket hoodie bag suitcase ring necklace watch
"""
# The last word of a product's name, by which one is found in an example.
PRODUCT_HEADS = frozenset(name.split()[-1].rstrip("s") for name in PRODUCTS) | frozenset(_OTHER_HEADS.split())

_CITIES = (
    "London",
    "Manchester",
    "Dublin",
    "Edinburgh",
    "Berlin",
    "Hamburg",
    "Munich",
    "Vienna",
    "Zurich",
    "Paris",
    "Lyon",
    "Madrid",
    "Valencia",
    "Lisbon",
    "Porto",
    "Rome",
    "Milan",
    "Athens",
    "Warsaw",
    "Prague",
    "Budapest",
    "Copenhagen",
    "Oslo",
    "Stockholm",
    "Helsinki",
    "Amsterdam",
    "Brussels",
    "New York",
    "Boston",
    "Chicago",
    "Denver",
    "Seattle",
    "Austin",
    "Toronto",
    "Montreal",
    "Sydney",
    "Auckland",
    "Singapore",
    "Tokyo",
    "Cape Town",
)
_RELATIONS = ("mother", "father", "sister", "brother", "grandmother", "neighbour", "wife", "husband", "partner", "boss")
_CHILDREN = ("daughter", "son", "little girl", "little boy", "teenager", "niece", "nephew")
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_TIMES = ("twice", "three times", "four times", "five times", "half a dozen times")
_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
_PLACEHOLDER = re.compile(r"\{(\w+)(?::([^{}]*))?\}")


class ValuePool:
    """Names and companies drawn once from Faker; the same seed gives the same pool."""

    def __init__(self, seed: int) -> None:
        faker = Faker("en_US")
        faker.seed_instance(seed)
        self.first = [faker.first_name() for _ in range(_POOL)]
        self.last = [faker.last_name() for _ in range(_POOL)]
        self.company = [faker.company() for _ in range(_POOL)]
        self.domain = [faker.free_email_domain() for _ in range(20)]

    def fill(self, text: str, rng: random.Random) -> str:
        """The text with each ``{kind}`` or ``{kind:original}`` filled."""
        return _PLACEHOLDER.sub(lambda found: self._value(found.group(1), found.group(2) or "", rng), text)

    def _value(self, kind: str, original: str, rng: random.Random) -> str:
        if kind == "id":
            return same_shape(original, rng)
        if kind == "product":
            chosen = rng.choice(PRODUCTS)
            return chosen if not original[:1].isupper() else chosen.title()
        if kind == "money" or kind == "amount":
            return _money(original or "$0", rng)
        if kind == "date":
            return _date(original, rng)
        if kind == "number":
            return str(rng.randint(2, max(9, 2 * int(original))))
        if kind == "email":
            return f"{rng.choice(self.first)}.{rng.choice(self.last)}@{rng.choice(self.domain)}".lower()
        if kind == "name":
            first = rng.choice(self.first)
            return first if original and " " not in original else f"{first} {rng.choice(self.last)}"
        simple: Mapping[str, Any] = {
            "first": self.first, "city": _CITIES, "company": self.company, "relation": _RELATIONS,
            "child": _CHILDREN, "weekday": _WEEKDAYS, "times": _TIMES,
        }  # fmt: skip
        if kind in simple:
            return str(rng.choice(simple[kind]))
        low, high = _RANGES.get(kind, (0, 0))
        if not high:
            return "{" + kind + (f":{original}" if original else "") + "}"
        number = rng.randint(low, high)
        return f"{number % 12 + 1} {'am' if number < 12 else 'pm'}" if kind == "clock" else str(number)


_RANGES = {
    "days": (3, 40), "years": (2, 25), "year": (2008, 2024), "few": (2, 9), "minutes": (4, 55), "age": (2, 17),
    "old": (66, 93), "weeks": (6, 38), "clock": (6, 18), "many": (200, 9000),
}  # fmt: skip


def same_shape(original: str, rng: random.Random) -> str:
    """Digits for digits and capital letters in mixed ids for letters: ``AB-1234`` becomes ``QK-7093``."""
    letters = sum(c.isalpha() for c in original)
    prefix = letters >= 3  # ORD-, INV-: a word that says what the id is
    out = []
    for place, c in enumerate(original):
        if c.isdigit():
            leads = place == 0 or not original[place - 1].isdigit()
            out.append(str(rng.randint(1 if leads else 0, 9)))
        elif c.isalpha() and c.isupper() and not prefix:
            out.append(rng.choice("ABCDEFGHJKLMNPQRSTUVWXYZ"))
        else:
            out.append(c)
    return "".join(out)


def _money(original: str, rng: random.Random) -> str:
    amount = f"{rng.choice((rng.randint(5, 99), rng.randint(100, 900)))}"
    if rng.random() < 0.5:
        amount += f".{rng.choice(('00', '50', '90', '95', '99'))}"
    return re.sub(r"\d[\d.,]*", amount, original, count=1)


def _date(original: str, rng: random.Random) -> str:
    day, month = rng.randint(1, 28), rng.randint(1, 12)
    if re.fullmatch(r"\d{4}-\d\d?-\d\d?", original):
        return f"{original[:4]}-{month:02d}-{day:02d}"
    if "/" in original or "." in original:
        mark = "/" if "/" in original else "."
        year = re.search(r"\d{4}", original)
        return f"{day:02d}{mark}{month:02d}" + (f"{mark}{year.group()}" if year else "")
    return f"{_MONTHS[month - 1]} {day}"
