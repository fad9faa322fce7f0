"""The base of every tool: arguments that are checked, an answer in words, a question if need be."""

from __future__ import annotations

import difflib
import json
import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from dsbuilder_tui.agent.host import Host
from dsbuilder_tui.domain.approval import ApprovalRequest
from dsbuilder_tui.domain.errors import InputError
from dsbuilder_tui.domain.plain_words import counted, plain_words
from dsbuilder_tui.domain.plan import DatasetPlanInput
from dsbuilder_tui.session import Session

MOST_ANSWER = 8_000  # characters of an answer that a model sees


class ToolArguments(BaseModel):
    """The arguments of a tool. The docstrings of the fields are what the model reads."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)


class NoArguments(ToolArguments):
    """For tools that take none."""


A = TypeVar("A", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class ToolAnswer:
    """What a tool answers: ``said`` is one sentence for a person, ``data`` more of it for the model."""

    said: str
    data: Mapping[str, Any] = field(default_factory=dict)
    ok: bool = True
    hint: str = ""

    def text(self) -> str:
        """As the model gets it. Bounded: what does not fit is cut off, and said to be."""
        head = {"ok": True, "said": self.said} if self.ok else {"ok": False, "error": self.said, "way_out": self.hint}
        whole = json.dumps({**head, **self.data}, ensure_ascii=False)
        if len(whole) <= MOST_ANSWER:
            return whole
        return json.dumps({**head, "cut": f"{whole[: MOST_ANSWER - 1000]} … (cut off here)"}, ensure_ascii=False)


def no_such_category(name: str, plans: list[DatasetPlanInput]) -> str:
    """The sentence that a plan has no category of this name, and which there are."""
    names = ", ".join(c.name for plan in plans for c in plan.categories)
    return f"There is no category {name!r}; there are: {names or 'none yet'}."


def plan_in_force(session: Session, *, running: bool) -> ToolAnswer:
    """What a tool answers that has put a plan into force."""
    revision, plan = session.plans.revision, session.plan
    size = f"{counted(len(plan.categories), 'category')}, {counted(plan.total_instances, 'case')}"
    data = {"revision": revision, "running": running, "planned": plan.total_instances}
    return ToolAnswer(f"Plan revision {revision} is in force: {size}.", data)


@dataclass(frozen=True, slots=True)
class ToolCall:
    """One call of a tool: where it works, what the person typed with their own hands, what was approved."""

    host: Host
    call_id: str
    typed: tuple[str, ...] = ()
    approved: ApprovalRequest | None = None  # the question that the person said yes to, with their answer
    pastes: Mapping[str, str] = field(default_factory=dict)  # large texts the person pasted, by number

    def was_typed(self, text: str) -> bool:
        """Whether the person wrote this themselves. What a document or a model says does not count."""
        wanted = " ".join(text.split()).casefold()
        return bool(wanted) and any(
            re.search(rf"(?<![\w./\\-]){re.escape(wanted)}(?![\w/\\-])", " ".join(said.split()).casefold())
            for said in self.typed
        )

    def require_plan(self) -> None:
        """Raises ``InputError``, with a way out for the agent, while there is no plan."""
        if not self.host.session.planned:
            raise InputError("There is no plan yet.", "Propose one with propose_plan.")

    def named_path(self, text: str) -> Path:
        """A path as the person wrote it, as an absolute one. Raises ``InputError`` for what is no path."""
        if not text.strip() or "\0" in text:
            raise InputError(f"{text!r} is not a path.", "Name a file, such as dataset.jsonl.")
        try:
            return Path(text.strip()).expanduser().absolute()
        except RuntimeError:
            raise InputError(f"{text!r} names a home folder that does not exist.", "Write the whole path.") from None


class Tool(ABC, Generic[A]):
    """One tool. ``effect`` says that it changes something, and is therefore carried out once for each call at most.

    ``order`` is its place in the list that a model is given: the smaller, the earlier.
    """

    name: ClassVar[str]
    description: ClassVar[str]
    arguments: type[A]
    effect: ClassVar[bool] = True
    asks: ClassVar[bool] = False  # it may have a question for the person
    order: ClassVar[int] = 1000

    def doing(self, arguments: A) -> str:
        """What it does, for the line with the spinner."""
        return self.name.replace("_", " ")

    async def question(self, call: ToolCall, arguments: A) -> ApprovalRequest | None:
        """What the person must say yes to before it is carried out. Raises ``DsbuilderError`` when it cannot be anyway."""
        return None

    @abstractmethod
    async def run(self, call: ToolCall, arguments: A) -> ToolAnswer:
        """Carry it out. Raises ``DsbuilderError``, which the model is told."""

    def parse(self, text: str) -> A:
        """The arguments out of what a model wrote. Raises ``InputError`` naming each argument, its value and the fix."""
        try:
            given = json.loads(text or "{}")
        except (ValueError, RecursionError) as error:
            raise InputError(f"The arguments of {self.name} are not JSON: {error}.", "Send one JSON object.") from None
        if not isinstance(given, dict):
            raise InputError(f"The arguments of {self.name} must be one JSON object.", "Send {} for none.")
        given = {key: _unpacked(value) for key, value in given.items() if value is not None}
        try:
            return self.arguments.model_validate(given)
        except ValidationError as error:
            problems = "; ".join(self._problem(detail) for detail in error.errors()[:8])
            raise InputError(f"The arguments cannot be used: {problems}.", "Correct them and call again.") from None

    def _problem(self, detail: Any) -> str:
        where = "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in detail["loc"]).lstrip(".")
        if detail["type"] == "missing":
            return f"{where} is missing"
        if detail["type"] == "extra_forbidden":
            known = list(self.arguments.model_fields)
            close = difflib.get_close_matches(str(detail["loc"][-1]), known, n=1)
            return f"{where} is not known" + (
                f", did you mean {close[0]}?" if close else f"; known: {', '.join(known)}"
            )
        shown = repr(detail.get("input"))
        return f"{where}: {shown if len(shown) <= 80 else shown[:77] + '…'} {plain_words(detail)}"

    def schema(self) -> dict[str, Any]:
        """The JSON schema of its arguments, without references: not every server follows those."""
        whole = self.arguments.model_json_schema()
        return dict(_plain_schema(whole, whole.get("$defs", {})))


def _unpacked(value: Any) -> Any:
    """Lists and objects that a model has packed into a string."""
    if isinstance(value, str) and value.strip()[:1] in ("[", "{"):
        try:
            return json.loads(value)
        except (ValueError, RecursionError):
            return value
    return value


def _plain_schema(value: Any, known: Mapping[str, Any]) -> Any:
    if isinstance(value, list):
        return [_plain_schema(inner, known) for inner in value]
    if not isinstance(value, dict):
        return value
    if "$ref" in value:
        beside = {key: inner for key, inner in value.items() if key != "$ref"}  # what the field says of itself wins
        return _plain_schema({**known[value["$ref"].rpartition("/")[2]], **beside}, known)
    options = [o for o in value.get("anyOf", ()) if o != {"type": "null"}]
    if len(options) == 1:  # an argument that may be left out
        rest = {key: inner for key, inner in value.items() if key not in ("anyOf", "default")}
        return _plain_schema({**options[0], **rest}, known)
    return {
        key: ({name: _plain_schema(inner, known) for name, inner in value[key].items()} if key == "properties"
              else _plain_schema(inner, known))
        for key, inner in value.items()
        if key not in ("$defs", "title") and not (key == "default" and inner is None)
    }  # fmt: skip
