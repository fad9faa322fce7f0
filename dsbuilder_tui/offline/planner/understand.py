"""From what a person says to what has to be done. Never raises, and does nothing that was not asked for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from dsbuilder_tui.domain.errors import PlanError
from dsbuilder_tui.domain.plain_words import counted
from dsbuilder_tui.domain.plan import parse_plan
from dsbuilder_tui.domain.plan_patch import PlanPatch
from dsbuilder_tui.domain.sanitise import one_line
from dsbuilder_tui.offline.planner.axis_requests import axes_in, with_axes
from dsbuilder_tui.offline.planner.changes import PlanChanger
from dsbuilder_tui.offline.planner.clauses import PlanChanges, clauses, without_courtesy
from dsbuilder_tui.offline.planner.counts import plain_numbers
from dsbuilder_tui.offline.planner.diversity_requests import about_pairs, fewer
from dsbuilder_tui.offline.planner.document_requests import documents_in, written_from
from dsbuilder_tui.offline.planner.exclusion_requests import exclusions_in, without_subjects
from dsbuilder_tui.offline.planner.expected_tool_calls import one_tool_a_clause
from dsbuilder_tui.offline.planner.extension_requests import extension_in, traces_in
from dsbuilder_tui.offline.planner.failure_requests import failing_in
from dsbuilder_tui.offline.planner.fallback_replies import not_understood, says_yes, small_words
from dsbuilder_tui.offline.planner.intent_table import intent_table
from dsbuilder_tui.offline.planner.intents import Intents
from dsbuilder_tui.offline.planner.naming import slug, words_of
from dsbuilder_tui.offline.planner.pair_requests import pairs_in, with_pairs
from dsbuilder_tui.offline.planner.passage_requests import more_from_place
from dsbuilder_tui.offline.planner.plan_arguments import as_arguments
from dsbuilder_tui.offline.planner.planning_context import Act, Interpretation, PlanningContext
from dsbuilder_tui.offline.planner.proposal import ProposedPlan, propose
from dsbuilder_tui.offline.planner.request import examples_in, read_request
from dsbuilder_tui.offline.planner.row_requests import rows_in, with_rows
from dsbuilder_tui.offline.planner.single_cases import about_single_case
from dsbuilder_tui.offline.planner.spelling import respelled, respelled_names
from dsbuilder_tui.offline.planner.target_requests import target_in
from dsbuilder_tui.offline.planner.template_requests import made_so, templates_in
from dsbuilder_tui.offline.planner.topics import Topics
from dsbuilder_tui.offline.planner.utterance import Utterance, hear

_LONGEST_ANSWER = 500
_TABLE = intent_table()


def understand(
    text: str, situation: PlanningContext, earlier: str = "", topics: Topics | None = None, *, target_read: bool = False
) -> Interpretation:
    """What a message asks for. ``earlier`` is the message that was answered with a question, if the last one was.

    ``target_read`` says that the application which the message names has been read already; before that nothing is planned.
    """
    topics = topics or Topics()
    if not text.strip():
        return Interpretation(words=not_understood())
    names = [category.name for category in situation.base.categories] if situation.base else []
    text, slips = respelled_names(text, names)
    reading = _understood(text, situation, earlier, topics, target_read=target_read)
    if reading.unread and not reading.acts:
        again, more = respelled(text, names, _TABLE.spelling)
        other = _understood(again, situation, earlier, topics, target_read=target_read) if more else reading
        if not other.unread:
            reading, slips = other, slips | more
    if slips and not reading.unread:
        told = ", ".join(f"“{one_line(wrong, 40)}” as {right}" for wrong, right in slips.items())
        reading = replace(reading, words=f"I read {told}. {reading.words}".strip())
    return reading


def _understood(
    text: str, situation: PlanningContext, earlier: str, topics: Topics, *, target_read: bool
) -> Interpretation:
    """What a message asks for, spelt as it is."""
    heard = hear(text)
    if not heard.said and not heard.document:  # nothing but pictures
        return Interpretation(words=not_understood())
    extension = extension_in(heard) or traces_in(heard) if situation.plan is None else None
    if extension is not None:
        return extension
    if situation.plan is not None and (failing := failing_in(heard)) is not None:
        return failing
    if (first := _reading_first(heard, situation, topics)) is not None:
        path, heard = first
        if not target_read:
            return Interpretation((Act("describe_target", {"path": path}),))
    reading = _read(heard, situation, topics)
    if earlier and reading.acts:  # it was asked what to write from documents, or about rows, that had been named
        before, rows, _ = rows_in(hear(earlier))
        return with_rows(written_from(reading, documents_in(before)[1], situation), rows, situation)
    if (
        earlier
        and not reading.acts
        and _answers(text, situation)
        and _read(_bare(earlier, situation), situation, topics).asks
    ):
        for both in _joined(earlier, text):
            joined = _read(_bare(both, situation), situation, topics)
            if joined.acts:
                return joined
    return reading


def _reading_first(heard: Utterance, situation: PlanningContext, topics: Topics) -> tuple[str, Utterance] | None:
    """The path of the application that a first request names, and the request without it; None for what is no request."""
    named = target_in(heard, situation.folder) if situation.base is None else None
    if named is None:
        return None
    request = _read(named.heard, situation, topics)
    plans = request.asks or any(act.tool == "propose_plan" for act in request.acts)
    return (named.path, named.heard) if plans else None


def _bare(text: str, situation: PlanningContext) -> Utterance:
    """What was said, without the path of an application that has been read."""
    heard = hear(text)
    named = target_in(heard, situation.folder)
    return named.heard if named is not None else heard


def _answers(text: str, situation: PlanningContext) -> bool:
    """Whether a message can be the answer to a question."""
    return len(text) < _LONGEST_ANSWER and not small_words(text, situation) and not says_yes(text)


def _joined(earlier: str, text: str) -> list[str]:
    """The ways in which a request and the answer to the question about it make one sentence."""
    if number := _TABLE.phrase("count_alone").fullmatch(plain_numbers(text.strip())):
        return [f"{number[1]} cases: {earlier}"]
    if re.fullmatch(r"[\"“«].+[\"”»]", text.strip()):
        return [f"{earlier}, for example {text}"]
    return [f"{earlier}: {text}", f"{earlier} {text}", f"{text}: {earlier}"]


def _read(heard: Utterance, situation: PlanningContext, topics: Topics) -> Interpretation:
    acts = [Act("describe_target", {"text": heard.document})] if heard.document else []
    if (more := more_from_place(heard, situation.base)) is not None:
        plan, problem = more
        return Interpretation(words=problem) if problem else _offer(plan, situation, [])
    heard, rows, problem = rows_in(heard)
    if problem:
        return Interpretation(words=problem)
    heard, documents = documents_in(heard)
    heard, axes = axes_in(heard, situation)
    heard, excluded = exclusions_in(heard, situation)
    heard, modes = templates_in(heard)
    heard, pairs = pairs_in(one_tool_a_clause(heard))
    rest = _said(heard, situation, topics) if heard.said.strip(" .:,;!") else Interpretation()
    rest = without_subjects(with_axes(rest, axes, situation), excluded, situation)
    rest = made_so(written_from(rest, documents, situation), modes, situation)
    rest = with_rows(with_pairs(rest, pairs, situation), rows, situation)
    if heard.too_long:
        note = _TABLE.reply("too_long")
        rest = replace(rest, words=f"{note} {rest.words}".strip())
    if acts and not rest.acts:
        return Interpretation(tuple(acts), rest.words if rest.asks else "")
    if not acts and not rest.acts and not rest.words:
        return Interpretation(words=not_understood(), unread=True)
    return replace(rest, acts=(*acts, *rest.acts))


def _said(heard: Utterance, situation: PlanningContext, topics: Topics) -> Interpretation:
    said = heard.said
    if small := small_words(said, situation):
        return Interpretation(words=small)
    if (asked := _how_to(heard, situation, topics)) is not None:
        return asked
    if _TABLE.phrase("what_if").fullmatch(said.strip(" .?!")):
        return Interpretation(words=_TABLE.reply("what_if"))
    if (single := about_single_case(said, situation)) is not None:
        return single
    if alike := about_pairs(said):
        return Interpretation(words=alike)
    if (lower := fewer(said, situation)) is not None:
        return Interpretation((lower,))
    base = situation.base
    orders = [Intents(heard, [], branches=situation.branches).read(clause) for clause in clauses(said)]
    starts = bool(orders) and all(isinstance(order, Act) and order.tool == "start_generation" for order in orders)
    if situation.proposed is not None and (says_yes(said) or (starts and situation.plan is None)):
        return _offer(as_arguments(situation.proposed), situation, [])
    if (again := situation.proposed or situation.sent_back) is not None and _TABLE.phrase("plan_again").fullmatch(said):
        return _offer(as_arguments(again), situation, [])
    if _TABLE.phrase("first_plan").fullmatch(said) and base is not None:
        return _offer(as_arguments(situation.first), situation, []) if situation.first else _no_first_plan()
    if says_yes(said) and not starts:
        return Interpretation(words=f"{_TABLE.reply('nothing_waits')} {_TABLE.reply('start' if base else 'no_plan')}")
    if base is None and all(
        order is not None or says_yes(clause) for order, clause in zip(orders, clauses(said), strict=True)
    ):
        return _wishes(heard, situation, topics) or Interpretation()
    request = read_request(heard, topics)
    whole_request = len(request.items) > 1 and bool(request.totals and request.subject)
    split = base is not None and bool(_TABLE.phrase("split_whole").match(said))
    proposal = (
        propose(request, topics, situation.tools)
        if base is None or whole_request or split or _TABLE.phrase("anew").search(said)
        else None
    )
    if proposal is not None and proposal.plan is not None:
        if split and base is not None:  # it stays the dataset that it is
            proposal.plan |= {"dataset_name": base.dataset_name, "description": base.description}
        return _proposed(proposal, situation)
    reading = _wishes(heard, situation, topics)
    if reading is not None:
        return reading
    if proposal is not None:
        return Interpretation(words=" ".join(proposal.words), asks=True)
    if base is None:
        topic = topics.domain(said)
        listed = request.items and all(item.count is None for item in request.items)
        of_bot = topic and _TABLE.phrase("of_bot").search(said)
        if listed or of_bot:
            return Interpretation(words=_TABLE.reply("how_many"), asks=True)
    if _TABLE.phrase("about_bot").match(said) and len(said) > 40:
        return Interpretation((Act("describe_target", {"text": heard.full(said)}),))
    return Interpretation(words=not_understood(heard.full(said), situation), unread=True)


def _how_to(heard: Utterance, situation: PlanningContext, topics: Topics) -> Interpretation | None:
    """“How do I export to csv”: what to say for it, and where it is; nothing is done."""
    found = _TABLE.phrase("how_to").fullmatch(heard.said.strip(" .?!"))
    if found is None:
        return None
    if (told := _TABLE.how_to_reply(found["what"])) is not None:
        return Interpretation(words=told)
    wish = _said(replace(heard, said=found["what"]), situation, topics)
    if wish.acts and not wish.unread:
        return Interpretation(words=_TABLE.reply("say_just_that", words=words_of(heard.full(found["what"]))))
    return Interpretation(words=not_understood(heard.full(found["what"]), situation), unread=True)


def _no_first_plan() -> Interpretation:
    return Interpretation(words=_TABLE.reply("no_first_plan"))


def _proposed(proposal: ProposedPlan, situation: PlanningContext) -> Interpretation:
    return _offer(proposal.plan or {}, situation, proposal.words, anew=True)


def _offer(
    plan: dict[str, Any],
    situation: PlanningContext,
    notes: list[str],
    *,
    anew: bool = False,
    renamed: Mapping[str, str] | None = None,
) -> Interpretation:
    """Puts a plan before the person: as a new one, or as a change to the one there is, some categories of which may be
    ``renamed`` (old → new)."""
    unread = plan.pop("not_understood", ())
    try:
        checked = parse_plan(plan)
    except PlanError as error:
        return Interpretation(words=f"That would not be a plan: {error.problems[0]}.")
    if situation.plan is not None and not anew:
        arguments = PlanPatch.between(situation.plan, checked, renamed).arguments()
        if not arguments:
            return Interpretation(words=_TABLE.reply("planned_already"))
        return Interpretation((Act("revise_plan", arguments),), _sentences(notes))
    counts = ", ".join(f"{c.name} {c.count:,}" for c in checked.categories[:12])
    words = (
        f"{counted(checked.total_instances, 'case')} for {checked.dataset_name}: "
        f"{counts}{', …' if len(checked.categories) > 12 else ''}."
    )
    given = {**plan, "not_understood": list(unread)} if unread else plan
    return Interpretation((Act("propose_plan", given),), _sentences([*notes, words]))


def _sentences(parts: list[str]) -> str:
    return " ".join(part for part in parts if part)


def _wishes(heard: Utterance, situation: PlanningContext, topics: Topics) -> Interpretation | None:
    """Intents and changes, clause by clause; None when not one clause is understood."""
    base = situation.base
    said, examples = examples_in(heard, heard.said)
    plan = as_arguments(base) if base else {"categories": []}
    orders = Intents(
        heard,
        [c.name for c in base.categories] if base else [],
        situation.stages_by_category,
        situation.axes,
        situation.branches,
    )
    changes = PlanChanges(plan)
    changer = PlanChanger(changes, heard, topics, examples)
    acts: list[Act] = []
    words: list[str] = []
    unread: list[str] = []
    for clause in clauses(said, changes.names):
        if base and changer.read_judging(clause):  # “don't judge …” refuses nothing of ours
            continue
        if _TABLE.phrase("refused").match(clause) and not (base and changer.read(clause)):
            words.append(_TABLE.reply("left_alone"))
            continue
        if _TABLE.phrase("refused").match(clause):
            continue
        found = orders.read(clause)
        if found is None and (
            small_words(clause, situation) or says_yes(clause) or without_courtesy(f"{clause} .") == ""
        ):
            continue
        if isinstance(found, Act):
            acts.append(found)
            continue
        if base and (_named(clause, base.dataset_name, heard, situation, changes) or changer.read(clause)):
            continue
        if isinstance(found, str):
            words.append(found)
        else:
            unread.append(words_of(heard.full(clause)))
    if not acts and not words and not changes.done and not changes.problem:
        return None
    return _together(acts, words, unread, changes, situation)


def _named(clause: str, now: str, heard: Utterance, situation: PlanningContext, changes: PlanChanges) -> bool:
    """“call it shop_bot”: the dataset's own name."""
    found = _TABLE.phrase("dataset_name").fullmatch(clause)
    name = slug(heard.full(found[1] or found[2])) if found else ""
    if not name:
        return False
    if situation.plan is not None:
        changes.problem = _TABLE.reply("name_stays", name=now)
    else:
        changes.plan["dataset_name"] = name
        changes.done = True
    return True


def _together(
    acts: list[Act], words: list[str], unread: list[str], changes: PlanChanges, situation: PlanningContext
) -> Interpretation:
    if situation.base is None and any(act.tool in _TABLE.need_a_plan for act in acts):
        acts = [act for act in acts if act.tool not in _TABLE.need_a_plan]
        words.append(_TABLE.reply("no_plan"))
    asks = bool(changes.problem)
    if changes.problem:
        words.append(changes.problem)
    elif changes.done:
        later = [act for act in acts if act.tool in _TABLE.after_a_change]
        acts = [act for act in acts if act not in later]
        if later:
            words.append(_TABLE.reply("after_your_yes"))
        # A rename is told as one: to drop a category and add another would lose what it holds.
        renamed = changes.rename if situation.proposed is None else None
        offered = _offer(changes.plan, situation, [], renamed=renamed)
        acts += offered.acts
        words += [*changes.notes, offered.words]
    if changes.rewrites and changes.done and not changes.problem and any(situation.accepted.values()):
        planned = situation.base.categories if situation.base else ()
        all_written = all(situation.accepted.get(category.name, 0) >= category.count for category in planned)
        added = len(changes.categories) > len(planned)
        words.append(_TABLE.reply("written_stays" if all_written and not added else "accepted_stays"))
    if unread:
        words.append("I did not understand " + ", ".join(f"“{text}”" for text in unread[:3]) + ".")
    distinct = [act for at, act in enumerate(acts) if act not in acts[:at]]
    return Interpretation(tuple(distinct), _sentences(words), asks=asks, unread=bool(unread))
