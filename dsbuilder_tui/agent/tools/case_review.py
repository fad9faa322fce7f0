"""The person's own look at the cases that deserve it."""

from __future__ import annotations

from collections import Counter

from dsbuilder_tui.agent.tool import Tool, ToolAnswer, ToolArguments, ToolCall
from dsbuilder_tui.domain.plain_words import counted
from dsbuilder_tui.domain.review import DEFAULT_QUEUE


class ReviewCasesArguments(ToolArguments):
    category: str | None = None
    count: int = DEFAULT_QUEUE


class ReviewCases(Tool[ReviewCasesArguments]):
    name = "review_cases"
    order = 95
    description = "The person reviews what deserves it, one by one."
    arguments = ReviewCasesArguments
    effect = False

    async def run(self, call: ToolCall, arguments: ReviewCasesArguments) -> ToolAnswer:
        queue = await call.host.session.review.queue(category=arguments.category, most=arguments.count)
        if not queue.items:
            return ToolAnswer("No case waits for a look.", {"reviewed": queue.reviewed})
        reasons = Counter(item.reason.value.replace("_", " ") for item in queue.items)
        listed = ", ".join(f"{count} {why}" for why, count in reasons.items())
        where = call.host.show_review(arguments.category, arguments.count)
        said = f"{counted(len(queue.items), 'case')} to review ({listed}). {where}"
        return ToolAnswer(said, {"reviewed": queue.reviewed})
