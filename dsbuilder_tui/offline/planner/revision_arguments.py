"""Changes to a plan as revise_plan takes them: carrying them out, and finding them between two plans."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from dsbuilder_tui.domain.plan import DatasetPlanInput

_DETAILS = ("description", "attributes", "example_inputs", "expectations", "expected_tools", "validators")


def as_arguments(plan: DatasetPlanInput) -> dict[str, Any]:
    """A plan as propose_plan takes it."""
    data = plan.model_dump(mode="json", exclude={"total_instances"})
    if set(data["input_fields"]) == {"query"}:
        del data["input_fields"]
    if not data["validators"]:
        del data["validators"]
    for category in data["categories"]:
        own = category.pop("diversity", "on")
        if own != "on":
            category["diversity"] = own
        for field in ("expected_tools", "validators"):
            if not category[field]:
                del category[field]
    return data


def carried_out(plan: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """The plan (as propose_plan takes it) with what revise_plan's arguments say; unknown names are passed over."""
    new: dict[str, Any] = copy.deepcopy(dict(plan))
    renamed = dict(changes.get("rename") or {})
    counts, removed = dict(changes.get("counts") or {}), set(changes.get("remove") or [])
    kept = []
    for category in new.get("categories", []):
        old = category["name"]
        if old in removed:
            continue
        category["count"] = counts.get(old, counts.get(renamed.get(old, old), category["count"]))
        for change in changes.get("change") or []:
            if change.get("category") in (old, renamed.get(old, old)):
                category.update({key: change[key] for key in _DETAILS if key in change})
        category["name"] = renamed.get(old, old)
        kept.append(category)
    new["categories"] = [*kept, *copy.deepcopy(changes.get("add") or [])]
    return new


def difference(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """What revise_plan needs to get from one plan to the other."""
    before = {category["name"]: category for category in old["categories"]}
    after = {category["name"]: category for category in new["categories"]}
    changes: dict[str, Any] = {}
    if added := [copy.deepcopy(after[name]) for name in after if name not in before]:
        changes["add"] = added
    if removed := [name for name in before if name not in after]:
        changes["remove"] = removed
    both = [name for name in after if name in before]
    if counts := {name: after[name]["count"] for name in both if after[name]["count"] != before[name]["count"]}:
        changes["counts"] = counts
    details = []
    for name in both:
        differing = {key: after[name].get(key) for key in _DETAILS if after[name].get(key) != before[name].get(key)}
        if differing:
            details.append({"category": name, **differing})
    if details:
        changes["change"] = details
    return changes
