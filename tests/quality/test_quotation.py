"""Quotations are found where they stand, white space and typography aside, and nowhere else."""

from __future__ import annotations

import pytest

from dsbuilder_tui.quality.quotation import QuotedText

TEXT = "The “basic” fee — **twelve\n  euros** a month — isn’t refunded. All other fees are: ask for them… within thirty days."


@pytest.mark.parametrize(
    ("quote", "found"),
    [
        ("isn't refunded.", "isn’t refunded."),
        ("isn’t refunded!", "isn’t refunded"),
        ('"The "basic" fee"', "The “basic” fee"),
        ("twelve euros a month", "twelve\n  euros** a month"),
        ("TWELVE   EUROS", "twelve\n  euros"),
        ("the basic fee", None),
        ("fee - twelve euros", "fee — **twelve\n  euros"),
        ("The “basic” fee … isn't refunded", "The “basic” fee — **twelve\n  euros** a month — isn’t refunded"),
        ("isn't refunded ... The “basic” fee", None),
        ("All other fees are refunded", None),
        ("thirty days", "thirty days"),
        ("a", None),
        ("", None),
        ("… …", None),
    ],
)
def test_a_quotation_is_found_where_it_stands(quote: str, found: str | None) -> None:
    place = QuotedText(TEXT).find(quote)
    assert (TEXT[slice(*place)] if place else None) == found


def test_ligatures_and_soft_hyphens_of_a_pdf_are_no_difference() -> None:
    text = "The of\u00adfice is \ufb01lled on \u201cworking days\u201d\u00a0only."
    assert QuotedText(text).find('office is filled on "working days" only.') == (4, len(text))
