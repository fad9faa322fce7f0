"""What is said of a session's history, and what the built-in planner does about it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dsbuilder_tui.offline.planner.planning_context import PlanningContext
from dsbuilder_tui.offline.planner.understand import understand
from tests.offline.planner.planning import acts_of, shop_plan

PLANNED = PlanningContext(plan=shop_plan(), first=shop_plan(refunds=5, complaints=7))
# The history of a session whose branches are main, main-1 and “angrier refunds”.
HISTORY: list[tuple[str, str, dict[str, object]]] = [
    ("undo that", "undo", {}),
    ("can you undo it please", "undo", {}),
    ("take that back", "undo", {}),
    ("undo the last three", "undo", {"steps": 3}),
    ("undo my last 2 changes", "undo", {"steps": 2}),
    ("redo", "undo", {"redo": True}),
    ("redo the last two", "undo", {"redo": True, "steps": 2}),
    ("go back to the 100th case", "rewind", {"cases": 100}),
    ("can we go back to the 100th case please?", "rewind", {"cases": 100}),
    ("rewind to 250 cases", "rewind", {"cases": 250}),
    ("go back to case 50", "rewind", {"cases": 50}),
    ("back to when we had 200 cases", "rewind", {"cases": 200}),
    ("go back to before I changed refunds", "rewind", {"before_change": "refunds"}),
    ("take me back to before we changed the product info", "rewind", {"before_change": "product_info"}),
    ("return to the version before I edited order status", "rewind", {"before_change": "order_status"}),
    ("revert to before the last change", "rewind", {"before_change": "plan"}),
    ("go back to before I changed the plan", "rewind", {"before_change": "plan"}),
    ("rewind to checkpoint 3", "rewind", {"checkpoint": 3}),
    ("undo everything back to checkpoint 2", "rewind", {"checkpoint": 2}),
    ("go back to the checkpoint called before lunch", "rewind", {"name": "before lunch"}),
    ("go back to yesterday evening", "rewind", {"when": "yesterday evening"}),
    ("take me back to where it was two hours ago", "rewind", {"when": "2 hours ago"}),
    ("rewind to monday at 18:30 please", "rewind", {"when": "monday at 18:30"}),
    ("how did it look this morning?", "show_checkpoint", {"when": "this morning"}),
    ("what was it as of 2026-11-27 9:15 pm", "show_checkpoint", {"when": "2026-11-27 9:15 pm"}),
    ("what did it look like before I changed refunds", "show_checkpoint", {"before_change": "refunds"}),
    ("what did it look like before I changed refunds?", "show_checkpoint", {"before_change": "refunds"}),
    ("how did it look at the 100th case?", "show_checkpoint", {"cases": 100}),
    ("show me how it was before we changed product info", "show_checkpoint", {"before_change": "product_info"}),
    ("show checkpoint 4", "show_checkpoint", {"checkpoint": 4}),
    ("try this with another model", "fork_branch", {"branch": "another-model"}),
    ("try the same with a cheaper model instead", "fork_branch", {"branch": "another-model"}),
    ("try this with gpt-4o-mini", "fork_branch", {"branch": "gpt-4o-mini", "worker_model": "gpt-4o-mini"}),
    ("fork here as angrier", "fork_branch", {"branch": "angrier"}),
    ("fork at the 100th case as angrier", "fork_branch", {"cases": 100, "branch": "angrier"}),
    ("branch off as old before I changed refunds", "fork_branch", {"before_change": "refunds", "branch": "old"}),
    ("fork before I changed refunds as old", "fork_branch", {"before_change": "refunds", "branch": "old"}),
    ("fork from yesterday evening", "fork_branch", {"when": "yesterday evening"}),
    ("fork", "fork_branch", {}),
    ("delete the branch main-1", "delete_branch", {"branch": "main-1"}),
    ("please get rid of the angrier refunds branch", "delete_branch", {"branch": "angrier refunds"}),
    ("bring back branch main-1", "delete_branch", {"branch": "main-1", "restore": True}),
    ("restore the deleted branch “angrier refunds”", "delete_branch", {"branch": "angrier refunds", "restore": True}),
    ("branch off here", "fork_branch", {}),
    ("make a new branch called shorter answers", "fork_branch", {"branch": "shorter answers"}),
    ("list the branches", "list_branches", {}),
    ("which branches are there?", "list_branches", {}),
    ("show me the checkpoints", "list_branches", {}),
    ("go back to main-1", "switch_branch", {"branch": "main-1"}),
    ("switch to Angrier Refunds", "switch_branch", {"branch": "angrier refunds"}),
    ("go to branch nobody", "switch_branch", {"branch": "nobody"}),
    ("work on the branch main", "switch_branch", {"branch": "main"}),
    ("compare main with main-1", "compare_branches", {"before": "main", "after": "main-1"}),
    ("compare main-1 with this", "compare_branches", {"before": "main-1"}),
    ("compare checkpoint 3 with main", "compare_branches", {"before": "3", "after": "main"}),
]
# What sounds alike and is about something else.
NO_HISTORY = [
    ("load the last checkpoint", "load_from_checkpoint"), ("go back to saved_checkpoint.json", "load_from_checkpoint"),
    ("restore my session", "load_from_checkpoint"), ("go back to the first plan", "revise_plan"),
    ("show case 100", "ask_data"), ("go on", "resume_generation"), ("use gpt-4o for the workers", "adjust_category"),
    ("save a checkpoint", "save_checkpoint"), ("go", "start_generation"),
]  # fmt: skip


@pytest.mark.parametrize(("said", "tool", "arguments"), HISTORY)
def test_what_is_said_of_the_history(said: str, tool: str, arguments: dict[str, object]) -> None:
    of_session = replace(PLANNED, branches=("main", "main-1", "angrier refunds"))
    assert acts_of(understand(said, of_session)) == [(tool, arguments)]


@pytest.mark.parametrize(("said", "tool"), NO_HISTORY)
def test_what_sounds_like_the_history_and_is_not(said: str, tool: str) -> None:
    assert [name for name, _ in acts_of(understand(said, PLANNED))] == [tool]


def test_a_change_that_there_was_not_is_said() -> None:
    reading = understand("go back to before we changed the unicorns", PLANNED)
    assert reading.acts == () and "There is no category called unicorns" in reading.words
