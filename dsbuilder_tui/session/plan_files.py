"""Plans that lie in files: YAML or JSON from a path or a text, and the examples that come with the package."""

from __future__ import annotations

from dsbuilder_tui.store.plan_file import example_names, load_example, load_plan, plan_of_text

__all__ = ["example_names", "load_example", "load_plan", "plan_of_text"]
