"""Changes to a plan, as people say them: counts, categories, names, what makes some cases different."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Any

from dsbuilder_tui.agent.planner.counts import MOST_CASES, share, spread, whole
from dsbuilder_tui.agent.planner.hearing import MASK, Heard
from dsbuilder_tui.agent.planner.modifiers import Modifier, draft, held_to, language_question, modifier_in
from dsbuilder_tui.agent.planner.names import bare_phrase, forms, slug, unused, words_of
from dsbuilder_tui.agent.planner.topics import Topics
from dsbuilder_tui.agent.planner.wishes import Changes, without_courtesy
from dsbuilder_tui.domain.words import counted

_FIRST = 0xF000
_LAST = 0xF7FF
C = f"([{chr(_FIRST)}-{chr(_LAST)}])"  # one category's mention
_PHRASE = rf"((?:[^,;\n]|(?<=\d),(?=\d))+?|{MASK})"
_MANY = rf"(?:the )?{C}((?: ?(?:,|and|&)+ ?(?:the )?[{chr(_FIRST)}-{chr(_LAST)}])*)"
_HOW_MUCH = r"(-?\d+(?:/\d+|(?:\.\d+)?%)?)"
_MORE = r"(?:more|additional|extra|further|another)"
_ADD_DEFAULT = 10
_TOOL = re.compile(
    rf"{C} (?:should|must|has to|have to|needs? to)? ?(?:always )?(?:call|use)s? (?:the )?(?:tool )?({MASK}|"
    rf"[\w.-]*_[\w.-]+|[\w.-]+(?= tool))"
)

_FACTORS = {
    "double": Fraction(2), "twice as many": Fraction(2), "triple": Fraction(3), "3 times as many": Fraction(3),
    "quadruple": Fraction(4), "halve": Fraction(1, 2), "1/2 as many": Fraction(1, 2),
}  # fmt: skip
_PRONOUN = re.compile(r"(?:i|you|we|me|us|it|that|this|them|to|if|when|what|how)\b", re.IGNORECASE)


class Changer:
    """Reads the clauses of one message against one plan."""

    def __init__(self, changes: Changes, heard: Heard, topics: Topics, examples: tuple[str, ...]) -> None:
        self._c = changes
        self._heard = heard
        self._topics = topics
        self._examples = examples

    def read(self, clause: str) -> bool:
        """Whether the clause is a change; carries it out, or notes what is in the way."""
        text = self._marked(without_courtesy(clause))
        return self._read(text) or self._read_both(text)

    def _read(self, text: str) -> bool:
        steps = (self._rename, self._remove, self._more, self._factor, self._part, self._set, self._whole, self._tool,
                 self._modify, self._add)  # fmt: skip
        return any(step(text) for step in steps)

    def _read_both(self, text: str) -> bool:
        """“make refunds 10 and order status 30”: two changes that share a verb."""
        parts = re.split(r" (?:and|&) ", text)
        if len(parts) < 2 or not all(re.search(C, part) and re.search(r"\d", part) for part in parts):
            return False
        read = [self._read(part) for part in parts]
        return all(read)

    def _marked(self, clause: str) -> str:
        """The clause with one private character for each mention of a category, and for "them" and "it"."""
        order = sorted(range(len(self._c.names)), key=lambda i: -len(self._c.names[i]))
        for at in order[: _LAST - _FIRST]:
            clause = re.sub(forms(self._c.names[at]), chr(_FIRST + at), clause, flags=re.IGNORECASE)
        clause = re.sub(MASK, lambda f: self._mention(f.group()), clause)
        mentions = [ord(c) - _FIRST for c in clause if _FIRST <= ord(c) <= _LAST]
        if not mentions and self._c.last is not None and self._c.last < len(self._c.names):
            clause = re.sub(r"\b(?:them|those|these)\b", chr(_FIRST + self._c.last), clause, flags=re.IGNORECASE)
        elif not mentions and len(self._c.names) == 1:
            clause = re.sub(r"\b(?:them|those|these)\b", chr(_FIRST), clause, flags=re.IGNORECASE)
        if mentions:
            self._c.last = mentions[-1]
        return " ".join(clause.split())

    def _mention(self, mask: str) -> str:
        """A quotation that is a category's name is a mention of it."""
        name = slug(self._heard.piece(mask)) if self._heard.quoted(mask) else ""
        names = [slug(n) for n in self._c.names]
        return chr(_FIRST + names.index(name)) if name and name in names else mask

    def _of(self, mention: str) -> dict[str, Any]:
        return self._c.categories[ord(mention) - _FIRST]

    def _words(self, text: str) -> str:
        text = re.sub(C, lambda f: self._of(f.group())["name"].replace("_", " "), text)
        return bare_phrase(self._heard.full(text))

    def _say(self, problem: str) -> bool:
        self._c.problem = self._c.problem or problem
        return True

    def _change(self) -> bool:
        self._c.done = True
        return True

    def _count(self, category: dict[str, Any], number: int) -> bool:
        if number < 1:
            return self._say(
                f"{category['name']} needs at least 1 case; to be without it, say “remove "
                f"{category['name'].replace('_', ' ')}”."
            )
        if number > MOST_CASES:
            return self._say(f"{number:,} cases are more than I plan at once; the most is {MOST_CASES:,}.")
        category["count"] = number
        return self._change()

    def _rename(self, text: str) -> bool:
        found = re.fullmatch(
            rf"(?:rename|call|change the name of) (?:the )?{C}(?: (?:to|as|into))? {_PHRASE}", text, re.I
        ) or re.fullmatch(rf"(?:the )?{C} (?:should|must) be (?:called|named) {_PHRASE}", text, re.I)
        if not found:
            lost = re.match(r"rename (.+?) (?:to|as|into) ", text, re.I)
            return bool(lost) and self._say(self._unknown(lost[1] if lost else ""))
        new = slug(self._words(found[2]))
        if not new:
            return self._say("What should it be called? A name needs letters or digits.")
        if new.casefold() in (name.casefold() for name in self._c.names):
            return self._say(f"There is already a category called {new}.")
        category = self._of(found[1])
        self._c.rename[category["name"]] = new
        category["name"] = new
        return self._change()

    def _unknown(self, words: str) -> str:
        return (
            f"There is no category called {words_of(self._words(words)) or 'that'}; there are "
            f"{', '.join(self._c.names[:20])}."
        )

    def _remove(self, text: str) -> bool:
        verb = r"(?:remove|drop|delete|get rid of|leave out|take out|skip|no more|throw out)"
        if found := re.fullmatch(
            rf"{verb} {_MANY}(?: (?:category|categories|cases|entirely|completely|from the plan))*", text, re.I
        ):
            gone = {self._of(mention)["name"] for mention in re.findall(C, found[1] + found[2])}
            if len(gone) == len(self._c.names):
                return self._say("That would leave no category; keep at least one, or describe a new dataset.")
            self._c.plan["categories"] = [c for c in self._c.categories if c["name"] not in gone]
            self._c.last = None
            return self._change()
        found = re.fullmatch(
            rf"(?:{verb}|take|reduce|lower|cut|decrease) {_HOW_MUCH} (?:of |off |from )?(?:the )?{C}", text, re.I
        )
        if found:
            return self._by(self._of(found[2]), found[1], -1)
        if re.match(rf"{verb} (?!\d)\S", text, re.I) and not re.search(
            r"\b(?:all|everything|database|table|file|folder|disk)\b", text, re.I
        ):
            return self._say(self._unknown(re.sub(rf"^{verb} ", "", text, flags=re.I)))
        return False

    def _by(self, category: dict[str, Any], amount: str, sign: int) -> bool:
        part = share(amount)
        if part is None and not amount.isdigit():
            return self._say(f"{amount} is not a number of cases; name one of at least 1.")
        number = round(category["count"] * part) if part is not None else whole(amount)
        if number < 1:
            return self._say("That changes nothing; name a number of at least 1.")
        return self._count(category, category["count"] + sign * number)

    def _more(self, text: str) -> bool:
        up = r"(?:increase|raise|grow|extend|bump)"
        if re.fullmatch(rf"(?:add |give me |i want )?{_HOW_MUCH} {_MORE}(?: cases)?", text, re.I):
            return self._say(f"More of which: {', '.join(self._c.names[:20])}?")
        for pattern in (
            rf"(?:add|make|give me|write|i need|i want|we need|plus)? ?(?:{_MORE} )?{_HOW_MUCH} {_MORE} (?:of "
            rf")?(?:the )?{C}",
            rf"(?:add|plus|{_MORE})(?: {_MORE})? {_HOW_MUCH} (?:of |to )?(?:the )?{C}",
        ):
            if found := re.fullmatch(pattern, text, re.I):
                return self._by(self._of(found[2]), found[1], 1)
        if found := re.fullmatch(rf"add {_HOW_MUCH}(?: {_MORE})?(?: cases)? (?:to|for) (?:the )?{C}", text, re.I):
            return self._by(self._of(found[2]), found[1], 1)
        if found := re.fullmatch(rf"{up} (?:the )?{C} by {_HOW_MUCH}", text, re.I):
            return self._by(self._of(found[1]), found[2], 1)
        if found := re.fullmatch(rf"(?:reduce|lower|cut|decrease|shrink) (?:the )?{C} by {_HOW_MUCH}", text, re.I):
            return self._by(self._of(found[1]), found[2], -1)
        if found := re.fullmatch(rf"(?:make )?{_HOW_MUCH} (?:fewer|less) (?:of )?(?:the )?{C}", text, re.I):
            return self._by(self._of(found[2]), found[1], -1)
        return False

    def _factor(self, text: str) -> bool:
        found = re.fullmatch(
            rf"(?:make |i want )?({'|'.join(_FACTORS)}) (?:the (?:number|count) of )?(?:{_MANY}|everything|all|"
            rf"it all|all of it|the dataset|the whole thing)",
            text,
            re.I,
        )
        if not found:
            return False
        factor = _FACTORS[found[1].lower()]
        chosen = [self._of(m) for m in re.findall(C, f"{found[2] or ''}{found[3] or ''}")] or self._c.categories
        for one in chosen:
            self._count(one, max(1, int(one["count"] * factor)))
        return True

    def _part(self, text: str) -> bool:
        """Some cases of a category become one of their own."""
        found = re.fullmatch(
            rf"(?:make|turn|write|have|i want|let|set|put)? ?{_HOW_MUCH} (?:cases )?(?:out )?of (?:the )?{C},? "
            rf"(?:should be |to be |be |are |into )?(.+)",
            text,
            re.I,
        )
        if not found:
            which = re.fullmatch(
                rf"(?:make|turn|write|put)? ?{_HOW_MUCH} of (?:them|those|these|the cases)\b.+", text, re.I
            )
            return bool(which) and self._say(f"Which category should those come from: {', '.join(self._c.names[:20])}?")
        _, modifier = modifier_in(self._heard.full(found[3]))
        if modifier is None:
            return self._say(
                f"What should be special about those {found[1]}? For example: “in Spanish”, “angry” or “adversarial”."
            )
        category = self._of(found[2])
        part = share(found[1])
        number = round(category["count"] * part) if part is not None else whole(found[1]) if found[1].isdigit() else 0
        if not 0 < number < category["count"]:
            return self._say(
                f"{category['name']} has {counted(category['count'], 'case')}, so {found[1]} of them cannot be "
                f"set apart; "
                "at least 1 has to stay and at least 1 has to go."
            )
        if not self._new(category["name"].replace("_", " "), number, modifier, category):
            return True
        category["count"] -= number
        return self._change()

    def _new(self, phrase: str, number: int, modifier: Modifier | None, like: dict[str, Any] | None = None) -> bool:
        """Adds a category, or to the one of that name; false when a question is in the way."""
        one = draft(self._topics, phrase, number, modifier, self._examples)
        if one.question and not (like and modifier and not modifier.language):
            return not self._say(one.question)
        if like and not self._topics.knows(phrase) and not self._examples:
            one.category["example_inputs"] = list(like["example_inputs"])
            one.category["description"] = like["description"]
        if like:
            one.category["expectations"] = dict(like.get("expectations") or {})
            if "expected_tools" in like:
                one.category["expected_tools"] = list(like["expected_tools"])
            own = dict(like.get("attributes") or {})
            one.category["attributes"] = {**own, **one.category["attributes"]}
        for category in self._c.categories:
            if category["name"].casefold() == one.category["name"].casefold():
                return self._count(category, category["count"] + number)
        one.category["name"] = unused(one.category["name"], self._c.names)
        self._c.categories.append(one.category)
        self._c.last = len(self._c.categories) - 1
        return self._change()

    def _set(self, text: str) -> bool:
        verb = r"(?:make|set|change|put|increase|raise|lower|reduce|bring|let|have|keep|cut|i want|i need|use|only|do)"
        for pattern, count_first in (
            (
                rf"(?:{verb} )?(?:the )?{C}(?: count)?,?(?: (?:to|at|be|is|=|should be|have|has|gets?|only|"
                rf"just|up to|down to|should have))*:? ?{_HOW_MUCH}(?: cases)?",
                False,
            ),
            (
                rf"(?:{verb} )?(?:it |that )?(?:only |just |exactly )?{_HOW_MUCH} (?:cases (?:of|for|about) "
                rf")?(?:for |of )?(?:the )?{C}",
                True,
            ),
        ):
            if found := re.fullmatch(pattern, text, re.I):
                mention, amount = (found[2], found[1]) if count_first else (found[1], found[2])
                if not amount.isdigit():
                    return self._share(mention, amount)
                return self._count(self._of(mention), whole(amount))
        return False

    def _share(self, mention: str, amount: str) -> bool:
        """A category's share of the whole; the others keep their proportions."""
        part = share(amount)
        if part is None or part >= 1:
            return self._say(f"{amount} is not a number of cases; name a count of at least 1, or a share such as half.")
        total, others = (
            sum(c["count"] for c in self._c.categories),
            [c for c in self._c.categories if c is not self._of(mention)],
        )
        number = max(1, round(total * part))
        if total - number < len(others) or not others:
            return self._say("That leaves too little for the other categories.")
        for other, count in zip(others, spread(total - number, [c["count"] for c in others]), strict=True):
            other["count"] = count
        return self._count(self._of(mention), number)

    def _whole(self, text: str) -> bool:
        number = rf"{_HOW_MUCH}"
        found = re.fullmatch(
            rf"(?:make|scale|set|bring|change|reduce|raise|increase|grow)(?: (?:it|this|that|the (?:total|"
            rf"dataset|plan|whole|size|number of cases)))?"
            rf"(?: all)?(?: (?:be|to|at|up to|down to))* {number}(?: (?:test )?(?:cases|examples))?(?: (?:in|"
            rf"as a) (?:total|all))?",
            text,
            re.I,
        ) or re.fullmatch(
            rf"(?:the )?(?:total|size)(?: (?:should be|to|is|of))* {number}(?: cases)?|{number} (?:test "
            rf")?cases(?: in (?:total|all))?|{number} in total",
            text,
            re.I,
        )
        if found:
            amount = next(group for group in found.groups() if group)
            total = whole(amount) if amount.isdigit() else 0
            if total < len(self._c.categories) or total > MOST_CASES:
                return self._say(
                    f"The total has to be between {len(self._c.categories)} (1 for each category) and {MOST_CASES:,}."
                )
            counts = spread(total, [c["count"] for c in self._c.categories])
        elif re.fullmatch(
            r"(?:spread|split|distribute|balance|make) (?:it|them|everything|all|the (?:cases|counts|"
            r"categories))?(?: all)? ?(?:evenly|equally|even|equal|out)",
            text,
            re.I,
        ):
            counts = spread(sum(c["count"] for c in self._c.categories), [1] * len(self._c.categories))
        else:
            return False
        for one, count in zip(self._c.categories, counts, strict=True):
            self._count(one, count)
        return True

    def _tool(self, text: str) -> bool:
        found = _TOOL.fullmatch(text)
        if not found:
            return False
        category = self._of(found[1])
        tools = [t["name"] if isinstance(t, dict) else t for t in category.get("expected_tools") or []]
        name = self._heard.full(found[2])
        category["expected_tools"] = [*(tool for tool in tools if tool != name), name]
        return self._change()

    def _modify(self, text: str) -> bool:
        """Every case of a category gets a mood, a language, a difficulty."""
        found = re.fullmatch(
            rf"(?:make|turn|write|have|let|i want|put) (?:all )?(?:of )?{_MANY} (?:to be |be |sound |into |all "
            rf")?(.+)|{_MANY} (?:should|must) (?:be|sound) (.+)",
            text,
            re.I,
        )
        if not found:
            return False
        asked = found[3] or found[6] or ""
        _, modifier = modifier_in(self._heard.full(asked))
        if modifier is None or re.search(r"\d", asked):
            return False
        for mention in re.findall(C, "".join(group or "" for group in (found[1], found[2], found[4], found[5]))):
            category = self._of(mention)
            if modifier.language not in ("", "English"):
                phrase = category["name"].replace("_", " ")
                one = draft(self._topics, phrase, 1, modifier, self._examples)
                if one.question:
                    return self._say(language_question(modifier.language, phrase))
                category["example_inputs"] = one.category["example_inputs"]
            category["attributes"] = held_to(dict(category.get("attributes") or {}), modifier)
            self._change()
        return True

    def _add(self, text: str) -> bool:
        found = re.fullmatch(
            rf"(?:add|include|plus|put in|(?:i (?:also )?(?:want|need)|we (?:also )?need|give me)(?= \d))(?: "
            rf"(?:another|an?|some|the|new|more|also))*(?: (?:category|categories))?(?: (?:for|of|about|called|"
            rf"named))? ?(?:{_HOW_MUCH} )?(?:more |new |other )?{_PHRASE}(?: with {_HOW_MUCH}(?: cases)?)?",
            text,
            re.I,
        )
        bare_count = None if found else re.fullmatch(rf"{_HOW_MUCH} (?:more |new |other )?{_PHRASE}", text, re.I)
        amount = (found[1] or found[3]) if found else bare_count[1] if bare_count else None
        phrase = found[2] if found else bare_count[2] if bare_count else ""
        if not phrase or _PRONOUN.match(phrase):
            return False
        base, modifier = modifier_in(self._words(phrase))
        base = bare_phrase(base)
        if not slug(base) or len(base) > 60 or len(base.split()) > 6 or not re.search(r"[^\W\d_]", base):
            return False
        if (
            bare_count
            and not self._topics.knows(base)
            and not re.search(r"\b(?:cases|questions|examples|requests|messages)\b", phrase)
        ):
            return False
        if amount is not None and (not amount.isdigit() or not whole(amount)):
            return self._say(f"How many cases of {words_of(base)} should I add? A number of at least 1.")
        number = whole(amount) if amount else _ADD_DEFAULT
        if number > MOST_CASES:
            return self._say(f"{number:,} cases are more than I plan at once; the most is {MOST_CASES:,}.")
        if not amount:
            self._c.notes.append(f"You named no number, so I added {number} cases of {words_of(base)}.")
        like = next((c for c in self._c.categories if slug(base) == c["name"]), None) if modifier else None
        return self._new(base, number, modifier, like) or True
