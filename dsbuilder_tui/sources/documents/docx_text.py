"""Word files: paragraphs, headings, tables."""

from __future__ import annotations

import io
import re
import zipfile

from dsbuilder_tui.sources.documents.document_text import DocumentText, TextBuilder, require_few_tags

_MOST_UNPACKED = 64 * 1024 * 1024  # bytes
_HEADING = re.compile(r"heading (\d)", re.IGNORECASE)


def read_docx(raw: bytes) -> DocumentText:
    """The document's text; a row of a table is a line. Raises ``ValueError`` saying why when it cannot be read."""
    import docx
    from docx.document import Document
    from docx.opc.exceptions import OpcError
    from docx.table import Table
    from lxml import etree

    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as packed:
            if sum(entry.file_size for entry in packed.infolist()) > _MOST_UNPACKED:
                raise ValueError(f"it unpacks to more than {_MOST_UNPACKED // 2**20} MiB")
            parts = [entry for entry in packed.infolist() if entry.filename.endswith((".xml", ".rels"))]
            require_few_tags(sum(packed.read(entry).count(b"<") for entry in parts))
        document: Document = docx.Document(io.BytesIO(raw))
        out = TextBuilder()
        for block in document.iter_inner_content():
            if isinstance(block, Table):
                rows = (" | ".join(" ".join(cell.text.split()) for cell in row.cells) for row in block.rows)
                out.paragraph("\n".join(rows))
                continue
            name = (block.style.name or "") if block.style is not None else ""
            if found := _HEADING.fullmatch(name):
                out.heading(block.text, int(found[1]))
            elif name == "Title":
                out.heading(block.text, 1)
            else:
                out.paragraph(block.text)
    except (
        zipfile.BadZipFile,
        OpcError,
        etree.LxmlError,
        KeyError,
        OSError,
        NotImplementedError,
        AttributeError,
    ) as error:
        raise ValueError(f"it is no Word file that can be read ({type(error).__name__})") from None
    return out.document()
