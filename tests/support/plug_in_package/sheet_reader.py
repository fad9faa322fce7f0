"""An import format: a case for each line of a sheet."""

from dsbuilder_tui.domain.plan import parse_plan
from dsbuilder_tui.store.imports.import_format import ImportedCase, ImportedDataset, ImportFormat


def read(path):
    lines = [line for line in path.read_text().splitlines() if not line.startswith("--")]
    plan = {"dataset_name": path.stem, "categories": [{"name": "sheet", "count": len(lines)}]}
    cases = [ImportedCase("sheet", number, {"query": line}, {}, {}) for number, line in enumerate(lines, 1)]
    return ImportedDataset(parse_plan(plan, str(path)), cases)


FORMAT = ImportFormat(ending=".sheet", read=read)
