"""Intents of a clause that asks for one of the tools in so many words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from dsbuilder_tui.offline.planner.counts import whole
from dsbuilder_tui.offline.planner.diversity_requests import likeness_order
from dsbuilder_tui.offline.planner.naming import bare_phrase, forms, slug
from dsbuilder_tui.offline.planner.planning_context import Act
from dsbuilder_tui.offline.planner.utterance import MASK, Utterance

_POLITE = re.compile(
    r"^(?:(?:please|ok|okay|now|then|also|and|so|well|yes|great|good|fine|perfect|alright|hey|hi|hello|can you|"
    r"could you|would you|"
    r"will you|i want to|i'd like to|i would like to|i want you to|let's|let us|we should|just|maybe|you can|"
    r"go and|first|next|finally)[ ,]+)+",
    re.IGNORECASE,
)
_TAIL = re.compile(
    r"[\s,]*(?:please|thanks|thank you|for me|now|right away|right now|again|if you can)?[\s.!?]*$", re.IGNORECASE
)
_IT = (
    r"(?: (?:it|that|this|now|here|there|them|up|off|everything|all(?: of (?:it|them))?|work|working|"
    r"generating|writing|generation|"
    r"the|a|run|dataset|cases|build|job|process|workers?|plan|session|moment|minute|second|bit|for|while|going|"
    r"with|on|building))*"
)
_PAUSE = rf"(?:pause|stop|halt|hold|hold on|wait|hang on|freeze|take a break){_IT}"
_RESUME = rf"(?:resume|continue|go on|carry on|keep going|unpause|un-pause|proceed|pick up where we left off){_IT}"
_START = (
    rf"(?:start|run|begin|go|go ahead|launch|generate|do it|kick it off|get going|fire away|build it|create it|"
    rf"make it so){_IT}"
)
_FINISH = (
    rf"(?:finish|finali[sz]e|wrap up|complete){_IT}|(?:we're|we are|i'm|i am) (?:all )?(?:done|finished)(?: here)?|"
    rf"that will be all"
)
_STATUS = (
    r"(?:what(?:'s| is) the |show (?:me )?(?:the )?|give me (?:a |the |an )?|any |tell me the |print (?:the )?|"
    r"current )?"
    r"(?:status|progress|state|summary|overview|update|plan|news)(?: (?:so far|report|update|of .{1,60}|on .{1,40}))?"
    r"|how (?:far|is it going|is it|are we|are things|are you doing|goes it|'s it going)\b.{0,60}|how's (?:it|"
    r"everything|the run) going\b.{0,20}"
    r"|how much (?:is |of .{1,20} is )?(?:left|done|remain\w*|finished|missing)\b.{0,30}"
    r"|how many\b.{0,60}\b(?:left|done|accepted|rejected|so far|remain\w*|missing|written|finished|are there|"
    r"have we|do we have|do you have|generated|made|open)\b.{0,30}"
    r"|where (?:are we|do we stand|is it|does it stand)\b.{0,20}|(?:are|is) (?:we|you|it|the (?:dataset|run)|"
    r"they|everything) (?:done|finished|ready|complete|running|paused|still running)\b.{0,20}"
    r"|what (?:do|have) (?:we|you) (?:have|got)\b.{0,20}|what (?:went wrong|happened)\b.{0,20}|(?:what|how "
    r"much) (?:did|does|has|will|is) .{0,30}\bcosts?\b.{0,20}"
    r"|what(?:'s| is) (?:left|missing|done|going on|happening|running|planned|the plan|it doing)\b.{0,20}|what "
    r"have (?:we|you) (?:got|done)\b.{0,20}"
    r"|(?:when|how long) (?:will|until|till|does)\b.{0,60}"
)
_REJECTED = re.compile(
    r"\b(?:why|explain|what|reasons?|show|list|tell|how come|which)\b.*\b(?:reject\w*|turned (?:away|down)|"
    r"refused|thrown (?:out|away)|discarded|not accepted)\b",
    re.IGNORECASE,
)
_FORMATS = {
    "csv": "csv", "json": "json", "jsonl": "jsonl", "json lines": "jsonl", "jsonlines": "jsonl", "parquet": "parquet",
    "checkpoint": "checkpoint", "checkpoint json": "checkpoint",
}  # fmt: skip
_FORMAT = "|".join(sorted(_FORMATS, key=len, reverse=True))
_EXPORT = re.compile(
    rf"(?P<verb>export|write|dump|download|save|store)(?: (?:it|them|this|everything|all|the|cases|dataset|"
    rf"data|results|out))*"
    rf"(?: (?:to|as|in|into)? ?(?:a |an )?(?P<format>{_FORMAT})(?: (?:file|format))?)?(?: (?:to|as|in|into|at|"
    rf"called|named)(?: (?:a |the )?file)? (?P<path>{MASK}))?"
    rf"(?: (?:as|in) (?:a )?(?P<late>{_FORMAT})(?: format)?)?",
    re.IGNORECASE,
)
_CHECKPOINT = re.compile(
    rf"(?:(?:save|make|create|set|take|add|do|write)(?: me)? )?(?:a |the |another )?(?:new )?(?:checkpoint|"
    rf"save ?point|snapshot)"
    rf"(?:(?: (?:and )?(?:called|named|name it|call it|as|with the name))? (?P<name>{MASK}|[\w.-]{{1,64}}))?|"
    rf"save(?: (?:it|everything|all|my work|the session|progress|the progress))?",
    re.IGNORECASE,
)
_LOAD = re.compile(
    rf"(?:load|restore|reload|open|import|resume from|continue from|go back to|rewind to)(?: (?:from|the|a|my|"
    rf"last|latest|saved|checkpoint|session|file|called|named|at|in))*(?: (?P<path>{MASK}))?",
    re.IGNORECASE,
)
_SHOW = re.compile(
    r"(?P<verb>show|list|display|let me see|see|print|give|view|look at)(?: me)?(?: (?P<count>\d+|some|a few|"
    r"several|any|all))?(?: of)?(?: the)?(?: (?:first|last|latest|newest|accepted|random))*"
    rf"(?P<what>(?: (?:[\w'-]+|{MASK}))*)",
    re.IGNORECASE,
)
_FIND = re.compile(
    rf"(?:find|search)(?: for)?(?: (?:me|the|all|cases|case|with|that|which|mention|mentioning|containing|"
    rf"contain|about|text))* (?P<text>{MASK}|[\w' -]{{1,60}})",
    re.IGNORECASE,
)
_WITH_TEXT = re.compile(
    rf"\b(?:with|containing|that (?:mention|contain|say)s?|mentioning|about|saying)(?: the (?:word|text))? "
    rf"(?P<text>{MASK})",
    re.IGNORECASE,
)
_PREVIEW = re.compile(
    r"(?:show me a |give me a |a )?(?:preview|sample|try|try out|draft)(?: of)?(?: (?P<count>\d+|some|a "
    r"few))?(?: of)?(?: the)?(?P<what>.*)",
    re.IGNORECASE,
)
_CHECK = (
    r"(?:the )?(?:diversity|duplicate|duplicates|repetition|similarity|uniqueness)(?: (?:check|checks|checking|"
    r"gate|filter|control))?"
)
_DIVERSITY = re.compile(
    rf"(?:(?:turn|switch) (?:back )?(?P<a>on|off) {_CHECK}|(?:turn|switch) {_CHECK} (?:back )?(?P<b>on|off)|"
    rf"(?P<c>disable|enable|"
    rf"deactivate|activate) {_CHECK}|(?P<d>allow) (?:repeats|repetition|duplicates|repetitions))"
    r"(?: (?:for|in|on) (?:the )?(?P<what>.+))?",
    re.IGNORECASE,
)
_BATCH = re.compile(
    r"(?:(?:use|set|make|change|switch to|with|try|put)(?: to)? )?(?:the )?batch(?:es)?(?: size)?(?: (?:of|to|"
    r"is|at|be))*[ =:]*(?P<n>\d+)(?: cases)?|(?:use|write|make|ask for) (?P<m>\d+) (?:cases )?(?:per|a|in a|in "
    r"each) batch",
    re.IGNORECASE,
)
_WORKERS = re.compile(
    r"(?:(?:use|run|set|with|limit to|at most|have|take|change to|only|no more than|run with|make it)(?: (?:at "
    r"most|only|up to|just))? )?(?P<n>\d+) (?:parallel )?workers?(?: (?:at once|in parallel|at a time))?|"
    r"(?:set |limit |change )?(?:the )?(?:max(?:imum)? |number of )?workers(?: (?:to|at|is))*[ =:]*(?P<m>\d+)",
    re.IGNORECASE,
)
_MODEL = re.compile(
    rf"(?:use|set|take|switch to|try|with)(?: the)?(?: model)? (?P<a>{MASK})(?: (?:for|as|in) (?:the |all "
    rf")?workers?(?: model)?)?|(?:set|change|switch) (?:the )?workers?(?:'s|')?(?: model)? (?:to|over to) "
    rf"(?P<b>{MASK})|(?:the )?workers? should (?:use|run on) (?P<c>{MASK})|(?:the )?worker model(?: (?:is|to|"
    rf"should be))?[ =:]*(?P<d>{MASK})",
    re.IGNORECASE,
)
_WINDOW = re.compile(
    r"(?:use|set|make|change)?(?: (?:a|the))? ?diversity[ _]window(?: (?:of|to|is|at))*[ =:]*(?P<n>\d+)|"
    r"compare (?:only )?with the last (?P<m>\d+)(?: cases)?",
    re.IGNORECASE,
)
_INTERVAL = re.compile(
    r"(?:save |make |set |create |take |use )?(?:a |the )?checkpoints? (?:every|after every|each) "
    r"(?P<n>\d+)(?: cases)?|(?:set |change )?(?:the )?checkpoint[ _]interval(?: (?:of|to|is|at))*[ "
    r"=:]*(?P<m>\d+)",
    re.IGNORECASE,
)
_LOOK = re.compile(
    rf"(?:.{{0,80}}\b(?:described|defined|documented|implemented|code|source|lives?|is|are|found|prompt|look|"
    rf"explained)(?: is| lies)? (?:in|at|under|inside|here:?) (?P<a>{MASK})|(?:read|look at|inspect|analy[sz]e|"
    rf"check|check out|scan|describe|study|see)(?: (?:the|my|our|bot|app|application|agent|assistant|code|"
    rf"project|folder|file|source|system prompt|prompt|in|at|from|of|under))* (?P<b>{MASK}))(?: .{{0,40}})?",
    re.IGNORECASE,
)
_GENERIC = re.compile(
    r"(?:\s*(?:test|cases?|examples?|some|ones?|them|of|it|the|dataset|so far|results?|accepted|data|me|from|"
    r"for|in|about|with|questions?|messages?|inputs?|generated|category|please))*",
    re.IGNORECASE,
)


def category_called(phrase: str, names: list[str]) -> str | None:
    """The plan's name for what a person called a category."""
    phrase = bare_phrase(phrase)
    for name in names:
        if phrase and (re.fullmatch(forms(name), phrase, re.IGNORECASE) or slug(phrase) == slug(name)):
            return name
    return None


class Intents:
    """Reads orders about a plan with these categories."""

    def __init__(self, heard: Utterance, names: list[str], stages: Mapping[str, tuple[str, ...]] | None = None) -> None:
        """``stages`` are the comparing stages in force, by category; under the empty name those of the session."""
        self._heard = heard
        self._names = names
        self._stages = stages or {}

    def read(self, clause: str) -> Act | str | None:
        """The act a clause asks for; words when something about it does not fit; None when it is no order."""
        text = _TAIL.sub("", _POLITE.sub("", clause.strip())).strip()
        for pattern, tool in (
            (_PAUSE, "pause_generation"), (_RESUME, "resume_generation"), (_START, "start_generation"),
            (_FINISH, "finalize_dataset"),
        ):  # fmt: skip
            if re.fullmatch(pattern, text, re.IGNORECASE):
                return Act(tool)
        for step in (
            self._adjust,
            self._checkpoint,
            self._export,
            self._load,
            self._look,
            self._rejections,
            self._preview,
        ):
            found = step(text)
            if found is not None:
                return found
        alike = likeness_order(text, self._heard, self._category, self._stages)
        if alike is not None:
            return alike
        if re.fullmatch(_STATUS, text, re.IGNORECASE):
            return Act("get_builder_state_summary")
        return self._show(text)

    def _category(self, words: str) -> str | None:
        return category_called(self._heard.full(words), self._names)

    def _adjust(self, text: str) -> Act | str | None:
        for pattern, key in (
            (_BATCH, "batch_size"), (_WORKERS, "max_workers"), (_WINDOW, "diversity_window"), (_INTERVAL, "checkpoint_interval"),
        ):  # fmt: skip
            if found := pattern.fullmatch(text):
                number = whole(found["n"] or found["m"])
                return (
                    Act("adjust_category", {key: number})
                    if number
                    else f"{key.replace('_', ' ')} has to be at least 1."
                )
        if found := _MODEL.fullmatch(text):
            mask = found["a"] or found["b"] or found["c"] or found["d"]
            return Act("adjust_category", {"worker_model": self._heard.piece(mask)})
        if found := _DIVERSITY.fullmatch(text):
            word = (found["a"] or found["b"] or found["c"] or found["d"]).lower()
            arguments: dict[str, Any] = {"diversity": "on" if word in ("on", "enable", "activate") else "off"}
            if found["what"] and not re.fullmatch(
                r"(?:all|everything|all categories|the dataset)", found["what"], re.IGNORECASE
            ):
                name = category_called(self._heard.full(found["what"]), self._names)
                if name is None:
                    return self._unknown(found["what"])
                arguments = {"category": name, **arguments}
            return Act("adjust_category", arguments)
        return None

    def _checkpoint(self, text: str) -> Act | None:
        found = _CHECKPOINT.fullmatch(text)
        if not found:
            return None
        name = self._heard.full(found["name"] or "").strip()
        return Act("save_checkpoint", {"name": name[:100]} if name and name not in ("here", "now") else {})

    def _export(self, text: str) -> Act | None:
        found = _EXPORT.fullmatch(text)
        if not found or (
            found["verb"].lower() not in ("export", "download", "dump") and not (found["path"] or found["format"])
        ):
            return None
        arguments = {}
        if found["path"]:
            arguments["path"] = self._heard.piece(found["path"])
        if kind := found["format"] or found["late"]:
            arguments["format"] = _FORMATS[kind.lower()]
        return Act("export_dataset", arguments)

    def _load(self, text: str) -> Act | None:
        found = _LOAD.fullmatch(text)
        if not found or not (found["path"] or re.search(r"\b(?:checkpoint|session)\b", text, re.IGNORECASE)):
            return None
        return Act("load_from_checkpoint", {"path": self._heard.piece(found["path"])} if found["path"] else {})

    def _look(self, text: str) -> Act | None:
        found = _LOOK.fullmatch(text)
        path = self._heard.piece(found["a"] or found["b"]) if found else ""
        return Act("describe_target", {"path": path}) if path and re.search(r"[./\\~]", path) else None

    def _rejections(self, text: str) -> Act | None:
        if not _REJECTED.search(text) and not re.fullmatch(
            r"(?:the )?rejections?|(?:the )?rejected(?: cases)?", text, re.IGNORECASE
        ):
            return None
        name = next(
            (n for n in sorted(self._names, key=len, reverse=True) if re.search(forms(n), text, re.IGNORECASE)), None
        )
        return Act("explain_rejections", {"category": name} if name else {})

    def _preview(self, text: str) -> Act | str | None:
        found = _PREVIEW.fullmatch(text)
        if not found:
            return None
        generic = bool(_GENERIC.fullmatch(found["what"]))
        name = (
            self._names[0] if generic and self._names else category_called(self._heard.full(found["what"]), self._names)
        )
        if name is None:
            return self._unknown(found["what"]) if self._names else "There is no plan to preview yet."
        count = whole(found["count"]) if (found["count"] or "").isdigit() else 3
        return Act("preview_cases", {"category": name, "count": min(5, max(3, count))})

    def _show(self, text: str) -> Act | str | None:
        if found := _FIND.fullmatch(text):
            return Act("show_cases", {"count": 5, "text": self._heard.full(found["text"])[:200]})
        arguments: dict[str, Any] = {}
        if searched := _WITH_TEXT.search(text):
            arguments["text"] = self._heard.piece(searched["text"])[:200]
            text = (text[: searched.start()] + text[searched.end() :]).strip()
        found = _SHOW.fullmatch(text)
        if not found or re.search(r"\bprompt|\bkeys?\b|\bpasswords?\b", text, re.IGNORECASE):
            return None
        number = found["count"] or ""
        count = min(50, max(1, whole(number))) if number.isdigit() else 5
        if number.isdigit() and not whole(number):
            return "How many should I show? A number from 1 to 50."
        if _GENERIC.fullmatch(found["what"]):
            plain = re.search(r"\b(?:cases?|examples?|some|ones|dataset|results?|them)\b", text, re.IGNORECASE)
            return Act("show_cases", {"count": count, **arguments}) if plain or number or arguments else None
        name = category_called(self._heard.full(found["what"]), self._names)
        if name is not None:
            return Act("show_cases", {"category": name, "count": count, **arguments})
        told = found["verb"].lower() in ("show", "list", "display") and self._names and len(found["what"].split()) <= 3
        return self._unknown(found["what"]) if told else None

    def _unknown(self, words: str) -> str:
        named = bare_phrase(self._heard.full(words))[:60]
        if not self._names:
            return "There is no plan yet, so there are no categories."
        return f"There is no category called {named}; there are {', '.join(self._names[:20])}."
