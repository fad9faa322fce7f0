"""Changes of how cases are written: some of a category, a share of all, or every case angry, in Spanish, shorter."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

from dsbuilder_tui.domain.axes import DEFAULT_AXES
from dsbuilder_tui.domain.case_kind import CaseKind
from dsbuilder_tui.domain.plain_words import counted
from dsbuilder_tui.offline.planner.category_mentions import HOW_MUCH, MANY, MORE, C
from dsbuilder_tui.offline.planner.count_changes import CountChanges
from dsbuilder_tui.offline.planner.counts import share, whole
from dsbuilder_tui.offline.planner.kind_requests import kind_words, make_kind
from dsbuilder_tui.offline.planner.modifiers import (
    OWN_CATEGORIES,
    Modifier,
    draft,
    held_to,
    language_question,
    manners_in,
    modifier_in,
    several_in,
)
from dsbuilder_tui.offline.planner.naming import bare_phrase, forms, slug, unused, words_of

_ALL = (
    r"(?:it|they|them all|them|this|that|everything|all of (?:it|them)|all|the rest|"
    r"(?:all )?(?:of )?the (?:cases|questions|dataset|plan|whole thing|whole dataset)|all cases|every case|each case)"
)
# Said of every case, without naming any.
_OF_ALL = (
    r"(?:now |just |please )?(?:make|turn|have|want|need|let|write|put|keep|do|use|give me|i want|i need|we want) "
    rf"(?:only |just )?{_ALL}"
    rf"(?: all)?(?: (?:be|sound|to be|into|to|only|just|all))* (?P<a>.+)",
    rf"(?:translate|convert|switch|change) {_ALL}(?: all)? (?:in)?to (?P<b>.+)",
    r"(?:(?:the )?same(?: again| thing| ones| cases)?|again|it)?,? ?(?:but|only|just|except)"
    r"(?: (?:now|make (?:it|them)|all|a bit|a little|much))* (?P<c>.+)",
    rf"{_ALL} (?:should|must|has to|have to|needs? to|shall)? ?(?:be |sound )?(?:all |only )?(?P<d>.+)",
    r"(?P<e>in [a-z]+(?: and (?:in )?[a-z]+)*|(?:be |sound )?(?:much |a bit |a little |even )?(?:more|less) \w+|"
    r"(?:much |a bit |a little |even )?\w+er)",
    r"(?:use|write|speak)(?: only)? (?P<f>in [a-z]+)",
    r"(?P<g>.+) only",
)


_ASIDE = re.compile(r"\b(?:only|all|just|a bit|much|ones?|cases|and|way)\b", re.IGNORECASE)


class MannerChanges(CountChanges):
    """Modifiers: a mood, a language, a difficulty, a kind of case."""

    def _manners(self, words: str) -> tuple[Modifier, ...]:
        """The modifiers that words are, “short and polite”, “German and French”; what they do not say is told."""
        spoken = several_in(f"in {words}")
        words = f"in {words}" if spoken and spoken.modifier.language else words
        rest, manners = manners_in(words)
        if not manners:
            rest, one = modifier_in(words, of_category=True)
            manners = (one,) if one else ()
        left = bare_phrase(_ASIDE.sub(" ", rest))
        if manners and left:
            self._c.notes.append(f"I left out what I could not read: “{words_of(left)}”.")
        return manners

    def _wished(self, words: str) -> Modifier | None:
        """The one modifier that words are: a known one, or a value of the plan's axes."""
        rest, modifier = modifier_in(words, of_category=True)
        if modifier is not None:
            return None if bare_phrase(_ASIDE.sub(" ", rest)) else modifier
        axes: dict[str, Any] = self._c.plan.get("attributes") or DEFAULT_AXES
        plain = re.sub(r"^(?:in|all|only|just) | (?:ones?|cases)$", "", words.strip(), flags=re.IGNORECASE)
        for axis, values in axes.items():
            for value in map(str, values):
                if slug(value) and re.fullmatch(forms(value), plain, re.IGNORECASE):
                    return Modifier(slug(value), axis, (value,))
        return None

    def _vague_manner(self, text: str) -> bool:
        """“More angry ones”, “too many polite ones”: how many is asked."""
        found = re.fullmatch(
            r"(?:i want |i need |we need |give me |add |write |there are |make )?(?:a few |some |way |much |a bit )?"
            r"(?P<how>more|fewer|less|too many|too few|not enough|too|not so|not as) (?:of )?(?:the )?(?P<what>.+)",
            text,
            re.I,
        )
        if found is None:
            return False
        mentions = re.findall(C, found["what"])
        words = self._heard.full(re.sub(C, " ", found["what"])).strip()
        modifier = self._wished(words)
        if modifier is None or (
            re.match(r"(?:more|too)$", found["how"], re.I)
            and not re.search(r"\b(?:ones|cases)$", words)
            and not mentions
        ):
            return False
        name = (self._of(mentions[0])["name"] if mentions else self._c.names[0]).replace("_", " ")
        value = modifier.values[0] if modifier.values else modifier.ending
        if found["how"].lower() in ("more", "too few", "not enough"):
            return self._say(f"How many? For example: “write 20 more `{value}` cases in {name}”.")
        return self._say(f"How many of them? For example: “make 10% of the {name} {value}”, or “no {value} ones”.")

    def _more_so(self, text: str) -> bool:
        """“10 more angry ones”, “add 20 in Spanish”: of the category spoken of last, or of the only one."""
        found = re.fullmatch(
            rf"(?:(?:add|plus|include) {HOW_MUCH}(?: {MORE})?"
            rf"|(?:write |give me |make |i want |i need |we need )?{HOW_MUCH} {MORE})"
            r"(?: of (?:them|it))?(?: (?:cases|ones))? (.+)",
            text,
            re.I,
        )
        if found is None or re.search(C, text):
            return False
        amount = found[1] or found[2]
        modifier = self._wished(self._heard.full(found[3]))
        if modifier is None or modifier.ending in OWN_CATEGORIES or not amount.isdigit() or not whole(amount):
            return False
        at = self._c.last if self._c.last is not None else 0 if len(self._c.names) == 1 else None
        words = (modifier.ending if not modifier.language else f"in {modifier.language}").replace("_", " ")
        if at is None or at >= len(self._c.names):
            name = self._c.names[0].replace("_", " ")
            asked = f"add {amount} {name} {words}" if modifier.language else f"add {amount} {words} {name}"
            return self._say(f"More of which: {', '.join(self._c.names[:20])}? For example: “{asked}”.")
        category = self._c.categories[at]
        return self._new(category["name"].replace("_", " "), whole(amount), modifier, category) or True

    def _mix(self, text: str) -> bool:
        """“Make it 20% angry”, “half of them angry”, “half angry half polite”: so much of each category is set apart."""
        found = re.fullmatch(
            rf"(?:make|have|let|i want|we want|turn|set|write|put|i need)? ?(?:{_ALL} )?(?:be |to be |about |around )*"
            rf"(?P<first>(?:\d+/\d+|\d+(?:\.\d+)?%),? (?:of {_ALL} )?"
            r"(?:should |must |to |are |be |in |as |being |with )*[a-z].*)",
            text,
            re.I,
        )
        if not found or re.search(C, text):
            return False
        wished: list[tuple[Fraction, Modifier]] = []
        for part in re.split(r"(?:,| and)? (?=\d+(?:/\d+|(?:\.\d+)?%) )", found["first"]):
            one = re.match(
                rf"{HOW_MUCH},? (?:of {_ALL} )?((?:should |must |to |are |be |in |as |being |with )*)(.+)",
                part.strip(" ,"),
                re.I,
            )
            words = self._heard.full(f"{'in ' if one and 'in ' in one[2] else ''}{one[3]}") if one else ""
            amount, modifier = share(one[1]) if one else None, self._wished(words) if words else None
            if amount is None or modifier is None:
                return False
            wished.append((amount, modifier))
        return self._mixed(wished)

    def _mixed(self, wished: list[tuple[Fraction, Modifier]]) -> bool:
        """Sets the shares apart; what was asked before in the same message counts with them."""
        if not self._c.whole:
            self._c.whole = {category["name"]: category["count"] for category in self._c.categories}
        for amount, modifier in wished:
            self._c.mixed += amount
            if self._c.mixed > 1:
                return self._say("Those shares are more than the whole; name shares that come to at most 100 %.")
            for category in [one for one in self._c.categories if one["name"] in self._c.whole]:
                if self._c.mixed == 1:  # nothing is left for what is not asked for
                    self._hold(category, modifier)
                    continue
                number = round(self._c.whole[category["name"]] * amount)
                if not 0 < number < category["count"]:
                    self._c.notes.append(f"{category['name']} is too small to set a share of it apart.")
                    continue
                if not self._new(category["name"].replace("_", " "), number, modifier, category):
                    return True
                category["count"] -= number
        return self._change()

    def _hold(self, category: dict[str, Any], modifier: Modifier) -> bool:
        """Has every case of a category written so; false where a question is in the way."""
        if modifier.names_languages:
            return self._in_each_language(category, modifier)
        if modifier.language not in ("", "English"):
            phrase = category["name"].replace("_", " ")
            one = draft(self._topics, phrase, 1, modifier, self._examples)
            if one.question:
                return not self._say(language_question(modifier.language, phrase))
            category["example_inputs"] = one.category["example_inputs"]
        category["attributes"] = held_to(dict(category.get("attributes") or {}), modifier)
        if modifier.kind is not CaseKind.SINGLE:
            self._of_kind(category, modifier)
        self._c.rewrites = True
        return self._change()

    def _hold_all(self, categories: Sequence[dict[str, Any]], manners: Sequence[Modifier]) -> bool:
        """Has the categories written in all of these manners, until a question is in the way; true, since it was a change."""
        for category in tuple(categories):  # some are added meanwhile
            if not all(self._hold(category, manner) for manner in manners):
                break
        return True

    def _in_each_language(self, category: dict[str, Any], modifier: Modifier) -> bool:
        """Leaves a category the share of one language, English where that is one, and adds one for each other."""
        ordered = replace(
            modifier, values=tuple(sorted(modifier.values[: category["count"]], key=lambda one: one != "English"))
        )
        (stays, _), *others = ordered.in_each_language(category["count"])
        for language, number in others:
            if not self._new(category["name"].replace("_", " "), number, language, category):
                return False
            category["count"] -= number
        return self._change() if stays is None else self._hold(category, stays)

    def _part(self, text: str) -> bool:
        """Some cases of a category become one of their own."""
        found = re.fullmatch(
            rf"(?:make|turn|write|have|i want|let|set|put)? ?{HOW_MUCH} (?:cases )?(?:(?:out )?of )?(?:the )?{C},? "
            rf"(?:should be |to be |be |are |into )?(.+)",
            text,
            re.I,
        )
        if not found:
            which = re.fullmatch(
                rf"(?:make|turn|write|put)? ?{HOW_MUCH} of (?:them|those|these|the cases)\b.+", text, re.I
            )
            if which is None and not re.search(C, text):
                some = re.fullmatch(
                    rf"(?:make|turn|write|put|have)? ?{HOW_MUCH},? (?:should be|must be|to be|be|in|as|are) (.+)",
                    text,
                    re.I,
                )
                which = some if some and modifier_in(self._heard.full(f"in {some[2]}"))[1] else None
            return bool(which) and self._say(f"Which category should those come from: {', '.join(self._c.names[:20])}?")
        _, modifier = modifier_in(self._heard.full(found[3]), of_category=True)
        if modifier is None and not re.search(rf" of (?:the )?{C}", text, re.I):
            return False
        if modifier is None:
            return self._say(
                f"What should be special about those {found[1]}? For example: “in Spanish”, “angry” or “multi-turn”."
            )
        category = self._of(found[2])
        number = self._number(category, found[1])
        if not 0 < number < category["count"]:
            return self._say(
                f"{category['name']} has {counted(category['count'], 'case')}, so {found[1]} of them cannot be "
                f"set apart; "
                "at least 1 has to stay and at least 1 has to go."
            )
        if not self._new(category["name"].replace("_", " "), number, modifier, category):
            return True
        category["count"] -= number
        if modifier.kind is not CaseKind.SINGLE:
            self._c.notes.append(f"They are taken out of {category['name']}, which keeps {category['count']:,}.")
        return self._change()

    def _of_kind(self, category: dict[str, Any], modifier: Modifier) -> None:
        """Makes a category one of a modifier's kind, and says what that is."""
        make_kind(category, modifier.kind, modifier.values, self._c.plan.get("input_fields") or {})
        self._c.notes += kind_words([category])

    def _new(self, phrase: str, number: int, modifier: Modifier | None, like: dict[str, Any] | None = None) -> bool:
        """Adds a category, or to the one of that name; false when a question is in the way. Of several languages each gets
        one."""
        if modifier and modifier.names_languages:
            return all(self._new(phrase, part, each, like) for each, part in modifier.in_each_language(number))
        one = draft(self._topics, phrase, number, modifier, self._examples)
        if one.question and not (like and modifier and not modifier.language):
            return not self._say(one.question)
        if like and not self._topics.knows(phrase) and not self._examples:
            one.category["example_inputs"] = list(like["example_inputs"])
            one.category["kind"] = like.get("kind", CaseKind.SINGLE)
            one.category["description"] = like["description"]
        if like:
            one.category["expectations"] = dict(like.get("expectations") or {})
            if "expected_tools" in like:
                one.category["expected_tools"] = list(like["expected_tools"])
            own = dict(like.get("attributes") or {})
            one.category["attributes"] = {**own, **one.category["attributes"]}
            kind = CaseKind(like.get("kind", CaseKind.SINGLE))
            if kind is not CaseKind.SINGLE and (not modifier or modifier.kind is CaseKind.SINGLE):
                make_kind(one.category, kind, (), {})  # as the one that it is like
        if modifier and modifier.kind is not CaseKind.SINGLE:
            self._of_kind(one.category, modifier)
        for category in self._c.categories:
            if category["name"].casefold() == one.category["name"].casefold():
                return self._count(category, category["count"] + number)
        one.category["name"] = unused(one.category["name"], self._c.names)
        self._c.categories.append(one.category)
        self._c.last = len(self._c.categories) - 1
        return self._change()

    def _modify(self, text: str) -> bool:
        """Every case of a category gets a mood, a language, a difficulty."""
        found = re.fullmatch(
            rf"(?:make|turn|write|have|let|i want|put|translate|convert) "
            rf"(?:(?:all )?(?:of )?{MANY}|(everything|all(?: of (?:it|them))?|"
            r"(?:all )?the (?:cases|questions|inputs|messages|prompts|texts)|them(?: all)?)) "
            rf"(?:to be |be |sound |into |in |to |all )?(.+)|{MANY} (?:should|must) "
            rf"(?:be|sound) (.+)|{MANY},? (?:to be |be )?"
            r"((?:a (?:bit|little) |much |even |way |far )?(?:more \w+|\w+er|in [a-z]+))",
            text,
            re.I,
        )
        if not found:
            return self._modify_all(text)
        asked = found[4] or found[7] or found[10] or ""
        manners = self._manners(self._heard.full(asked))
        if not manners or (re.search(r"\d", asked) and not manners[0].values):
            return False
        mentions = re.findall(C, "".join(group or "" for group in found.group(1, 2, 5, 6, 8, 9)))
        return self._hold_all(self._c.categories if found[3] else [self._of(mention) for mention in mentions], manners)

    def _modify_all(self, text: str) -> bool:
        """“Make it multi-turn”, “only in German”, “same but shorter”: every category is written so."""
        if re.search(C, text) or re.search(r"\d", re.sub(r"\b\d+[ -](?:turns?|messages?)\b", "", text)):
            return self._whole_kind(text)
        for pattern in _OF_ALL:
            if (found := re.fullmatch(pattern, text, re.I)) is not None:
                words = self._heard.full(next(group for group in found.groupdict().values() if group))
                words = f"in {words}" if found.groupdict().get("b") else words  # “translate it to German and French”
                manners = manners_in(words)[1] or tuple(filter(None, (self._wished(words),)))
                if manners and all(manner.kind is CaseKind.SINGLE for manner in manners):
                    return self._hold_all(self._c.categories, manners)
        return self._whole_kind(text)

    def _whole_kind(self, text: str) -> bool:
        """“Multi-turn”: every category is one of conversations."""
        asked = re.fullmatch(
            r"(?:make|turn|have|i want|i need|let|as)? ?(?:it|them|this|that|the dataset|the plan)? ?(?:all )?"
            r"(?:be |into |to be )?(.+)",
            text,
            re.I,
        )
        rest, modifier = modifier_in(self._heard.full(asked[1]), of_category=True) if asked else ("", None)
        if modifier is None or modifier.kind is CaseKind.SINGLE or bare_phrase(rest) or re.search(C, text):
            return False
        for category in self._c.categories:
            self._of_kind(category, modifier)
        return self._change()
