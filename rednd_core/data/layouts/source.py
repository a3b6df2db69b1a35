"""Where the bytes of a data set are: a folder, one file, or an archive of a few; nothing is parsed here."""

from __future__ import annotations

import gzip
import lzma
import re
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import IO

import pyarrow as pa

from rednd_core.config import resolve_data_path
from rednd_core.data.tables import listing, require_readable, shorten
from rednd_core.errors import DataError

MAX_UNPACKED_BYTES = 4 * 2**30
"""An archive may unpack to so many bytes."""
MAX_RATIO = 200
"""An archive may unpack to so many times its own size; ordinary tables reach 20."""
FREE_BYTES = 16 * 2**20
"""Below this size the ratio is not looked at: small tables of equal rows are no attack."""
MAX_MEMBERS = 1000
_PIECE = 1 << 20
_UNREADABLE = (
    OSError,
    EOFError,
    ValueError,
    NotImplementedError,
    RuntimeError,
    zlib.error,
    lzma.LZMAError,
    zipfile.BadZipFile,
)


@dataclass(frozen=True)
class SourceFile:
    """One file of a data set.

    Attributes:
        name: what it is called, without the folder and without a final ``.gz``.
        place: the file on disk that holds it.
        member: its name inside the ZIP archive ``place``, else None.
    """

    name: str
    place: Path
    member: str | None = None

    @property
    def stem(self) -> str:
        return self.name.rpartition(".")[0] or self.name

    @property
    def suffix(self) -> str:
        """The ending in lower case, with its dot."""
        return Path(self.name).suffix.lower()

    def head(self, n_bytes: int = 1 << 16) -> bytes:
        """The first bytes, unpacked."""
        with _guarded(self.name), self._opened() as stream:
            return stream.read(n_bytes)

    def content(self) -> pa.Buffer:
        """All bytes: memory-mapped where they are plain, else unpacked within the budgets.

        Raises:
            DataError: an unreadable file, or an archive beyond the budgets.
        """
        require_readable(self.place)
        if self.member is None and self.place.suffix.lower() != ".gz":
            with _guarded(self.name):
                return pa.memory_map(str(self.place)).read_buffer()
        with _guarded(self.name), self._opened() as stream:
            return pa.py_buffer(_unpacked(stream, self.name, self._packed_bytes()))

    def _packed_bytes(self) -> int:
        if self.member is None:
            return self.place.stat().st_size
        with zipfile.ZipFile(self.place) as archive:
            return archive.getinfo(self.member).compress_size

    @contextmanager
    def _opened(self) -> Iterator[IO[bytes]]:
        if self.member is not None:
            with zipfile.ZipFile(self.place) as archive, archive.open(self.member) as stream:
                yield stream
        elif self.place.suffix.lower() == ".gz":
            with gzip.open(self.place) as stream:
                yield stream  # type: ignore[misc]
        else:
            with self.place.open("rb") as stream:
                yield stream


@dataclass(frozen=True)
class Source:
    """The files of one data set.

    Attributes:
        place: the folder or file that was named.
        files: what may belong to the data set, sorted by name.
        named: the one file that was named, if it was one.
    """

    place: Path
    files: tuple[SourceFile, ...]
    named: SourceFile | None = None

    @property
    def folder(self) -> Path:
        return self.place if self.place.is_dir() else self.place.parent

    def subfolders(self) -> list[str]:
        """Names of the folders in the named one, sorted; none of a file's or an archive's."""
        if not self.place.is_dir():
            return []
        return sorted(
            p.name for p in self.place.iterdir() if p.is_dir() and not p.name.startswith(".")
        )


def open_source(path: str | Path) -> Source:
    """The files that a path means: those of a folder, of an archive, or one file and its neighbours.

    Raises:
        DataError: there is nothing, it cannot be looked into, or an archive holds too much.
    """
    place = resolve_data_path(str(path))
    try:
        if place.is_dir():
            return Source(place, _in_folder(place))
        if place.is_file():
            if place.suffix.lower() == ".zip":
                return Source(place, _in_archive(place))
            named = SourceFile(_plain_name(place), place)
            return Source(place, _in_folder(place.parent), named)
    except OSError as error:
        raise DataError(
            expected="a readable data folder or file",
            found=shorten(str(error), 120),
            remedy="check the path and its permissions",
        ) from None
    raise DataError(
        expected="a data folder or file", found=f"nothing at {place}", remedy="check the path"
    )


def _in_folder(folder: Path) -> tuple[SourceFile, ...]:
    """The files of a folder; of an archive that is alone there, or has only features beside it, its own."""
    visible = sorted(p for p in folder.iterdir() if not p.name.startswith(".") and p.is_file())
    tables = [p for p in visible if p.suffix.lower() != ".npy"]
    if len(tables) == 1 and tables[0].suffix.lower() == ".zip":
        features = [SourceFile(p.name, p) for p in visible if p is not tables[0]]
        return (*_in_archive(tables[0]), *features)
    return tuple(SourceFile(_plain_name(p), p) for p in visible)


def _in_archive(place: Path) -> tuple[SourceFile, ...]:
    require_readable(place)
    with _guarded(place.name), zipfile.ZipFile(place) as archive:
        members = [m for m in archive.infolist() if not m.is_dir()]
    if len(members) > MAX_MEMBERS:
        raise DataError(
            expected=f"at most {MAX_MEMBERS:,} files in {place.name}",
            found=f"{len(members):,}",
            remedy="unpack it and name the folder",
        )
    visible = [m.filename for m in members if not re.search(r"(^|/)(\.|__MACOSX/)", m.filename)]
    names = [name.replace("\\", "/").rpartition("/")[2] for name in visible]
    if len(set(names)) < len(names):
        repeated = sorted({name for name in names if names.count(name) > 1})
        raise DataError(
            expected=f"one data set in {place.name}",
            found=f"{listing(repeated)} in several folders",
            remedy="unpack it and name one of the folders",
        )
    found = zip(names, visible, strict=True)
    return tuple(SourceFile(name, place, member) for name, member in sorted(found))


def _plain_name(place: Path) -> str:
    return place.name[:-3] if place.suffix.lower() == ".gz" else place.name


def _unpacked(stream: IO[bytes], name: str, n_packed: int) -> bytes:
    allowed = min(MAX_UNPACKED_BYTES, max(FREE_BYTES, MAX_RATIO * n_packed))
    unpacked = BytesIO()
    while piece := stream.read(_PIECE):
        if unpacked.tell() + len(piece) > allowed:
            raise DataError(
                expected=f"an archive of {name} that unpacks to at most {allowed / 2**20:,.0f} MB",
                found="more",
                remedy="unpack it yourself, look at it, and name the file",
            )
        unpacked.write(piece)
    if unpacked.tell() == 0:
        raise DataError(expected=f"data in {name}", found="an empty file", remedy="export it again")
    return unpacked.getvalue()


@contextmanager
def _guarded(name: str) -> Iterator[None]:
    """Turn what damaged archives and unreadable files raise into one sentence."""
    try:
        yield
    except _UNREADABLE as error:
        reason = " ".join(str(getattr(error, "strerror", None) or error).split())
        raise DataError(
            expected=f"a readable file {name}",
            found=f"a damaged or locked one ({shorten(reason, 100)})",
            remedy="check it, or fetch it again",
        ) from None
