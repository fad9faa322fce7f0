"""A folder as Hugging Face's ``load_dataset`` reads it: Parquet files by split, and a dataset card.

https://huggingface.co/docs/hub/datasets-cards
"""

from __future__ import annotations

import yaml

from dsbuilder_tui.domain.dataset_card import DatasetCard
from dsbuilder_tui.domain.plain_words import counted
from dsbuilder_tui.store.export.export_format import ExportFormat, FolderLayout
from dsbuilder_tui.store.export.parquet_table import ParquetTableWriter, require_pyarrow

_DATA = "data/{split}.parquet"
_SIZES = (1_000, 10_000, 100_000, 1_000_000, 10_000_000)
_OWN_TAG = "dsbuilder"


def card_text(card: DatasetCard) -> str:
    """The page in Markdown, with the head that the hub reads."""
    splits = [{"split": name, "path": _DATA.format(split=name)} for name in card.splits]
    head = {
        "pretty_name": card.name,
        "license": card.licence,
        "tags": ["evaluation", "synthetic", _OWN_TAG],
        "size_categories": [_size(card.cases)],
        "configs": [{"config_name": "default", "data_files": splits}],
    }
    rows = [
        f"| {_cell(c.name)} | {_cell(c.description)} | {c.cases} of {c.planned} | {_cell(c.judged) or '–'} |"
        for c in card.categories
    ]
    made = f"made with dsbuilder {card.version} on {card.created}"
    parts = [
        f"---\n{yaml.safe_dump(head, allow_unicode=True, sort_keys=False, width=1000)}---",
        f"# {card.name}",
        f"{card.cases} test cases for the evaluation of an LLM application, {made}.",
        *([f"The application: {_cell(card.target)}"] if card.target else []),
        "Each row has the inputs (`inputs.…`), the expectations of a right answer as JSON (`expectations`), the attributes "
        "that the case was planned with (`attributes.…`), and further tags as JSON (`tags`).",
        "## Categories\n\n| category | what it is | cases | judged |\n|---|---|---|---|\n" + "\n".join(rows),
        "## Splits\n\n" + "\n".join(f"- `{name}`: {counted(count, 'case')}" for name, count in card.splits.items()),
        *(["## Diversity\n\n" + "\n".join(f"- {figure}" for figure in card.figures)] if card.figures else []),
        "## How it was made\n\n"
        + "\n".join(
            [f"- Models: {', '.join(card.models)}", f"- Seed: {card.seed}", *(f"- {note}" for note in card.notes)]
        ),
        f"## Licence\n\n{card.licence}",
    ]
    return "\n\n".join(parts) + "\n"


def is_own(page: str) -> bool:
    """Whether the page's head says that it was written so."""
    head = page.removeprefix("---\n").partition("\n---")[0]
    return page.startswith("---\n") and f"\n- {_OWN_TAG}\n" in f"{head}\n"


def _size(cases: int) -> str:
    low, names = 0, ("n<1K", "1K<n<10K", "10K<n<100K", "100K<n<1M", "1M<n<10M", "n>10M")
    while low < len(_SIZES) and cases >= _SIZES[low]:
        low += 1
    return names[low]


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())


FORMAT = ExportFormat(
    ending="_hf",
    open=ParquetTableWriter,
    require=require_pyarrow,
    layout=FolderLayout(data=_DATA, page="README.md", write_page=card_text, is_own=is_own),
)
