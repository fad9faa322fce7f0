"""Plans that lie in files: YAML or JSON from a path or a text, and the examples that come with the package."""

from __future__ import annotations

from pathlib import Path

from dsbuilder_tui.domain.plan import DatasetPlanInput, parse_plan
from dsbuilder_tui.sources.rubric_file import with_rubric_file
from dsbuilder_tui.store.plan_file import example_names, load_example, plan_of_text, read_plan

__all__ = ["example_names", "load_example", "load_plan", "plan_of_text"]


def load_plan(path: str | Path) -> DatasetPlanInput:
    """A plan from a ``.yaml``, ``.yml`` or ``.json`` file; a rubric may be a Markdown file beside it.

    Raises ``InputError`` or ``PlanError`` with the way out.
    """
    path = Path(path).expanduser()
    return parse_plan(with_rubric_file(read_plan(path), path.parent), str(path))
