"""What SQLite does to its files, recorded in order, and what a power cut may leave of it.

The recorder is a VFS on top of SQLite's own, put by ctypes into the very library that Python's `sqlite3` module uses.
So the product runs as it always does, and there is no second SQLite that would break the first one's locks.
"""

from __future__ import annotations

import ctypes
import random
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from ctypes import CFUNCTYPE, POINTER, Structure, byref, c_char_p, c_int, c_int64, c_void_p, cast, memmove, sizeof
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

SECTORS = (512, 4096)
_CREATE, _LOGS = 0x4, 0x80000 | 0x4000 | 0x800
"""Of `sqlite3_open_v2`: a log or journal that is new; SQLite syncs its folder, too, when it syncs it first."""


class Wrote(NamedTuple):
    path: str
    offset: int
    data: bytes


class Truncated(NamedTuple):
    path: str
    size: int


class Synced(NamedTuple):
    """A sync that has returned; it covers what was told before the index `since` of the recording.

    `folder`: the folder was synced with the file, so that removals of other files are certain, too.
    """

    path: str
    since: int
    folder: bool


class Deleted(NamedTuple):
    path: str
    durable: bool


Change = Wrote | Truncated | Synced | Deleted


# The recorder

_write = CFUNCTYPE(c_int, c_void_p, c_void_p, c_int, c_int64)
_truncate = CFUNCTYPE(c_int, c_void_p, c_int64)
_sync = CFUNCTYPE(c_int, c_void_p, c_int)
_close = CFUNCTYPE(c_int, c_void_p)
# Names are pointers here: SQLite keeps that of an open file, and reads on behind its end.
_open = CFUNCTYPE(c_int, c_void_p, c_void_p, c_void_p, c_int, c_void_p)
_delete = CFUNCTYPE(c_int, c_void_p, c_void_p, c_int)


class _Methods(Structure):
    """sqlite3_io_methods."""

    _fields_ = (
        ("version", c_int),
        ("close", _close),
        ("read", c_void_p),
        ("write", _write),
        ("truncate", _truncate),
        ("sync", _sync),
        # From xFileSize to xUnfetch: handed through as they are.
        *((f"rest{number}", c_void_p) for number in range(13)),
    )


class _File(Structure):
    """sqlite3_file, whose further fields are the VFS's own business."""

    _fields_ = (("methods", POINTER(_Methods)),)


class _Vfs(Structure):
    """sqlite3_vfs."""

    _fields_ = (
        ("version", c_int),
        ("file_size", c_int),
        ("path_max", c_int),
        ("next", c_void_p),
        ("name", c_char_p),
        ("data", c_void_p),
        ("open", _open),
        ("delete", _delete),
        # From xAccess to xNextSystemCall: handed through as they are.
        *((f"rest{number}", c_void_p) for number in range(14)),
    )


@cache
def library() -> str:
    """Path of the shared library that holds SQLite for Python, "" when it is not one of its own."""
    maps = Path("/proc/self/maps")
    sqlite3.connect(":memory:").close()
    lines = maps.read_text().splitlines() if maps.exists() else []
    return next((line.split()[-1] for line in lines if "/libsqlite3." in line), "")


def missing_recorder() -> str:
    """Why nothing can be recorded, "" when it can."""
    return "" if library() else "this Python's SQLite is no shared library, so that no VFS can be put into it"


class _Recorder:
    """The VFS. It is made once and stays: a connection that is closed late still comes through it.

    Attributes:
        changes: where to, None for nowhere.
    """

    def __init__(self) -> None:
        self.changes: list[Any] | None = None
        self._paths: dict[int, str] = {}
        self._new: set[int] = set()
        self._tables: dict[int | None, tuple[_Methods, _Methods]] = {}
        self._sqlite = ctypes.CDLL(library())
        self._sqlite.sqlite3_vfs_find.restype = POINTER(_Vfs)
        self._sqlite.sqlite3_vfs_register.argtypes = [POINTER(_Vfs), c_int]
        self._own = self._sqlite.sqlite3_vfs_find(None)
        self._vfs = _Vfs()
        memmove(byref(self._vfs), self._own, sizeof(_Vfs))
        self._vfs.name = b"noria-recorder"
        self._vfs.next = None
        self._vfs.open = _open(self._opened)
        self._vfs.delete = _delete(self._deleted)

    def use(self, recording: list[Any] | None) -> None:
        """Record what is opened from now on, or nothing any more."""
        self.changes = recording
        self._sqlite.sqlite3_vfs_register(byref(self._vfs), int(recording is not None))
        if recording is None:
            self._sqlite.sqlite3_vfs_register(self._own, 1)

    def _note(self, change: Change) -> None:
        if self.changes is not None:
            self.changes.append(change)

    def _opened(self, _vfs: int, name: int | None, place: int, flags: int, given: int) -> int:
        code: int = self._own.contents.open(self._own, name, place, flags, given)
        if code == 0 and name is not None:
            file = cast(place, POINTER(_File)).contents
            self._paths[place] = ctypes.string_at(name).decode()
            if flags & _CREATE and flags & _LOGS:
                self._new.add(place)
            file.methods = ctypes.pointer(self._table(file.methods))
        return code

    def _deleted(self, _vfs: int, name: int, sync_folder: int) -> int:
        code: int = self._own.contents.delete(self._own, name, sync_folder)
        if code == 0:
            self._note(Deleted(ctypes.string_at(name).decode(), bool(sync_folder)))
        return code

    def _table(self, methods: Any) -> _Methods:
        """The same methods, with those that change a file recorded."""
        key = cast(methods, c_void_p).value
        if key in self._tables:
            return self._tables[key][0]
        own, table = _Methods(), _Methods()
        memmove(byref(own), methods, sizeof(_Methods))
        memmove(byref(table), methods, sizeof(_Methods))

        def write(file: int, data: int, size: int, offset: int) -> int:
            self._note(Wrote(self._paths[file], offset, ctypes.string_at(data, size)))
            return int(own.write(file, data, size, offset))

        def truncate(file: int, size: int) -> int:
            self._note(Truncated(self._paths[file], size))
            return int(own.truncate(file, size))

        def sync(file: int, flags: int) -> int:
            since = len(self.changes or ())
            code = int(own.sync(file, flags))
            if code == 0:
                self._note(Synced(self._paths[file], since, file in self._new))
                self._new.discard(file)
            return code

        def close(file: int) -> int:
            del self._paths[file]
            self._new.discard(file)
            return int(own.close(file))

        table.write, table.truncate, table.sync = _write(write), _truncate(truncate), _sync(sync)
        table.close = _close(close)
        # Another thread may have come first; its files use its table.
        return self._tables.setdefault(key, (table, own))[0]


@cache
def _recorder() -> _Recorder:
    return _Recorder()


@contextmanager
def recording() -> Iterator[list[Any]]:
    """Record whatever SQLite does to files that are opened meanwhile; others may put marks of their own between."""
    changes: list[Any] = []
    _recorder().use(changes)
    try:
        yield changes
    finally:
        _recorder().use(None)


# The disk


class _OnDisk:
    """What of a file is on the disk for certain, and what may be."""

    def __init__(self) -> None:
        self._content: bytearray | None = None
        self._pending: list[tuple[int, Wrote | Truncated | Deleted]] = []

    def note(self, index: int, change: Change) -> None:
        if isinstance(change, Synced):
            while self._pending and self._pending[0][0] < change.since:
                self._content = _after(self._content, self._pending.pop(0)[1])
        elif isinstance(change, Deleted) and change.durable:
            self._pending.clear()
            self._content = None
        else:
            self._pending.append((index, change))

    def folder_synced(self, since: int) -> None:
        """Its removal before this index, if there was one, is certain now."""
        while any(index < since and isinstance(change, Deleted) for index, change in self._pending):
            self._content = _after(self._content, self._pending.pop(0)[1])

    def left(self, draw: random.Random) -> bytearray | None:
        """What a power cut may leave of it, None for no file."""
        pending = [change for _, change in self._pending]
        # Whether a removal has come about or not, nothing of the file before it mixes with a new one behind it.
        for place in [place for place, change in enumerate(pending) if isinstance(change, Deleted)][::-1]:
            if draw.random() < 0.5:
                return self._some(None, pending[place + 1 :], draw)
            pending = pending[:place]
        return self._some(self._content, pending, draw)

    @staticmethod
    def _some(content: bytearray | None, pending: list[Any], draw: random.Random) -> bytearray | None:
        content = None if content is None else bytearray(content)
        share = draw.choice((0.0, 0.2, 0.5, 0.9, 1.0))
        if draw.random() < 0.3:
            # In order, up to some place.
            kept = pending[: round(share * len(pending))]
        else:
            # In any order: of what is written twice in one place, the earlier may be what stays.
            sector = draw.choice((0, *SECTORS))
            parts = [part for change in pending for part in _torn(change, sector)]
            kept = [part for part in parts if draw.random() < share]
        for change in kept:
            content = _after(content, change)
        return content


def _torn(change: Wrote | Truncated, sector: int) -> list[Wrote | Truncated]:
    """The parts of a change that reach the disk each for itself; 0 for a disk that writes all or nothing."""
    if isinstance(change, Truncated) or not sector:
        return [change]
    parts = []
    begin, end = change.offset, change.offset + len(change.data)
    while begin < end:
        until = min(end, begin - begin % sector + sector)
        parts.append(Wrote(change.path, begin, change.data[begin - change.offset : until - change.offset]))
        begin = until
    return parts


def _after(content: bytearray | None, change: Wrote | Truncated | Deleted) -> bytearray | None:
    """A file after a change. What was never written between what was reads as zeros."""
    if isinstance(change, Deleted):
        return None
    content = bytearray() if content is None else content
    size = change.size if isinstance(change, Truncated) else change.offset + len(change.data)
    if len(content) < size:
        content.extend(bytes(size - len(content)))
    if isinstance(change, Truncated):
        del content[size:]
    else:
        content[change.offset : size] = change.data
    return content


class Disk:
    """The files of a recording, as far as it has been gone through."""

    def __init__(self) -> None:
        self._files: dict[str, _OnDisk] = {}

    def note(self, index: int, change: Change) -> None:
        """Go through one change more.

        Args:
            index: its place in the recording.
            change: what happened to a file.
        """
        self._files.setdefault(change.path, _OnDisk()).note(index, change)
        if isinstance(change, Synced) and change.folder:
            for file in self._files.values():
                file.folder_synced(change.since)

    def left(self, draw: random.Random) -> dict[str, bytearray]:
        """What a power cut at this place may leave: path → content. Nothing is known of the order between two files."""
        left = {path: file.left(draw) for path, file in sorted(self._files.items())}
        return {path: content for path, content in left.items() if content is not None}
