"""The seed-format checkpoint JSON, which can be imported again."""

from __future__ import annotations

from typing import BinaryIO

import orjson

from dsbuilder_tui.store.export.export_format import DatasetShape, ExportFormat
from dsbuilder_tui.store.export.json_array import ArrayWriter

SEED_SUFFIX = "_checkpoint.json"


class CheckpointWriter(ArrayWriter):
    """The plan's members first, then the cases, then their number."""

    def __init__(self, handle: BinaryIO, shape: DatasetShape) -> None:
        start = orjson.dumps(shape.head, option=orjson.OPT_INDENT_2).removesuffix(b"\n}")
        super().__init__(handle, start + b',\n  "created_instances": [', b"\n  ]")

    def close(self, count: int) -> None:
        super().close(count)
        self._handle.write(b',\n  "instances_created": %d\n}\n' % count)


FORMAT = ExportFormat(ending=SEED_SUFFIX, open=CheckpointWriter)
