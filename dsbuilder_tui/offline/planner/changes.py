"""Changes to a plan, as people say them: counts, categories, names, what makes some cases different."""

from __future__ import annotations

import re
from copy import deepcopy
from typing import Any

from dsbuilder_tui.domain.axes import DEFAULT_AXES
from dsbuilder_tui.domain.expectation import MlflowKey
from dsbuilder_tui.domain.plain_words import counted
from dsbuilder_tui.domain.plan_patch import fill_cell
from dsbuilder_tui.domain.writing_stage import pipeline_words, planned_pipeline
from dsbuilder_tui.offline.planner.category_mentions import HOW_MUCH, MANY, PHRASE, C
from dsbuilder_tui.offline.planner.clauses import without_courtesy
from dsbuilder_tui.offline.planner.counts import MOST_CASES, spread, whole
from dsbuilder_tui.offline.planner.intent_table import intent_table
from dsbuilder_tui.offline.planner.judge_requests import judge_mode_in
from dsbuilder_tui.offline.planner.manner_changes import MannerChanges
from dsbuilder_tui.offline.planner.modifiers import OWN_CATEGORIES, modifier_in
from dsbuilder_tui.offline.planner.naming import bare_phrase, slug, words_of
from dsbuilder_tui.offline.planner.stage_requests import stage_requests
from dsbuilder_tui.offline.planner.utterance import MASK

ANSWER_KEYS = (MlflowKey.FACTS.value,)  # of "with expected answers": what the built-in writer can say of an answer
_ADD_DEFAULT = 10
_MOST_PARTS = 4  # of a clause
_MOST_EXAMPLES = 6  # of a category that others were merged into
_TOOL = re.compile(
    rf"{C} (?:should|must|has to|have to|needs? to)? ?(?:always )?(?:call|use)s? (?:the )?(?:tool )?({MASK}|"
    rf"[\w.-]*_[\w.-]+|[\w.-]+(?= tool)|(?-i:[a-z]+[A-Z]\w*))"
)
_PRONOUN = re.compile(r"(?:i|you|we|me|us|it|that|this|them|to|if|when|what|how)\b", re.IGNORECASE)


def _key_of(written: str | dict[str, Any]) -> str:
    """The key of an expectation that is written for each case: it stands by its name, or as a mapping from it."""
    return str(next(iter(written), "")) if isinstance(written, dict) else written


class PlanChanger(MannerChanges):
    """Reads the clauses of one message against one plan."""

    def read(self, clause: str) -> bool:
        """Whether the clause is a change; carries it out, or notes what is in the way."""
        text = self._marked(without_courtesy(clause))
        self._c.adds = bool(re.match(r"(?:add|include|plus)\b", text, re.I)) or (self._c.adds and text[:1].isdigit())
        if self._c.adds and text[:1].isdigit():  # “add 10 refunds and 5 complaints”
            text = f"add {text}"
        return self._read(text) or self._read_both(text)

    def read_judging(self, clause: str) -> bool:
        """Whether the clause says which cases are judged; carries it out."""
        text = self._marked(without_courtesy(clause))
        mode = judge_mode_in(text)
        if mode is None:
            return False
        named = re.findall(C, text)
        for category in map(self._of, named) if named else self._c.categories:
            category["judge"] = mode.value
        return self._change()

    def _read(self, text: str) -> bool:
        steps = (self._fill, self._swap, self._merge, self._split, self._move, self._level, self._rename, self._remove,
                 self._more, self._factor,
                 self._vague_manner, self._mix, self._part, self._set, self._whole, self._tool, self._stages, self._modify,
                 self._answers, self._add)  # fmt: skip
        return any(step(text) for step in steps)

    def _read_both(self, text: str) -> bool:
        """“make refunds 10 and order status 30”, “make it 20% angry and refunds 80”: two changes in one clause, or none of it."""
        parts = re.split(r" (?:and|&) ", text)
        if not 2 <= len(parts) <= _MOST_PARTS:
            return False
        plan, notes, done, problem = deepcopy(self._c.plan), list(self._c.notes), self._c.done, self._c.problem
        if all(self._read(part) for part in parts):
            return True
        self._c.plan, self._c.notes, self._c.done, self._c.problem = plan, notes, done, problem
        return False

    def _fill(self, text: str) -> bool:
        """“Write 20 more `angry` cases in refunds”, as the coverage screen drafts it: more cases of it, held to that value."""
        found = re.fullmatch(rf"(?:write|add) (\d+) more ({MASK}) cases (?:in|to|for) (?:the )?{C}", text, re.I)
        if not found:
            return False
        category, value = self._of(found[3]), self._heard.piece(found[2])
        shared = {**(self._c.plan.get("attributes") or {}), **(category.get("attributes") or {})}
        axes = shared or DEFAULT_AXES
        axis = next((name for name, values in axes.items() if value in map(str, values)), None)
        number = whole(found[1])
        if axis is None or not number:
            return False
        if number > MOST_CASES:
            return self._say(f"{number:,} cases are more than I plan at once; the most is {MOST_CASES:,}.")
        fill_cell(category, {axis: value}, number)
        return self._change()

    def _swap(self, text: str) -> bool:
        """“Swap refunds for returns”: one category goes, and its cases go to the other; “swap a and b” exchanges counts."""
        verb = r"(?:swap|exchange|switch|trade|replace|substitute)"
        if both := re.fullmatch(
            rf"{verb} (?:the (?:counts|numbers) of )?(?:the )?{C} (?:and|&) (?:the )?{C}", text, re.I
        ):
            one, other = self._of(both[1]), self._of(both[2])
            one["count"], other["count"] = other["count"], one["count"]
            return self._change()
        found = re.fullmatch(
            rf"{verb} (?:out )?(?:the )?{C} (?:for|with|by|against|to) (?:the )?(?:{C}|{PHRASE})", text, re.I
        )
        if not found:
            lost = re.match(r"(?:swap|replace|exchange) (?:out )?(.+?) (?:for|with|by) ", text, re.I)
            return bool(lost) and self._say(self._unknown(lost[1] if lost else ""))
        gone = self._of(found[1])
        if found[2]:
            to = self._of(found[2])
            if to is gone:
                return self._say("That changes nothing.")
            self._count(to, to["count"] + gone["count"])
        else:
            phrase, modifier = modifier_in(self._words(found[3]))
            phrase = bare_phrase(phrase)
            if not slug(phrase) or len(phrase.split()) > 6:
                return self._say("What should take its place? A name needs letters or digits.")
            if not self._new(phrase, gone["count"], modifier):
                return True
        self._c.plan["categories"] = [category for category in self._c.categories if category is not gone]
        self._c.last = None
        return self._change()

    def _merge(self, text: str) -> bool:
        """“Merge refunds and returns into money back”: the first takes the cases of the others, and the name if there is one."""
        found = re.fullmatch(
            rf"(?:merge|combine|join|unite|lump|put)(?: together)? {MANY}(?: together)?(?: (?:in ?to|in|to|as|called|under)"
            rf"(?: a| one)?(?: (?:category|group))?(?: called)?(?: {PHRASE})?)?",
            text,
            re.I,
        )
        mentions = list(dict.fromkeys(re.findall(C, found[1] + found[2]))) if found else []
        if not found or len(mentions) < 2:
            return False
        kept, *others = (self._of(mention) for mention in mentions)
        name = slug(self._words(found[3])) if found[3] and not re.fullmatch(r"1|one", found[3], re.I) else ""
        if name and name.casefold() in (c["name"].casefold() for c in self._c.categories if c not in (kept, *others)):
            return self._say(f"There is already a category called {name}.")
        self._count(kept, kept["count"] + sum(other["count"] for other in others))
        examples = [example for one in (kept, *others) for example in one["example_inputs"]]
        kept["example_inputs"] = [example for at, example in enumerate(examples) if example not in examples[:at]][
            :_MOST_EXAMPLES
        ]
        described = dict.fromkeys(one["description"].rstrip(".") for one in (kept, *others) if one.get("description"))
        kept["description"] = "; ".join(described)
        self._c.plan["categories"] = [c for c in self._c.categories if c not in others]
        self._c.last = None
        if name and name != kept["name"]:
            self._c.rename[kept["name"]] = name
            kept["name"] = name
        return self._change()

    def _split(self, text: str) -> bool:
        """“Split refunds into damaged goods and late delivery”: new categories in its place, its cases spread over them."""
        found = re.fullmatch(rf"(?:split|divide|break)(?: up)? (?:the )?{C}(?: up)? in(?:to)? (.+)", text, re.I)
        if not found:
            return False
        gone = self._of(found[1])
        named = [part for part in re.split(r"\s*(?:,|&|\band\b)\s*", found[2]) if part]
        phrases = [bare_phrase(self._words(part)) for part in named]
        if len(phrases) < 2 or not all(slug(phrase) and len(phrase.split()) <= 6 for phrase in phrases):
            name = gone["name"].replace("_", " ")
            return self._say(f"Into which? For example: “split {name} into late {name} and other {name}”.")
        if gone["count"] < len(phrases):
            return self._say(
                f"{gone['name']} has {counted(gone['count'], 'case')}, too few for {len(phrases)} categories."
            )
        self._c.plan["categories"] = [category for category in self._c.categories if category is not gone]
        for phrase, number in zip(phrases, spread(gone["count"], [1] * len(phrases)), strict=True):
            if not self._new(phrase, number, None):
                return True
        self._c.last = None
        return self._change()

    def _rename(self, text: str) -> bool:
        found = re.fullmatch(
            rf"(?:rename|call|change the name of) (?:the )?{C}(?: (?:to|as|into))? {PHRASE}", text, re.I
        ) or re.fullmatch(rf"(?:the )?{C} (?:should|must) be (?:called|named) {PHRASE}", text, re.I)
        if not found and (bare := re.fullmatch(rf"rename (?:the )?{C}", text, re.I)):
            name = self._of(bare[1])["name"].replace("_", " ")
            return self._say(f"What should it be called? For example: “rename {name} to other {name}”.")
        if not found:
            lost = re.match(r"rename (.+?) (?:to|as|into) ", text, re.I)
            return bool(lost) and self._say(self._unknown(lost[1] if lost else ""))
        new = slug(self._words(found[2]))
        if not new:
            return self._say("What should it be called? A name needs letters or digits.")
        if new.casefold() in (name.casefold() for name in self._c.names):
            return self._say(f"There is already a category called {new}.")
        category = self._of(found[1])
        first = next((old for old, now in self._c.rename.items() if now == category["name"]), category["name"])
        self._c.rename[first] = new
        category["name"] = new
        return self._change()

    def _tool(self, text: str) -> bool:
        found = _TOOL.fullmatch(text)
        if not found:
            return False
        category = self._of(found[1])
        tools = [t["name"] if isinstance(t, dict) else t for t in category.get("expected_tools") or []]
        name = self._heard.full(found[2])
        category["expected_tools"] = [*(tool for tool in tools if tool != name), name]
        return self._change()

    def _stages(self, text: str) -> bool:
        """“Make the refunds harder”, “let a second model criticise and revise them”."""
        requests = stage_requests(text, self._heard.piece)
        for request in requests:
            for category in self._c.categories if request.whole else [self._of(mark) for mark in request.mentions]:
                category["pipeline"] = request.pipeline(category)
                words = pipeline_words(planned_pipeline(category["pipeline"])) or "draft alone"
                self._c.notes.append(f"Each case of {category['name']}: {words}.")
                self._change()
        if len(requests) == 1:
            self._modify(text)  # what the built-in writer, which has no stages, can do of it
        return bool(requests)

    def _answers(self, text: str) -> bool:
        """“With expected answers”: each category's cases say what a right answer is; or no longer."""
        if intent_table().phrase("without_answers").fullmatch(text):
            for one in (self._c.plan, *self._c.categories):
                one["write"] = [key for key in one.get("write") or () if _key_of(key) not in ANSWER_KEYS]
            self._c.notes.append("No expected answers are written.")
            return self._change()
        if not intent_table().phrase("with_answers").fullmatch(text):
            return False
        shared = _written_keys(self._c.plan)
        for category in self._c.categories if not shared.issuperset(ANSWER_KEYS) else ():
            own = _written_keys(category)
            category["write"] = [*(category.get("write") or ()), *(key for key in ANSWER_KEYS if key not in own)]
        self._c.notes.append("Each case is written with the facts that a right answer states.")
        return self._change()

    def _add(self, text: str) -> bool:
        found = re.fullmatch(
            rf"(?:add|include|plus|put in|(?:i (?:also )?(?:want|need)|we (?:also )?need|give me)(?= \d))(?: "
            rf"(?:another|an?|some|the|new|more|also)\b)*(?: (?:category|categories))?(?: (?:for|of|about|called|"
            rf"named))? ?(?:{HOW_MUCH} )?(?:more |new |other )?{PHRASE}(?: with {HOW_MUCH}(?: cases)?)?",
            text,
            re.I,
        )
        bare_count = None if found else re.fullmatch(rf"{HOW_MUCH} (?:more |new |other )?{PHRASE}", text, re.I)
        amount = (found[1] or found[3]) if found else bare_count[1] if bare_count else None
        phrase = found[2] if found else bare_count[2] if bare_count else ""
        if not phrase or _PRONOUN.match(phrase):
            return False
        base, modifier = modifier_in(self._words(phrase))
        base = bare_phrase(base)
        if modifier and not base and modifier.ending in OWN_CATEGORIES:
            base, modifier = modifier.ending.replace("_", " "), None
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
            self._c.notes.append(f"You named no number, so I added {counted(number, 'case')} of {words_of(base)}.")
        like = next((c for c in self._c.categories if slug(base) == c["name"]), None) if modifier else None
        return self._new(base, number, modifier, like) or True


def _written_keys(part: dict[str, Any]) -> set[str]:
    """The keys that a plan, or a category, has written."""
    return {_key_of(one) for one in part.get("write") or ()}
