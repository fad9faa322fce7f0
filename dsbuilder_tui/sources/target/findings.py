"""Findings in an application's files."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from dsbuilder_tui.domain.sanitise import one_line
from dsbuilder_tui.sources.foreign_text import kept, label

MOST_TOOLS = 200
MOST_PROMPTS = 50
_MOST_PARAMETERS = 40
# Names of what is checked about an input or an answer: by itself it tells the application nothing.
_CHECKS = re.compile(r"guard[ _-]?rail|jail[ _-]?break|self[ _-]check|moderat(?:ion|or)", re.IGNORECASE)
_ALONE_NO_CHECK = re.compile(r"moderat", re.IGNORECASE)  # an application may have moderation as its task


@dataclass(frozen=True, slots=True)
class TargetTool:
    """One tool of the application: its name, its parameters as they are written, what it says it does, where it stands."""

    name: str
    parameters: tuple[str, ...]
    description: str
    where: str


@dataclass(frozen=True, slots=True)
class TargetPrompt:
    """One text that tells the application how to behave. ``name`` is what the code calls it, or empty."""

    name: str
    text: str
    where: str


@dataclass(frozen=True, slots=True)
class TargetAgent:
    """One of the agents that an application is made of, and the agents to which it can hand a conversation over."""

    name: str
    handoffs: tuple[str, ...]
    where: str

    @property
    def words(self) -> str:
        """``Triage → Refunds, Orders``"""
        return self.name + (f" → {', '.join(self.handoffs)}" if self.handoffs else "")


@dataclass(slots=True)
class TargetFindings:
    """What has been read so far, in the order in which it was read."""

    prompts: list[TargetPrompt] = field(default_factory=list)
    tools: list[TargetTool] = field(default_factory=list)
    readmes: list[TargetPrompt] = field(default_factory=list)
    guardrails: list[TargetPrompt] = field(default_factory=list)
    agents: list[TargetAgent] = field(default_factory=list)
    # names that stand in a `tools=[…]`, with where, and every function and call that such a name could mean
    listed: list[tuple[str, str]] = field(default_factory=list)
    defined: dict[str, TargetTool] = field(default_factory=dict)
    # fields of every model by its name, and the tools whose parameters are a model of another file
    models: dict[str, list[str]] = field(default_factory=dict)
    modelled: list[tuple[str, str]] = field(default_factory=list)
    # what the code calls an agent, to the name that it gives it
    agent_names: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def prompt(self, name: str, text: str, where: str) -> None:
        """Keep a prompt, once, however many places it stands in; one that says what is to be checked as a guardrail."""
        if _CHECKS.search(name) or _CHECKS.search(where.rpartition("/")[2]):
            self.guardrail(name, text, where)
            return
        text = kept(text).strip() if len(self.prompts) < MOST_PROMPTS else ""
        if not text:
            return
        for at, other in enumerate(self.prompts):
            if text == other.text:
                if name in self.agent_names.values():  # whose it is tells more than what the code calls it
                    self.prompts[at] = TargetPrompt(label(name), text, other.where)
                return
        self.prompts.append(TargetPrompt(label(name), text, where))

    def guardrail(self, name: str, text: str, where: str) -> None:
        """Keep what a guardrail checks, once. It tells the application nothing."""
        text = kept(text).strip() if len(self.guardrails) < MOST_PROMPTS else ""
        if text and all(text != other.text for other in self.guardrails):
            self.guardrails.append(TargetPrompt(label(name), text, where))

    def agent(self, name: str, handoffs: list[str], where: str) -> None:
        """Keep an agent. ``handoffs`` are what the code calls the others; their names are found when all is read."""
        if len(self.agents) < MOST_PROMPTS and not is_check(name):
            self.agents.append(TargetAgent(label(name), tuple(map(label, handoffs[:MOST_PROMPTS])), where))

    def settle(self) -> None:
        """Find what the listed names mean, now that every file has been read; leave one tool a name, and not too many."""
        by_name: dict[str, TargetTool] = {}
        listed = (
            self.defined.get(name) or make_tool(self.agent_names.get(name, name), (), "", where)
            for name, where in self.listed
        )
        modelled = {name: self.models[model] for name, model in self.modelled if model in self.models}
        for tool in (*self.tools, *listed):
            if tool.name in modelled:
                tool = make_tool(tool.name, modelled[tool.name], tool.description, tool.where)
            other = by_name.setdefault(tool.name, tool)
            if (bool(tool.parameters), bool(tool.description)) > (bool(other.parameters), bool(other.description)):
                by_name[tool.name] = tool
        if len(by_name) > MOST_TOOLS:
            self.notes.append(f"{len(by_name) - MOST_TOOLS:,} tools beyond the first {MOST_TOOLS} are left out")
        self.tools = list(by_name.values())[:MOST_TOOLS]
        if not self.prompts:
            tasks = [each for each in self.guardrails if _ALONE_NO_CHECK.search(f"{each.name} {each.where}")]
            self.prompts, self.guardrails = tasks, [each for each in self.guardrails if each not in tasks]
        guarded = {each.text for each in self.guardrails}
        self.prompts = [each for each in self.prompts if each.text not in guarded]
        self._settle_agents()

    def _settle_agents(self) -> None:
        by_name: dict[str, TargetAgent] = {}
        for agent in self.agents:
            names = tuple(dict.fromkeys(self.agent_names.get(name, name) for name in agent.handoffs))
            before = by_name.get(agent.name)
            both = tuple(dict.fromkeys((*(before.handoffs if before else ()), *names)))
            by_name[agent.name] = TargetAgent(agent.name, both, before.where if before else agent.where)
        self.agents = list(by_name.values())


def is_check(name: str) -> bool:
    """Whether a name is one of a guardrail."""
    return bool(_CHECKS.search(name)) and not _ALONE_NO_CHECK.search(name)


def make_tool(name: str, parameters: tuple[str, ...] | list[str], description: str, where: str) -> TargetTool:
    """A tool with its texts cleaned and of bounded length."""
    shown = [one_line(kept(parameter), 160) for parameter in parameters[:_MOST_PARAMETERS]]
    if len(parameters) > _MOST_PARAMETERS:
        shown.append(f"… {len(parameters) - _MOST_PARAMETERS:,} more")
    return TargetTool(label(name), tuple(shown), one_line(kept(first_paragraph(description)), 600), where)


def first_paragraph(text: str) -> str:
    return re.split(r"\n[ \t]*\n", text.strip(), maxsplit=1)[0]
