"""Rows of fingerprints are found in whatever order they stand in the file, and in little memory."""

from __future__ import annotations

import random
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np

from dsbuilder_tui.diversity.fingerprint_file import FingerprintFile
from dsbuilder_tui.diversity.fingerprint_reader import FingerprintReader
from dsbuilder_tui.diversity.fingerprints import checks, row_type
from dsbuilder_tui.diversity.static_embedding import built_in_name

DIMENSIONS = 4
VERSIONS = {"embedding": built_in_name(), "dimensions": DIMENSIONS}


def write(folder: Path, cases: list[tuple[int, int]]) -> None:
    """Add a row for each (seq, text); the first number of its vector is the row's number."""
    kind = row_type(DIMENSIONS)
    file = FingerprintFile.open(folder, kind, VERSIONS)
    rows: Any = np.zeros(len(cases), kind)
    rows["seq"], rows["text"] = [seq for seq, _ in cases], [text for _, text in cases]
    rows["vector"][:, 0] = np.arange(len(file), len(file) + len(cases)) % 2000
    rows["check"] = checks(rows)
    file.add(rows, [np.empty(0, np.uint32)] * len(cases))
    file.close()


def test_cases_are_found_by_place_and_text(tmp_path: Path) -> None:
    cases = [(seq, seq * 7 - 5000) for seq in range(1, 1500)]
    write(tmp_path, cases)
    reader = FingerprintReader(tmp_path)
    page = reader.find([(seq, text, "a") for seq, text in cases] + [(9999, 1, "a"), (3, 12345, "a")])
    assert page.seqs.tolist() == [seq for seq, _ in cases]
    changed = [(3, 111), (700, 222), (1, 333)]  # texts that were edited: their rows stand at the end
    write(tmp_path, changed)
    page = reader.find([(seq, text, str(text)) for seq, text in changed + cases[10:12] + [cases[2]]])
    assert page.seqs.tolist() == [1, 3, 3, 11, 12, 700]
    assert sorted(page.categories) == sorted(
        ["333", "111", str(cases[2][1]), str(cases[10][1]), str(cases[11][1]), "222"]
    )


def test_the_last_row_of_a_case_counts(tmp_path: Path) -> None:
    write(tmp_path, [(2, 20), (1, 10), (2, 20)])
    page = FingerprintReader(tmp_path).find([(1, 10, "a"), (2, 20, "a")])
    assert page.seqs.tolist() == [1, 2] and page.vectors[:, 0].tolist() == [1, 2]


def test_what_it_keeps_is_a_few_bytes_a_case(tmp_path: Path) -> None:
    rng, count = random.Random(1), 40_000
    write(tmp_path, [(seq, rng.getrandbits(60)) for seq in range(1, count + 1)])
    reader = FingerprintReader(tmp_path)
    tracemalloc.start()
    try:
        reader.find([(1, 1, "a")])
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert kept <= 40 * count
