"""The end of what a machine has: memory, threads, open files, room; and what a process says then.

Imported when nothing else may be: it needs no more than what is always there.
"""

from __future__ import annotations

import errno

_MEMORY = (
    "no memory is left for this process",
    "Close other programs, or use fewer workers (--max-workers), then resume.",
)
_ROOM = "the disk took nothing more", "Free some space, make the folder writable, then resume."
_BY_NUMBER = {
    errno.EMFILE: ("no more files can be opened", "Raise the limit (`ulimit -n 1024`), then resume."),
    errno.ENFILE: ("no more files can be opened on this machine", "Close other programs, then resume."),
    errno.ENOMEM: _MEMORY,
    errno.EAGAIN: _MEMORY,  # no process or thread can be started
    errno.ENOSPC: _ROOM,
    errno.EDQUOT: _ROOM,
    errno.EFBIG: _ROOM,
    errno.EROFS: _ROOM,
    errno.EIO: _ROOM,
}
# The dynamic linker's words, when a library of a package finds no room.
_NO_LIBRARY = ("failed to map segment", "Cannot allocate memory", "cannot allocate memory")
_NO_THREAD = "can't start new thread"  # Python has no type and no number for it


_MOST_QUOTED = 200  # characters of the system's own words


def exhaustion_words(error: BaseException) -> str | None:
    """What to say of an error that is the end of something; None when it is of another kind."""
    found = exhaustion(error)
    if found is None:
        return None
    quoted = " ".join(str(error).split())
    quoted = f" ({quoted[:_MOST_QUOTED]})" if quoted else ""
    return f"{found[0]}{quoted}. Everything accepted is saved. {found[1]}"


def exhaustion(error: BaseException) -> tuple[str, str] | None:
    """What is at its end, and what helps; None when the error, and what it came of, is of another kind."""
    cause: BaseException | None = error
    for _ in range(20):
        if cause is None:
            break
        if isinstance(cause, MemoryError) or (isinstance(cause, RuntimeError) and str(cause) == _NO_THREAD):
            return _MEMORY
        if isinstance(cause, ImportError) and any(words in str(cause) for words in _NO_LIBRARY):
            return _MEMORY
        if isinstance(cause, OSError) and cause.errno in _BY_NUMBER:
            return _BY_NUMBER[cause.errno]
        cause = cause.__cause__ or cause.__context__
    return None
