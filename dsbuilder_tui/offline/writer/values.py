"""Values for the slots of a template: realistic, in the shape of the original, drawn from a seeded generator."""

from __future__ import annotations

import functools
import math
import random
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_POOL = 300

# One of a kind, and things named in the plural: a sentence about the one does not fit the other.
SINGULAR = (
    "espresso machine",
    "standing desk",
    "rain jacket",
    "mountain bike",
    "robot vacuum",
    "fitness watch",
    "gaming laptop",
    "travel backpack",
    "air fryer",
    "desk lamp",
    "yoga mat",
    "electric toothbrush",
    "winter coat",
    "camping tent",
    "mechanical keyboard",
    "office chair",
    "coffee grinder",
    "baby stroller",
    "smart thermostat",
    "e-book reader",
    "water bottle",
    "sewing machine",
    "garden hose",
    "board game",
    "leather wallet",
    "photo printer",
    "portable speaker",
    "kitchen scale",
    "cast-iron pan",
    "memory foam pillow",
    "rice cooker",
    "phone case",
    "wool sweater",
    "inflatable mattress",
    "graphics tablet",
    "bluetooth turntable",
)
PLURAL = (
    "wireless headphones",
    "running shoes",
    "noise-cancelling earbuds",
    "hiking boots",
    "reading glasses",
    "garden chairs",
    "kitchen knives",
    "cycling gloves",
    "wool socks",
    "storage boxes",
    "walking poles",
    "dining plates",
    "linen curtains",
    "solar lights",
    "swimming goggles",
    "bicycle lights",
)
_HEADS = """
    headphones headphone earbuds shoes boots glasses gloves socks sneakers jeans machine desk jacket bike vacuum watch
    laptop backpack fryer lamp mat toothbrush coat tent keyboard chair grinder stroller thermostat reader bottle wallet
    printer speaker scale pan pillow cooker sweater mattress tablet turntable phone camera shirt dress sofa fridge
    television tv monitor charger blender kettle toaster oven scooter hoodie ring necklace
"""
# The last word of a product's name, by which one is found in an example.
PRODUCT_HEADS = frozenset(_HEADS.split())

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
_RELATIONS = (
    "mother",
    "father",
    "sister",
    "brother",
    "grandmother",
    "neighbour",
    "wife",
    "husband",
    "partner",
    "cousin",
)
_CHILDREN = ("daughter", "son", "little girl", "little boy", "teenager", "niece", "nephew")
_OWN_CHILDREN = ("daughter", "son", "little girl", "little boy")
_EVENINGS = ("5 pm", "6 pm", "7 pm", "8 pm")
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_TIMES = ("twice", "three times", "four times", "five times", "half a dozen times")
_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
_DISTINCT = ("city", "name", "first", "product")
# Braces that stand in an example are not placeholders; they travel as two characters that no text uses.
BRACES = str.maketrans({"{": "\ue000", "}": "\ue001"})
_BRACES_BACK = str.maketrans({"\ue000": "{", "\ue001": "}"})
_PLACEHOLDER = re.compile(r"\{(\w+)(?::([^{}]*))?\}")
_NUMBER = re.compile(r"\d[\d.,]*")


@dataclass(frozen=True, slots=True)
class Entity:
    """A value in a request: its kind (``id``, ``date``, ``money`` …), what it is the number of, and how it is written."""

    kind: str
    noun: str
    value: str


class ValuePool:
    """Names and companies drawn once from Faker; the same seed gives the same pool, and nothing changes one."""

    def __init__(self, seed: int) -> None:
        from faker import Faker  # a tenth of a second and 5 MB, which a run that draws nothing does without

        faker = Faker("en_US")
        faker.seed_instance(seed)
        self.first = [faker.first_name() for _ in range(_POOL)]
        self.last = [faker.last_name() for _ in range(_POOL)]
        self.company = [faker.company() for _ in range(_POOL)]
        self.domain = [faker.free_email_domain() for _ in range(20)]

    def fill(self, text: str, rng: random.Random) -> str:
        """The text with each ``{kind}`` or ``{kind:original}`` filled."""
        return shown_braces(self.filled(text, self.drawn(text, rng), rng))

    def drawn(self, text: str, rng: random.Random) -> dict[str, str]:
        """A value for each placeholder of a text, by the placeholder as it stands there."""
        values: dict[str, str] = {}
        for found in _PLACEHOLDER.finditer(text):
            for _ in range(5):  # a flight goes from one city to another one
                chosen = self.value(found.group(1), found.group(2) or "", rng)
                if found.group(1) not in _DISTINCT or chosen not in values.values():
                    break
            values.setdefault(found.group(), chosen)
        for begins, ends in _STAY.findall(text):
            values[begins], values[ends] = _stay(values[begins], rng)
        return values

    def filled(self, text: str, values: Mapping[str, str], rng: random.Random) -> str:
        """The text with values for its placeholders, and new ones for those that have none. Its own braces stay hidden."""

        def value(found: re.Match[str]) -> str:
            return values.get(found.group()) or self.value(found.group(1), found.group(2) or "", rng)

        return _PLACEHOLDER.sub(value, text)

    def value(self, kind: str, original: str, rng: random.Random) -> str:
        """A value of a kind in the shape of an original one, which may be empty; ``{kind}`` for a kind that is not known."""
        if kind == "id":
            return same_shape(original, rng)
        if kind == "product":
            plural = original.lower().endswith("s") and not original.lower().endswith("ss")
            chosen = rng.choice(PLURAL if plural else SINGULAR)
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
            "child": _CHILDREN, "own_child": _OWN_CHILDREN, "evening": _EVENINGS, "weekday": _WEEKDAYS, "times": _TIMES,
        }  # fmt: skip
        if kind in simple:
            return str(rng.choice(simple[kind]))
        low, high = _RANGES.get(kind, (0, 0))
        if not high:
            return "{" + kind + (f":{original}" if original else "") + "}"
        number = rng.randint(low, high)
        return f"{(number - 1) % 12 + 1} {'am' if number < 12 else 'pm'}" if kind == "clock" else str(number)


@functools.lru_cache(maxsize=8)
def value_pool(seed: int) -> ValuePool:
    """The pool of a seed: drawing one takes a tenth of a second, and many categories and writers share it."""
    return ValuePool(seed)


_STAY = re.compile(r"\bfrom (\{date:[^{}]+\}) (?:to|until|till|through) (\{date:[^{}]+\})", re.IGNORECASE)
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
    whole = re.sub(r"[.,]\d{1,2}(?!\d)", "", original)
    size = int(re.sub(r"\D", "", whole) or 0)
    if size >= 1000:  # a loan stays one
        amount = f"{rng.randint(size // 300, size // 30) * 100:,}"
    elif size:
        amount = str(rng.randint(max(2, size // 3), max(9, min(999, size * 3))))
    else:
        amount = f"{rng.choice((rng.randint(5, 99), rng.randint(100, 900)))}"
    if size < 1000 and rng.random() < 0.5:
        amount += f".{rng.choice(('00', '50', '90', '95', '99'))}"
    return re.sub(r"\d[\d.,]*", amount, original, count=1)


def amount_between(original: str, low: float, high: float, rng: random.Random) -> str:
    """An amount from ``low`` to ``high``, written as the original is: with its currency, and cents where it has some."""
    number = _NUMBER.search(original)
    written = number.group() if number else ""
    cents = re.search(r"([.,])\d\d$", written)
    mark = cents.group(1) if cents else "."
    whole = rng.randint(math.ceil(low), max(math.ceil(low), math.floor(high)))
    amount = f"{whole:,}" if "," in written[:-3] or "." in written[:-3] or whole >= 10_000 else str(whole)
    if mark == ",":
        amount = amount.replace(",", ".")
    if cents:
        amount += mark + (rng.choice(("00", "49", "50", "90", "95", "99")) if whole < high else "00")
    return _NUMBER.sub(lambda _: amount, original, count=1) if number else f"{original}{amount}"


def _date(original: str, rng: random.Random) -> str:
    day, month = rng.randint(1, 28), rng.randint(1, 12)
    year = re.search(r"(?:19|20)\d\d", original)
    if re.fullmatch(r"\d{4}-\d\d?-\d\d?", original):
        return f"{original[:4]}-{month:02d}-{day:02d}"
    if "/" in original or (original.count(".") == 2 and original[0].isdigit()):
        mark = "/" if "/" in original else "."
        return f"{day:02d}{mark}{month:02d}" + (f"{mark}{year.group()}" if year else "")
    return f"{_MONTHS[month - 1]} {day}" + (f", {year.group()}" if year else "")


def _stay(begins: str, rng: random.Random) -> tuple[str, str]:
    """A date and one a few days later in the same month, as the date is written."""
    numbers = list(re.finditer(r"\d+", begins))
    day = numbers[-1] if re.match(r"\d{4}-", begins) else numbers[0]
    first = rng.randint(1, 20)

    def on(number: int) -> str:
        return f"{begins[: day.start()]}{number:0{2 if day.group().startswith('0') else 1}d}{begins[day.end() :]}"

    return on(first), on(first + rng.randint(1, 7))


def shown_braces(text: str) -> str:
    """The text with its own braces back."""
    return text.translate(_BRACES_BACK)
