"""From a request to a plan: counts that add up, categories with examples, and what was assumed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

from dsbuilder_tui.domain.case_kind import CaseKind
from dsbuilder_tui.domain.plain_words import counted
from dsbuilder_tui.offline.planner.counts import MOST_CASES, spread
from dsbuilder_tui.offline.planner.kind_requests import kind_words, make_kind
from dsbuilder_tui.offline.planner.modifiers import draft, held_to
from dsbuilder_tui.offline.planner.naming import singular, slug, unused
from dsbuilder_tui.offline.planner.request import Item, Request
from dsbuilder_tui.offline.planner.topics import Topics

DEFAULT_TOTAL = 60
_MOST_CATEGORIES = 100
_MOST_OF_TOOLS = 8
_MOST_LEFT_OUT = 20


@dataclass(slots=True)
class ProposedPlan:
    """``plan`` is what propose_plan takes, or None; ``words`` are the assumptions, or the question."""

    plan: dict[str, Any] | None = None
    words: list[str] = field(default_factory=list)


def propose(request: Request, topics: Topics, tools: Sequence[str] = ()) -> ProposedPlan | None:
    """A plan for a request, a question about it, or None when it is no request.

    ``tools`` are those of the application: what they do are the categories where none were named.
    """
    if request.bad_number:
        return ProposedPlan(
            None, [f"A count has to be at least 1, and {request.bad_number} is not. How many cases should it be?"]
        )
    items = [item for item in request.items if not item.part_of_last]
    parts = [item for item in request.items if item.part_of_last]
    counted_items = [item for item in items if item.count is not None or item.share is not None]
    if not request.totals and not counted_items and not request.subject:
        return None
    vague = not request.totals and not request.subject and not request.of_cases
    if vague and len(items) == 1 and not topics.knows(items[0].phrase):
        return None  # "5 dollars" is no dataset
    notes: list[str] = []
    if not items:
        if tools and (request.totals or request.of_cases):
            items = [
                Item(words) for words in dict.fromkeys(_tool_words(name) for name in tools[:_MOST_OF_TOOLS]) if words
            ]
            notes.append(f"You named no categories, so I took what its tools do: {_listed([i.phrase for i in items])}.")
        elif request.topic is None:
            return _ask_for_categories(request)
    if not items and request.topic is not None:
        usual = request.topic.categories[: request.categories or None]
        items = [Item(name.replace("_", " ")) for name in usual]
        of = f"of {request.subject or request.topic.name.replace('_', ' ')}"
        few = f"I know only {counted(len(usual), 'usual category')} {of}; add others by name."
        notes.append(few if len(usual) < (request.categories or 0) else f"I took the usual categories {of}.")
    if len(items) > _MOST_CATEGORIES:
        return ProposedPlan(None, [f"That is {len(items)} categories; name at most {_MOST_CATEGORIES}."])
    items, merged = _merged(items)
    notes += merged
    total = request.totals[-1] if request.totals else None
    if len(set(request.totals)) > 1:
        notes.append(f"You named {' and '.join(str(t) for t in request.totals)} cases; I took {total}, the last one.")
    settled = _settled(items, total, request, notes)
    if isinstance(settled, str):
        return ProposedPlan(None, [settled])
    items, counts = settled
    return _plan(request, items, counts, parts, topics, notes)


def _tool_words(name: str) -> str:
    """``bookSlot`` → book slot"""
    words = re.sub(r"([a-z0-9])([A-Z])", r"\1 \2", name)
    return " ".join(re.findall(r"[^\W_]+", words)).lower()


def _ask_for_categories(request: Request) -> ProposedPlan:
    many = f"{request.totals[-1]} cases" if request.totals else "a dataset"
    if request.totals and request.totals[-1] > MOST_CASES:
        return ProposedPlan(None, [_too_many(request.totals[-1])])
    what = f" for the {request.subject}" if request.subject else ""
    return ProposedPlan(
        None,
        [f"Which kinds of messages should {many}{what} cover? For example: “half order status, the rest refunds”."],
    )


def _too_many(number: int) -> str:
    return f"{number:,} cases are more than I plan at once; the most is {MOST_CASES:,}. How many should it be?"


def _merged(items: list[Item]) -> tuple[list[Item], list[str]]:
    """Items of one name as one: said twice, meant once, with the counts added."""
    found: dict[str, Item] = {}
    notes = []
    for item in items:
        ending = item.modifier.ending if item.modifier else ""
        key = " ".join(singular(word) for word in slug(f"{item.phrase} {ending}").split("_"))
        if not item.phrase or key not in found:
            found[key or f"#{len(found)}"] = item
            continue
        before = found[key]
        if before.count is not None and item.count is not None:
            found[key] = replace(before, count=before.count + item.count)
        elif before.share is not None and item.share is not None:
            found[key] = replace(before, share=before.share + item.share)
        elif before.count is None and before.share is None:
            found[key] = item
        notes.append(f"{item.phrase} was named more than once; I added it up.")
    return list(found.values()), notes


def _settled(
    items: list[Item], total: int | None, request: Request, notes: list[str]
) -> tuple[list[Item], list[int]] | str:
    """The items that get a category, with their counts; or the question to ask."""
    items = _each(items)
    named = [item for item in items if item.phrase]
    if not named:
        if request.topic is None:
            return "Which kinds of messages should it cover? For example: “half order status, the rest refunds”."
        known = [Item(name.replace("_", " ")) for name in request.topic.categories]
        each = next((item.count for item in items if item.each), None)
        named = [replace(item, count=each) for item in known]
    items = named
    fixed = sum(item.count or 0 for item in items)
    open_items = [item for item in items if item.count is None and item.share is None]
    shares = sum((item.share for item in items if item.share is not None), Fraction(0))
    if fixed > MOST_CASES or (total or 0) > MOST_CASES:
        return _too_many(max(fixed, total or 0))
    if total is None and shares >= 1 and items[0].count is not None and fixed == items[0].count:
        notes.append(f"I took {fixed} as the total.")
        items, total, fixed = items[1:], fixed, 0
    if total is None and fixed and not shares and open_items:
        return _covering(items, notes)
    if total is None and (shares or open_items):
        if shares and request.topic is None and not request.subject and not fixed:
            return "How many cases should it hold in all? For example: “60 cases”."
        total = DEFAULT_TOTAL if fixed == 0 else max(DEFAULT_TOTAL, 2 * fixed)
        notes.append(f"You named no total, so I took {counted(total, 'case')}.")
    if total is None:
        return items, [item.count or 0 for item in items]
    return _within(items, open_items, total, fixed, shares, request, notes)


def _each(items: list[Item]) -> list[Item]:
    """``20 each: a, b`` and ``a, b, 20 each``: the amount goes to every item that has none."""
    amounts = [item for item in items if item.each and (item.count is not None or item.share is not None)]
    if not amounts:
        return items
    amount = amounts[-1]
    bare_amounts = [item for item in amounts if not item.phrase]
    rest = [item for item in items if item not in bare_amounts]
    if not rest:
        return items
    return [
        replace(item, count=amount.count, share=amount.share) if item.count is None and item.share is None else item
        for item in rest
    ]


def _covering(items: list[Item], notes: list[str]) -> tuple[list[Item], list[int]] | str:
    """Counts without a total cover what follows them, up to the next count: ``20 refunds and returns``."""
    groups: list[list[Item]] = []
    for item in items:
        if item.count is not None or not groups:
            groups.append([item])
        else:
            groups[-1].append(item)
    counts: list[int] = []
    for group in groups:
        if group[0].count is None:
            return "How many cases should it hold in all? For example: “60 cases”."
        if group[0].count < len(group):
            return _too_few(group[0].count, len(group))
        counts += spread(group[0].count, [1] * len(group))
        if len(group) > 1:
            notes.append(f"I spread {group[0].count} evenly over {_listed([item.phrase for item in group])}.")
    return items, counts


def _within(
    items: list[Item],
    open_items: list[Item],
    total: int,
    fixed: int,
    shares: Fraction,
    request: Request,
    notes: list[str],
) -> tuple[list[Item], list[int]] | str:
    """Counts, shares and the rest within a total."""
    only_counts = not open_items and not shares
    if only_counts and fixed != total:
        notes.append(f"The counts add up to {fixed}, not {total}; I kept the counts.")
    if only_counts:
        return items, [item.count or 0 for item in items]
    if fixed > total or (fixed == total and (open_items or shares)):
        return f"The counts alone are {fixed}, so {total} cases leave nothing for the others. What should the total be?"
    if shares and not open_items and shares * total + fixed < total:
        spare = [] if request.topic is None else request.topic.categories
        taken = {slug(item.phrase) for item in items}
        more = [Item(name.replace("_", " ")) for name in spare if name not in taken][:3]
        if more:
            notes.append(f"The rest goes to {_listed([item.phrase for item in more])}.")
            items, open_items = [*items, *more], more
        elif shares * total + fixed < total * Fraction(19, 20):
            return f"That is {int(shares * total) + fixed} of {counted(total, 'case')}. What should the rest be about?"
    if shares * total + fixed > total:
        notes.append(f"The parts come to more than the whole, so I scaled them to {total}.")
    elif shares and not open_items and shares * total + fixed < total:
        notes.append(f"The parts come to less than the whole, so I scaled them to {total}.")
    left = total - fixed
    free = [item for item in items if item.count is None]
    if left < len(free):
        return _too_few(left, len(free))
    wanted = min(shares * total, Fraction(left))
    each = (left - wanted) / len(open_items) if open_items else Fraction(0)
    weights = [item.share * total if item.share is not None else each for item in free]
    given = iter(spread(left, weights))
    return items, [item.count if item.count is not None else next(given) for item in items]


def _too_few(total: int, categories: int) -> str:
    return (
        f"{counted(total, 'case')} cannot be spread over {counted(categories, 'category')}: each needs at least 1. "
        "Name a larger total or fewer categories."
    )


def _plan(
    request: Request, items: list[Item], counts: list[int], parts: list[Item], topics: Topics, notes: list[str]
) -> ProposedPlan:
    drafts: list[dict[str, Any]] = []
    items, counts = _by_language(request, items, counts)
    for item, count in zip(items, counts, strict=True):
        examples = request.examples if len(items) == 1 and not parts else ()
        if item.modifier and item.phrase == item.modifier.ending.replace("_", " "):
            examples = examples or _usual_examples(request, topics)
        one = draft(topics, item.phrase, count, item.modifier, examples, item.language, name_language=item.one_language)
        if one.question:
            return ProposedPlan(None, [one.question])
        for manner in (*request.manners, *item.also):
            one.category["attributes"] = held_to(one.category["attributes"], manner)
            if manner.kind is not CaseKind.SINGLE and item.modifier is None:
                make_kind(one.category, manner.kind, manner.values, {})
        one.category["name"] = unused(one.category["name"], [d["name"] for d in drafts])
        drafts.append(one.category)
    alone = f"{drafts[0]['name']}_dataset" if len(items) == 1 else "evaluation_dataset"
    name = request.name or slug(request.subject) or alone
    taken = [Fraction(0)] * len(items)
    for part in _of_each(parts, request, items, counts):
        failed = _take_part(part, request, drafts, [i.phrase for i in items], counts, taken, topics)
        if failed:
            return ProposedPlan(None, [failed])
    drafts = [category for category in drafts if category["count"]]
    if request.left_out:
        notes.append(
            "I left out what I could not read: " + _listed([f"“{text}”" for text in request.left_out[:3]]) + "."
        )
    notes += kind_words(drafts)
    subject = request.subject
    about = f"Test cases for the {subject}" if subject else f"Test cases about {_listed([i.phrase for i in items][:8])}"
    plan = {
        "dataset_name": name,
        "description": about,
        "categories": drafts,
        "attributes": {a: list(v) for a, v in topics.axes.items()},
    }
    if request.left_out:
        plan["not_understood"] = list(request.left_out[:_MOST_LEFT_OUT])
    return ProposedPlan(plan, notes)


def _by_language(request: Request, items: list[Item], counts: list[int]) -> tuple[list[Item], list[int]]:
    """The items with their languages; one that is asked for in several as one of each, with its share of the cases."""
    found: list[tuple[Item, int]] = []
    for item, count in zip(items, counts, strict=True):
        spoken = item.modifier if item.modifier and item.modifier.language else None
        manner = None if spoken else item.modifier
        language = spoken or item.language or request.language
        if language is None or not language.names_languages:
            found.append((item if spoken else replace(item, language=language), count))
            continue
        found += [
            (replace(item, modifier=manner or each, language=each, one_language=manner is not None), part)
            for each, part in language.in_each_language(count)
        ]
    return [item for item, _ in found], [count for _, count in found]


def _usual_examples(request: Request, topics: Topics) -> tuple[str, ...]:
    """What people ask the application, of each of its usual categories one: for cases that are about anything of it."""
    if request.topic is None:
        return ()
    usual = (topics.category(name.replace("_", " "), 1)["example_inputs"] for name in request.topic.categories)
    return tuple(examples[0] for examples in usual if examples)[:3]


def _of_each(parts: list[Item], request: Request, items: list[Item], counts: list[int]) -> list[Item]:
    """The parts, with “half of them multi-turn” as one of each category where none was given a size of its own."""
    sized = any(item.count is not None or item.share is not None for item in request.items if not item.part_of_last)
    unnamed = request.items == tuple(parts)
    found: list[Item] = []
    for part in parts:
        if sized or part.phrase or (part.count is not None and not unnamed):
            found.append(part)
            continue
        number = part.count if part.count is not None else round((part.share or Fraction(0)) * sum(counts))
        of_each = spread(number, counts) if number >= len(counts) else [number]
        found += [
            replace(part, phrase=item.phrase, count=count)
            for item, count in zip(items[-len(of_each) :], of_each, strict=True)
        ]
    return found


def _take_part(
    part: Item,
    request: Request,
    drafts: list[dict[str, Any]],
    phrases: list[str],
    counts: list[int],
    taken: list[Fraction],
    topics: Topics,
) -> str | None:
    """Moves some cases of a category into one of their own. Returns what is in the way.

    Of the category at a place there were so many ``counts``, of which shares are ``taken`` already.
    """
    if part.modifier is None:
        return (
            f"What should be special about those {part.count or 'cases'}? For example: “in Spanish” or “adversarial”."
        )
    at = len(phrases) - 1
    if part.phrase:
        key = [singular(word) for word in slug(part.phrase).split("_")]
        fits = [i for i, phrase in enumerate(phrases) if [singular(w) for w in slug(phrase).split("_")] == key]
        if not fits:
            return f"There is no category called {part.phrase} to take them from."
        at = fits[0]
    left = drafts[at]["count"]
    count = part.count if part.count is not None else round((part.share or Fraction(0)) * counts[at])
    taken[at] += part.share or 0
    if taken[at] == 1 and abs(left - count) < len(phrases) + 1:  # “half in German, half in Spanish”: nothing stays
        count = left
    elif not 0 < count < left:
        return f"{phrases[at]} has {counted(left, 'case')}, so {count} of them cannot be set apart; at least 1 has to stay."
    one = draft(topics, phrases[at], count, part.modifier, request.examples, part.language or request.language)
    if one.question:
        return one.question
    one.category["name"] = unused(one.category["name"], [d["name"] for d in drafts])
    drafts[at]["count"] = left - count
    drafts.append(one.category)
    return None


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}" if names else "nothing"
