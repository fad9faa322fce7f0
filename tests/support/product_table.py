"""A table of products, for plans whose cases are about its rows."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

NAMES = [
    "Blue kettle", "Red toaster", "Oak table", "Steel pan", "Green lamp", "Wool scarf", "Glass vase", "Rain coat",
    "Garden hose", "Tea cup", "Brass bell", "Pine shelf",
]  # fmt: skip


def table(count: int = len(NAMES)) -> list[dict[str, Any]]:
    return [
        {"sku": f"SKU-{n + 100}", "name": NAMES[n % len(NAMES)] + ("" if n < len(NAMES) else f" {n}"), "price": f"{n * 7 + 9}.90"}
        for n in range(count)
    ]  # fmt: skip


def write_csv(path: Path, rows: list[dict[str, Any]]) -> Path:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path
