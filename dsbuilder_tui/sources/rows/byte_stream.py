"""The bytes of a file, a pipe or standard input: unpacked, in UTF-8, and with their beginning known."""

from __future__ import annotations

import codecs
import contextlib
import gzip
import io
import os
import stat
import sys
from pathlib import Path
from typing import Any, BinaryIO, cast

from dsbuilder_tui.domain.errors import InputError

HEAD = 2**18  # bytes that are looked at to tell what a file is
_BUFFER = 2**20
_PACKED_TIMES = 400  # a text of rows is packed to a hundredth at most; what is smaller is made to fill a disk
_HARMLESS = 2**28  # bytes: no matter how much smaller they were


class ByteStream:
    """What is read once, from its beginning to its end; ``-`` is standard input.

    ``head`` are its first bytes, unpacked; ``reader`` gives all of them. ``plain`` when it is a file whose bytes are those
    that are read, so that a place in it is found again. ``path`` is the file, None for a pipe. Raises ``OSError`` or
    ``EOFError`` as what is below, ``InputError`` for what is packed beyond reason.
    """

    def __init__(self, given: str | Path) -> None:
        self.name = "standard input" if str(given) == "-" else str(given)
        self._closing = contextlib.ExitStack()
        self.path: Path | None = None
        self.size: int | None = None
        self._under: io.FileIO | None = None
        self.reader: io.BufferedReader
        try:
            self._open(given)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        self._closing.close()

    def give_back(self, taken: bytes) -> None:
        """Have what was taken from the reader come again."""
        self.reader = io.BufferedReader(_Headed(taken, self.reader), _BUFFER)

    @property
    def done(self) -> int:
        """How many bytes of the file have been read, as they lie there."""
        return self._under.tell() if self._under is not None else 0

    def _open(self, given: str | Path) -> None:
        raw: Any
        if str(given) == "-":
            if sys.stdin is None:
                raise InputError("There is no standard input.", "Name a file.")
            raw = cast(io.BufferedReader, sys.stdin.buffer)
        else:
            path = Path(given).expanduser()
            under = self._closing.enter_context(path.open("rb", buffering=0))
            about = os.fstat(under.fileno())
            self._under, raw = under, under
            if stat.S_ISREG(about.st_mode):
                self.path, self.size = path, about.st_size
        head, raw = _with_head(raw, HEAD)
        packed = head[:2] == b"\x1f\x8b"
        if packed:
            buffered = io.BufferedReader(raw, _BUFFER)
            unpacked = self._closing.enter_context(gzip.GzipFile(fileobj=buffered))
            head, raw = _with_head(_Bounded(cast(BinaryIO, unpacked), raw, self.name), HEAD)
        encoding = wide_encoding(head)
        if encoding is not None:
            head, raw = _with_head(_Recoded(raw, encoding), HEAD)
        self.head = head
        self.whole_head = len(head) < HEAD  # the head is everything
        self.plain = self.path is not None and not packed and encoding is None
        self.reader = io.BufferedReader(raw, _BUFFER)


def wide_encoding(head: bytes) -> str | None:
    """The encoding of text of two or four bytes a character; None for any other."""
    for mark, name in (
        (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"), (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
    ):  # fmt: skip
        if head.startswith(mark):
            return name
    sample = head[:1000]
    even, odd = sample[::2], sample[1::2]
    if len(sample) >= 8 and even and odd:
        if odd.count(0) > 0.7 * len(odd) and not even.count(0):
            return "utf-16-le"
        if even.count(0) > 0.7 * len(even) and not odd.count(0):
            return "utf-16-be"
    return None


def _with_head(raw: Any, most: int) -> tuple[bytes, _Headed]:
    """The first bytes, and a stream that gives them again and then the rest."""
    head = bytearray()
    while len(head) < most and (piece := raw.read(most - len(head))):
        head += piece
    return bytes(head), _Headed(bytes(head), raw)


class _Readable(io.RawIOBase):
    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        piece = self._piece(len(buffer))
        buffer[: len(piece)] = piece
        return len(piece)

    def _piece(self, most: int) -> bytes:
        raise NotImplementedError


class _Headed(_Readable):
    def __init__(self, head: bytes, rest: Any) -> None:
        self._head, self._rest = head, rest
        self.given = 0  # bytes so far

    def _piece(self, most: int) -> bytes:
        left = self._head[self.given : self.given + most] if self.given < len(self._head) else b""
        piece = left or bytes(self._rest.read(most) or b"")
        self.given += len(piece)
        return piece


class _Bounded(_Readable):
    """What is unpacked, unless it is so much that nobody means it."""

    def __init__(self, unpacked: BinaryIO, packed: _Headed, name: str) -> None:
        self._unpacked, self._packed, self._name, self._given = unpacked, packed, name, 0

    def _piece(self, most: int) -> bytes:
        piece = self._unpacked.read(most)
        self._given += len(piece)
        if self._given > _HARMLESS and self._given > _PACKED_TIMES * self._packed.given:
            raise InputError(
                f"{self._name} unpacks to more than {_PACKED_TIMES} times its size.",
                "Is this the right file? If so, unpack it yourself.",
            )
        return piece


class _Recoded(_Readable):
    """Text of two or four bytes a character, as UTF-8 without a mark."""

    def __init__(self, raw: Any, encoding: str) -> None:
        self._raw, self._decoder, self._left = raw, codecs.getincrementaldecoder(encoding)("replace"), b""

    def _piece(self, most: int) -> bytes:
        while not self._left:
            piece = self._raw.read(_BUFFER)
            self._left = self._decoder.decode(piece or b"", final=not piece).encode("utf-8", "replace")
            if not piece:
                break
        piece, self._left = self._left[:most], self._left[most:]
        return piece
