"""The errors that a file's own damage can raise in SQLite."""

from __future__ import annotations

import sqlite3

# SQLite quotes what it finds damaged; Python's module fails at reading the quotation when that is no UTF-8.
UNREADABLE = (sqlite3.Error, UnicodeDecodeError)
