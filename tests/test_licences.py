"""Every package that is pinned has a licence that is allowed, and it is the one that it says itself."""

from __future__ import annotations

import importlib.metadata
import re

import pytest

from tests.support.process import ROOT

# Permissive, or copyleft for the package's own files alone (MPL): nothing that reaches into what we write.
ALLOWED = frozenset(
    {
        "MIT", "MIT-0", "BSD-2-Clause", "BSD-3-Clause", "0BSD", "ISC", "Apache-2.0", "PSF-2.0", "MPL-2.0", "Zlib", "CC0-1.0", "MIT-CMU",
    }
)  # fmt: skip
_OF_CLASSIFIERS = {
    "MIT License": {"MIT"},
    "Apache Software License": {"Apache-2.0"},
    "BSD License": {"BSD-2-Clause", "BSD-3-Clause"},
    "ISC License (ISCL)": {"ISC"},
    "Mozilla Public License 2.0 (MPL 2.0)": {"MPL-2.0"},
    "Python Software Foundation License": {"PSF-2.0"},
}

_OF_TEXTS = {"3-Clause BSD License": "BSD-3-Clause", "Apache 2.0": "Apache-2.0"}


def pinned() -> list[str]:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    return [line.partition("==")[0] for line in lines if re.match(r"[A-Za-z]", line)]


def listed() -> dict[str, str]:
    lines = (ROOT / "licences.txt").read_text().splitlines()
    return dict(line.split(": ", 1) for line in lines if line and not line.startswith("#"))


def licences(expression: str) -> set[str]:
    """The licences that an SPDX expression names."""
    return set(re.findall(r"[A-Za-z0-9.-]+", expression)) - {"AND", "OR", "WITH"}


def is_allowed(expression: str) -> bool:
    """Whether all that must be kept to is allowed: of alternatives one is enough."""
    return bool(expression) and all(
        any(licences(either) <= ALLOWED for either in each.strip("() ").split(" OR "))
        for each in re.split(r" AND (?![^()]*\))", expression)
    )


def test_each_pinned_package_is_listed_and_no_other() -> None:
    assert pinned() == list(listed())


@pytest.mark.parametrize("name", pinned())
def test_its_licence_is_allowed_and_the_one_that_it_names(name: str) -> None:
    expression = listed()[name]
    assert is_allowed(expression), f"{name}: {expression}"
    try:
        about = importlib.metadata.metadata(name)
    except importlib.metadata.PackageNotFoundError:
        pytest.skip("not installed here")
    classifiers = {
        text.rpartition(" :: ")[2] for text in about.get_all("Classifier") or [] if text.startswith("License")
    }
    if said := about.get("License-Expression"):
        assert expression == said
    elif known := [_OF_CLASSIFIERS[text] for text in classifiers if text in _OF_CLASSIFIERS]:
        assert all(licences(expression) & each for each in known), f"{name} says {classifiers}"
    elif said := (about.get("License") or "").strip():
        first = said.splitlines()[0]
        named = _OF_TEXTS.get(first, first.removesuffix(" License"))
        assert licences(expression) == licences(named), f"{name} says {said}"
    else:
        texts = [file.read_text() for file in importlib.metadata.files(name) or () if "LICEN" in file.name.upper()]
        assert expression == "MIT" and any("Permission is hereby granted, free of charge" in text for text in texts)


@pytest.mark.parametrize(
    ("expression", "allowed"),
    [
        ("MIT", True), ("GPL-3.0-only", False), ("MIT AND GPL-3.0-only", False), ("MIT OR GPL-3.0-only", True),
        ("MPL-2.0 AND (Apache-2.0 OR MIT)", True), ("MPL-2.0 AND (AGPL-3.0-only OR SSPL-1.0)", False), ("", False),
        ("LicenseRef-Proprietary", False), ("MIT AND 0BSD AND Zlib AND LGPL-3.0-only", False),
    ],
)  # fmt: skip
def test_what_is_allowed(expression: str, allowed: bool) -> None:
    assert is_allowed(expression) is allowed
