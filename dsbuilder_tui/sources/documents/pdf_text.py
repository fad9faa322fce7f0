"""PDF files: the text of their pages."""

from __future__ import annotations

import io
import logging
import re

from dsbuilder_tui.sources.documents.document_text import DocumentText, TextBuilder

_MOST_PAGES = 2000
_MOST_CHARACTERS = 8_000_000
_HYPHEN = re.compile(r"(?<=[^\W\d_])-\n(?=[^\W\d_])")
_LINE_END = re.compile(r"(?<=[^\n.:;!?])\n(?=[^\s\-•*\d])")


def read_pdf(raw: bytes) -> DocumentText:
    """The text of a PDF, each page under a heading of its own (``page 3``). Lines that run on are joined.

    Raises ``ValueError`` saying why when it cannot be read, asks for a password, or is pictures only.
    """
    from pypdf import PdfReader
    from pypdf.errors import PyPdfError

    logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # what it mends in passing is nobody's business
    out = TextBuilder()
    seen = False
    try:
        reader = PdfReader(io.BytesIO(raw))
        if reader.is_encrypted and not reader.decrypt(""):
            raise ValueError("it asks for a password")
        for number, page in enumerate(reader.pages[:_MOST_PAGES], 1):
            text = _joined(page.extract_text())
            if text.strip():
                seen = True
                out.heading(f"page {number}", 1)
                for paragraph in re.split(r"\n\s*\n", text):
                    out.paragraph(paragraph)
            if out.length > _MOST_CHARACTERS:
                break
    except ValueError:
        raise
    except (PyPdfError, RecursionError, OSError, LookupError, TypeError, AttributeError, ArithmeticError) as error:
        # A broken file makes the library stumble in many ways.
        raise ValueError(f"the PDF is damaged ({type(error).__name__})") from None
    if not seen:
        raise ValueError("it has no text (a scan?)")
    return out.document()


def _joined(text: str) -> str:
    """Lines of a paragraph as one: a word that was divided is whole again, so that a quotation can be found."""
    return _LINE_END.sub(" ", _HYPHEN.sub("", text.replace("\r", "")))
