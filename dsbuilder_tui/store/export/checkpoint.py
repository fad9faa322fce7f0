"""The seed-format checkpoint JSON, which can be imported again (``store/imports/seed_checkpoint.py``)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, BinaryIO

import orjson

from dsbuilder_tui.domain.case import runs
from dsbuilder_tui.domain.clock import iso
from dsbuilder_tui.domain.plan import DatasetPlanInput
from dsbuilder_tui.store.export.export_format import DatasetShape, ExportFormat
from dsbuilder_tui.store.export.json_array import ArrayWriter

SEED_SUFFIX = "_checkpoint.json"
SEED_FORMAT = "checkpoint"  # its name among the formats


def seed_head(
    plan: DatasetPlanInput, timestamp: float, session_id: str, seed: int, retired: Mapping[str, list[int]]
) -> dict[str, Any]:
    """The members of the file that precede ``created_instances``; ``instances_created`` follows, counted on the way.

    ``retired_slots`` is there only when a plan revision has taken slots out: [first, last] pairs by category.
    """
    names = [category.name for category in plan.categories]
    gone = {name: [list(pair) for pair in runs(retired[name])] for name in names if retired.get(name)}
    return {
        "dataset_name": plan.dataset_name,
        "total_instances_planned": plan.total_instances,
        "dataset_plan": plan.model_dump(mode="json"),
        "timestamp": iso(timestamp),
        "session_id": session_id,
        "seed": seed,
        **({"retired_slots": gone} if gone else {}),
    }


class CheckpointWriter(ArrayWriter):
    """The plan's members first, then the cases, then their number."""

    def __init__(self, handle: BinaryIO, shape: DatasetShape) -> None:
        start = orjson.dumps(shape.head, option=orjson.OPT_INDENT_2).removesuffix(b"\n}")
        super().__init__(handle, start + b',\n  "created_instances": [', b"\n  ]")

    def close(self, count: int) -> None:
        super().close(count)
        self._handle.write(b',\n  "instances_created": %d\n}\n' % count)


FORMAT = ExportFormat(ending=SEED_SUFFIX, open=CheckpointWriter)
