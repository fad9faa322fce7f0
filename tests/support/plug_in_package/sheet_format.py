"""An export format: the text of each case on a line."""

from dsbuilder_tui.store.export.export_format import ExportFormat


class SheetWriter:
    def __init__(self, handle, shape):
        self._handle, self._field = handle, shape.fields[0]

    def write(self, cases):
        for case in cases:
            self._handle.write(f"{case.inputs[self._field]}\n".encode())

    def close(self, count):
        self._handle.write(f"-- {count}\n".encode())


FORMAT = ExportFormat(ending=".sheet", open=SheetWriter)
