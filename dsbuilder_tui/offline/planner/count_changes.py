"""Changes of how many cases there are."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Any

from dsbuilder_tui.domain.plain_words import counted
from dsbuilder_tui.offline.planner.category_mentions import HOW_MUCH, MANY, MORE, C, CategoryMentions
from dsbuilder_tui.offline.planner.counts import MOST_CASES, share, spread, whole

_TOO_FEW = ("more", "too few", "not enough")
_FACTORS = {
    "double": Fraction(2), "twice as many": Fraction(2), "triple": Fraction(3), "3 times as many": Fraction(3),
    "quadruple": Fraction(4), "halve": Fraction(1, 2), "1/2 as many": Fraction(1, 2),
}  # fmt: skip


class CountChanges(CategoryMentions):
    """Counts, up and down, alone and together."""

    def _more(self, text: str) -> bool:
        up = r"(?:increase|raise|grow|extend|bump)"
        if vague := re.fullmatch(
            rf"(?:have |add |make |give me |i want |i need |we need |write |there are )*(?:a few |some |way |much |many |a lot )?"
            rf"(more|fewer|less|too many|too few|not enough) (?:of )?(?:the )?{C}",
            text,
            re.I,
        ):
            category = self._of(vague[2])
            return self._say(
                f"How many? There are {category['count']:,} now; say for example "
                f"“make {category['name'].replace('_', ' ')} "
                f"{category['count'] * 2 if vague[1].lower() in _TOO_FEW else max(1, category['count'] // 2)}”."
            )
        if re.fullmatch(rf"(?:add |give me |i want )?{HOW_MUCH} {MORE}(?: cases)?", text, re.I):
            return self._say(f"More of which: {', '.join(self._c.names[:20])}?")
        if re.fullmatch(
            rf"(?:add|{MORE}|write|give me)(?: {MORE})?(?: (?:{HOW_MUCH}|some|more|a few|a lot))(?: {MORE})?(?: of (?:them|it))?"
            r"(?: (?:cases|ones))?",
            text,
            re.I,
        ):
            return self._say(f"More of which: {', '.join(self._c.names[:20])}?")
        for pattern in (
            rf"(?:add|make|give me|write|i need|i want|we need|plus)? ?(?:{MORE} )?{HOW_MUCH} {MORE} (?:of "
            rf")?(?:the )?{C}",
            rf"(?:add|plus|{MORE})(?: {MORE})? {HOW_MUCH} (?:of |to )?(?:the )?{C}",
        ):
            if found := re.fullmatch(pattern, text, re.I):
                return self._by(self._of(found[2]), found[1], 1)
        if found := re.fullmatch(rf"add {HOW_MUCH}(?: {MORE})?(?: cases)? (?:to|for) (?:the )?{C}", text, re.I):
            return self._by(self._of(found[2]), found[1], 1)
        if found := re.fullmatch(rf"{up} (?:the )?{C} by {HOW_MUCH}", text, re.I):
            return self._by(self._of(found[1]), found[2], 1)
        if found := re.fullmatch(rf"(?:reduce|lower|cut|decrease|shrink) (?:the )?{C} by {HOW_MUCH}", text, re.I):
            return self._by(self._of(found[1]), found[2], -1)
        if found := re.fullmatch(rf"(?:make )?{HOW_MUCH} (?:fewer|less) (?:of )?(?:the )?{C}", text, re.I):
            return self._by(self._of(found[2]), found[1], -1)
        return False

    def _by(self, category: dict[str, Any], amount: str, sign: int) -> bool:
        if share(amount) is None and not amount.isdigit():
            return self._say(f"{amount} is not a number of cases; name one of at least 1.")
        number = self._number(category, amount)
        if number < 1:
            return self._say("That changes nothing; name a number of at least 1.")
        return self._count(category, category["count"] + sign * number)

    def _number(self, category: dict[str, Any], amount: str) -> int:
        """How many cases of a category a count or a share is; 0 for what is neither."""
        if (part := share(amount)) is not None:
            return round(int(category["count"]) * part)
        return whole(amount) if amount.isdigit() else 0

    def _move(self, text: str) -> bool:
        """“Move 10 from refunds to order status”."""
        found = re.fullmatch(
            rf"(?:move|shift|transfer|take|give) {HOW_MUCH} (?:cases )?(?:from|of|out of) (?:the )?{C} "
            rf"(?:to|into|over to|and give (?:it|them) to|and (?:put|move) (?:it|them) (?:to|into)) (?:the )?{C}",
            text,
            re.I,
        )
        if not found:
            return False
        one, other = self._of(found[2]), self._of(found[3])
        if one is other:
            return self._say("That changes nothing.")
        number = self._number(one, found[1])
        if not 0 < number < one["count"]:
            return self._say(
                f"{one['name']} has {counted(one['count'], 'case')}, so {found[1]} of them cannot be moved; "
                "at least 1 has to stay."
            )
        return self._count(one, one["count"] - number) and self._count(other, other["count"] + number)

    def _level(self, text: str) -> bool:
        """“Make refunds as large as order status”, “as many refunds as complaints”."""
        found = re.fullmatch(
            rf"(?:make|set|bring|let)? ?(?:the )?{C}(?: be| to be)? "
            r"(?:as (?:large|big|many|small|long|numerous)|the same (?:size|count|number)) "
            rf"as (?:the )?{C}",
            text,
            re.I,
        ) or re.fullmatch(
            rf"(?:make|write|i want|have|let's have)? ?(?:as many|the same (?:number|amount) of) (?:the )?{C} as (?:the )?{C}",
            text,
            re.I,
        )
        return found is not None and self._count(self._of(found[1]), self._of(found[2])["count"])

    def _factor(self, text: str) -> bool:
        found = re.fullmatch(
            rf"(?:make |i want )?({'|'.join(_FACTORS)}) (?:the (?:number|count) of )?(?:{MANY}|everything|all|"
            rf"it all|all of it|the dataset|the whole thing)",
            text,
            re.I,
        )
        if not found:
            found = re.fullmatch(
                r"(?:make (?:it )?|i want |i need |we need |give me )?"
                rf"({'|'.join(_FACTORS)}|twice as much)(?: (?:it|that|cases))?()()",
                text,
                re.I,
            )
        if not found:
            return False
        factor = _FACTORS[found[1].lower().replace("much", "many")]
        chosen = [self._of(m) for m in re.findall(C, f"{found[2] or ''}{found[3] or ''}")] or self._c.categories
        for one in chosen:
            self._count(one, max(1, int(one["count"] * factor)))
        return True

    def _set(self, text: str) -> bool:
        verb = r"(?:make|set|change|put|increase|raise|lower|reduce|bring|let|have|keep|cut|i want|i need|use|only|do)"
        for pattern, count_first in (
            (
                rf"(?:{verb} )?(?:the )?{C}(?: count)?,?(?: (?:to|at|be|is|=|should be|have|has|gets?|only|"
                rf"just|up to|down to|should have))*:? ?{HOW_MUCH}(?: cases)?",
                False,
            ),
            (
                rf"(?:{verb} )?(?:it |that )?(?:only |just |exactly )?{HOW_MUCH} (?:cases (?:of|for|about) "
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
        number = rf"{HOW_MUCH}"
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

    def _remove(self, text: str) -> bool:
        verb = (
            r"(?:remove|drop|delete|get rid of|leave out|take out|skip|no more(?: about)?|throw out|forget(?: about)?|kick out|"
            r"scrap|ditch|exclude|omit|leave away|cut out)"
        )
        tail = (
            r"(?: (?:category|categories|cases|entirely|completely|at all|from the plan|any ?more|for now|for|now|please|either|"
            r"no longer|then))*"
        )
        wont, needless = r"(?:don't|do not|no longer)", r"(?:needed|necessary|required|relevant)"
        for pattern in (
            rf"(?:{verb}|no|without) {MANY}{tail}",
            rf"(?:i|we) {wont} (?:need|want)(?: any| the| more)* {MANY}{tail}",
            rf"{MANY} (?:is|are) (?:not|no longer) {needless}{tail}",
            rf"{MANY} can (?:go|be (?:removed|dropped|left out)){tail}",
            rf"(?:don't|do not|never|stop) (?:write|writing|generate|generating|include|plan)(?: any| more| the)* {MANY}{tail}",
        ):
            if (found := re.fullmatch(pattern, text, re.I)) is None:
                continue
            gone = {self._of(mention)["name"] for mention in re.findall(C, found[1] + found[2])}
            if len(gone) == len(self._c.names):
                return self._say("That would leave no category; keep at least one, or describe a new dataset.")
            self._c.plan["categories"] = [c for c in self._c.categories if c["name"] not in gone]
            self._c.last = None
            return self._change()
        found = re.fullmatch(
            rf"(?:{verb}|take|reduce|lower|cut|decrease) {HOW_MUCH} (?:of |off |from )?(?:the )?{C}", text, re.I
        )
        if found:
            return self._by(self._of(found[2]), found[1], -1)
        if re.match(rf"{verb} (?!\d)\S", text, re.I) and not re.search(
            r"\b(?:all|everything|database|table|file|folder|disk)\b", text, re.I
        ):
            return self._say(self._unknown(re.sub(rf"^{verb} ", "", text, flags=re.I)))
        return False
