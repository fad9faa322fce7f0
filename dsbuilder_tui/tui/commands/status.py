"""``/status``: where the session stands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dsbuilder_tui.domain.message import CommandContent, MessageRole
from dsbuilder_tui.domain.plain_words import counted
from dsbuilder_tui.tui.slash_command import SlashCommand
from dsbuilder_tui.wording import cost_words, eta_words, judged_lines, rate_words

if TYPE_CHECKING:
    from dsbuilder_tui.tui.studio.actions import StudioActions


async def _status(actions: StudioActions, argument: str) -> None:
    summary = await actions.live.session.summary()
    view = actions.live.view
    if not actions.live.session.planned:
        await actions.live.tell(
            f"**{summary.dataset_name}** has no plan yet. Folder: `{summary.path}`", CommandContent()
        )
        return
    words = [
        f"**{summary.dataset_name}**: {summary.instances_created:,} of {counted(summary.total_instances_planned, 'case')} "
        f"({summary.progress_percentage} %), {view.state}.",
        "",
        "| category | planned | accepted | rejected | exhausted |",
        "|---|--:|--:|--:|--:|",
    ]
    for name, c in summary.categories.items():
        words.append(f"| {name} | {c['planned']} | {c['accepted']} | {c['rejected']} | {c['exhausted']} |")
    stages = ", ".join(f"{stage} {count}" for stage, count in summary.rejections.items()) or "none"
    elsewhere = summary.checkpoints_elsewhere
    checkpoints = f"{summary.checkpoints:,}{f', and {elsewhere:,} on other branches' if elsewhere else ''}"
    words += ["", f"Rejections by stage: {stages}. Checkpoints: {checkpoints}."]
    pace = [part for part in (rate_words(view), eta_words(view)) if part] if view.busy else []
    if pace:
        words.append(f"{', '.join(pace)}.")
    words += [f"Judged: {line}." for line in judged_lines(summary.judged_counts)]
    if spent := cost_words(summary.cost):
        words.append(f"Cost: {spent}.")
    words.append(f"Folder: `{summary.path}`")
    await actions.live.session.chat.add(MessageRole.DSBUILDER, "\n".join(words), CommandContent())


COMMAND = SlashCommand(
    name="status",
    words="where the session stands",
    rank=60,
    run=_status,
)
