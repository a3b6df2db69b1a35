"""Unpack a zip that anybody may have made: known names only, bounded sizes, no links, no pickles."""

from __future__ import annotations

import io
import re
import shutil
import stat
import struct
import zipfile
import zlib
from pathlib import Path, PurePosixPath
from typing import IO, BinaryIO

from rednd_core.config import MODALITY
from rednd_core.errors import CheckpointError
from rednd_core.runs.layout import STAMP

MAX_FILES = 2_000
MAX_TOTAL_BYTES = 4 * 1024**3
MAX_TEXT_BYTES = 256 * 1024**2
CHUNK_BYTES = 1024**2

LAYERS = rf"layers/(index\.json|users\.npy|items\.npy|{MODALITY.pattern}_\d{{1,4}}\.npy)"
CHECKPOINTS = (
    rf"checkpoints/(best(\.{STAMP})?\.safetensors|last\.{STAMP}(\.state)?\.safetensors|last\.json)"
)
TOP = r"config\.json|status\.json|metrics\.jsonl|evaluation\.json|per_user\.csv|log\.txt"
KEPT = re.compile(rf"({TOP}|{LAYERS}|{CHECKPOINTS})")
LEFT_BEHIND = re.compile(
    r"(job\.json|per_user\.parquet|control/[0-9a-f-]+\.json|(layers|checkpoints|control)/)"
)
"""What means something only where it was made; and the table, which travels as CSV (per_user.py)."""
FOLDER_NAME = re.compile(r"[A-Za-z0-9._-]{1,100}")
PICKLES = frozenset({".pt", ".pth", ".pkl", ".pickle", ".bin", ".ckpt", ".joblib"})


def is_kept(name: str) -> bool:
    """Whether ``name`` (relative, with ``/``) is a file that travels with a run."""
    return KEPT.fullmatch(name) is not None


def unpack(source: Path | bytes, target: Path) -> str:
    """Unpack the run in ``source`` into the new folder ``target``; returns the archived folder's name.

    Raises CheckpointError, having written nothing outside ``target``; the caller removes that.
    """
    try:
        with (
            source.open("rb") if isinstance(source, Path) else io.BytesIO(source) as stream,
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
    except CheckpointError:
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
        raise CheckpointError(
            expected="a zip archive of a run folder",
            found=(str(error) or type(error).__name__).splitlines()[0][:200].rstrip("."),
            remedy="export the run again; a single checkpoint is imported with its config.json",
        ) from None


def _members(archive: zipfile.ZipFile, free_bytes: int) -> tuple[str, dict[str, zipfile.ZipInfo]]:
    """The folder's name and the files to unpack, by their name in the run folder; all checked."""
    entries = archive.infolist()
    if len(entries) > MAX_FILES:
        raise _refused(f"at most {MAX_FILES} files in the archive", str(len(entries)))
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
        if name in members:
            raise _refused("every file once", f"{name} twice")
        if is_kept(name):
            members[name] = info
    if prefix and not FOLDER_NAME.fullmatch(prefix[:-1]):
        raise _refused("one folder at the top of the archive", ascii(prefix[:120]))
    total = sum(info.file_size for info in members.values())
    limit = min(MAX_TOTAL_BYTES, free_bytes // 2)
    if total > limit:
        raise _refused(f"at most {limit} bytes once unpacked", f"{total} declared")
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
    if path.suffix in (".json", ".jsonl", ".txt", ".csv") and info.file_size > MAX_TEXT_BYTES:
        raise _refused(f"at most {MAX_TEXT_BYTES} bytes of text", f"{info.file_size} in {shown}")


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
