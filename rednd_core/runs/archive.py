"""Unpack a zip of unknown origin: known names only, bounded sizes, no links, no pickles."""

from __future__ import annotations

import re
import shutil
import stat
import struct
import zipfile
import zlib
from collections.abc import Collection
from pathlib import Path, PurePosixPath
from typing import IO, BinaryIO

from rednd_core.bounded import open_plain
from rednd_core.config import MODALITY
from rednd_core.errors import STORAGE, CheckpointError, StorageError, storage_error
from rednd_core.runs import budgets
from rednd_core.runs.layout import STAMP

CHUNK_BYTES = 1024**2

NPY = rf"{MODALITY.pattern}_\d{{1,4}}\.npy"
LAYERS = rf"layers/(index\.json|users\.npy|items\.npy|{NPY})|readouts/{NPY}"
CHECKPOINTS = (
    rf"checkpoints/(best(\.{STAMP})?\.safetensors|last\.{STAMP}(\.state)?\.safetensors|last\.json)"
)
SNAPSHOTS = r"snapshots/(index\.json|nodes\.npy|(0|[1-9][0-9]{0,8})\.npy)"
TOP = r"config\.json|status\.json|metrics\.jsonl|evaluation\.json|ids\.json|per_user\.csv|log\.txt"
KEPT = re.compile(rf"({TOP}|{LAYERS}|{SNAPSHOTS}|{CHECKPOINTS})")
COMMAND, FIGURES = "command.txt", "figures.html"
LEFT_BEHIND = re.compile(
    r"(job\.json|per_user\.parquet|control/[0-9a-f-]+\.json|command\.txt|figures\.html"
    r"|(layers|readouts|snapshots|checkpoints|control)/)"
)
"""What means something only where it was made; the table, which travels as CSV (per_user.py); and what is
made for people to read. A page from elsewhere is never unpacked."""
FOLDER_NAME = re.compile(r"[A-Za-z0-9._-]{1,100}")
PICKLES = frozenset({".pt", ".pth", ".pkl", ".pickle", ".bin", ".ckpt", ".joblib"})


def is_kept(name: str) -> bool:
    """Whether ``name`` (relative, with ``/``) is a file that travels with a run."""
    return KEPT.fullmatch(name) is not None


def unpack(source: Path, target: Path) -> str:
    """Unpack the run in ``source`` into the new folder ``target``; returns the archived folder's name.

    Raises CheckpointError, or StorageError for a full disk, having written nothing outside ``target``; the
    caller removes that.
    """
    try:
        with (
            open_plain(source) as stream,
            zipfile.ZipFile(stream) as archive,
        ):
            prefix, members = _members(archive, free_bytes=shutil.disk_usage(target.parent).free)
            target.mkdir()
            for name, info in members.items():
                destination = target.joinpath(*PurePosixPath(name).parts)
                destination.parent.mkdir(exist_ok=True)
                with archive.open(info) as packed, destination.open("xb") as file:
                    _copy(packed, file, info)
            return prefix
    except (CheckpointError, StorageError):
        raise
    # What zipfile raises for damaged, encrypted (RuntimeError) and exotic (NotImplementedError) files.
    except (
        zipfile.BadZipFile,
        zlib.error,
        struct.error,
        EOFError,
        OSError,
        ValueError,
        RuntimeError,
    ) as error:
        if isinstance(error, OSError) and error.errno in STORAGE:
            raise storage_error(error) from None  # the disk is at fault, not the archive
        raise CheckpointError(
            expected="a zip archive of a run folder",
            found=(str(error) or type(error).__name__).splitlines()[0][:200].rstrip("."),
            remedy="export the run again; a single checkpoint is imported with its config.json",
        ) from None


def _members(archive: zipfile.ZipFile, free_bytes: int) -> tuple[str, dict[str, zipfile.ZipInfo]]:
    """The folder's name and the files to unpack, by their name in the run folder; all checked."""
    entries = archive.infolist()
    if len(entries) > budgets.RUN_FILES:
        raise _refused(f"at most {budgets.RUN_FILES} files in the archive", str(len(entries)))
    for info in entries:
        _check_entry(info)
    names = [info.filename for info in entries]
    configs = [name for name in names if PurePosixPath(name).name == "config.json"]
    if len(configs) != 1:
        raise _refused("one config.json in the archive", str(len(configs)))
    prefix = configs[0].removesuffix("config.json")
    members: dict[str, zipfile.ZipInfo] = {}
    for info in entries:
        name = info.filename.removeprefix(prefix)
        if not info.filename.startswith(prefix) or not (
            is_kept(name) or LEFT_BEHIND.fullmatch(name) or name == ""
        ):
            raise _refused("only the files of a run folder", ascii(info.filename[:120]))
        if is_kept(name):
            _check_size(name, info)
        if name in members:
            raise _refused("every file once", f"{name} twice")
        if is_kept(name):
            members[name] = info
    if prefix and not FOLDER_NAME.fullmatch(prefix[:-1]):
        raise _refused("one folder at the top of the archive", ascii(prefix[:120]))
    _check_total(members.values(), free_bytes)
    return prefix.rstrip("/"), members


def _check_entry(info: zipfile.ZipInfo) -> None:
    """Refuse an entry whose name or kind could reach outside, or that would need pickle."""
    name = info.filename
    shown = ascii(name[:120])
    path = PurePosixPath(name)
    # zipfile cuts a name at a NUL; orig_filename still has it.
    if info.orig_filename != name or not re.fullmatch(r"[A-Za-z0-9._/-]{1,200}", name):
        raise _refused("plain file names (letters, digits, . _ -)", shown)
    if path.is_absolute() or ".." in path.parts or str(path) != name.rstrip("/"):
        raise _refused("file names that stay inside the run folder", shown)
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR) or (kind == stat.S_IFDIR) > name.endswith("/"):
        raise _refused("plain files", f"{shown}, a link or a device")
    if path.suffix.lower() in PICKLES:
        raise _refused(
            "parameters as safetensors and arrays as .npy",
            f"{shown}, which may hold a pickle and is never opened",
        )
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise _refused("stored or deflated files", f"{shown}, compressed in another way")


def _check_size(name: str, info: zipfile.ZipInfo) -> None:
    """Every file within the budget of its role, and no text that is packed tighter than text can be."""
    limit = budgets.most_bytes(name)
    if limit is None:
        return
    if info.file_size > limit:
        raise _refused(f"at most {limit} bytes in {name}", str(info.file_size))
    if info.file_size > max(budgets.ANY_RATIO_BYTES, budgets.TEXT_RATIO * info.compress_size):
        raise _refused(
            f"{name} packed at most {budgets.TEXT_RATIO} to 1",
            f"{info.file_size} bytes in {info.compress_size}",
        )


def _check_total(members: Collection[zipfile.ZipInfo], free_bytes: int) -> None:
    total = sum(info.file_size for info in members)
    packed = sum(info.compress_size for info in members)
    limit = min(budgets.RUN_BYTES, budgets.ANY_TOTAL_BYTES + budgets.TOTAL_RATIO * packed)
    if total > limit:
        raise _refused(f"at most {limit} bytes once unpacked", f"{total} declared")
    if total > free_bytes // 2:
        raise StorageError(
            expected=f"twice the {total} bytes of the run free on the disk",
            found=f"{free_bytes} bytes",
            remedy="free some space and import the run again",
        )


def _copy(packed: IO[bytes], file: BinaryIO, info: zipfile.ZipInfo) -> None:
    """Copy what was declared, neither more nor less."""
    written = 0
    while chunk := packed.read(CHUNK_BYTES):
        written += len(chunk)
        if written > info.file_size:
            break
        file.write(chunk)
    if written != info.file_size:
        raise _refused(
            f"{info.file_size} bytes in {info.filename}", f"{written}, so its header lies"
        )


def _refused(expected: str, found: str) -> CheckpointError:
    return CheckpointError(
        expected=expected, found=found, remedy="export the run again and import that archive"
    )
