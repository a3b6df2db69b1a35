"""Put a folder in place whole: written beside its destination, then renamed."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from rednd_core.errors import DataError
from rednd_core.writable import make_folder, refusal

MARKER = "truth.json"
REMEDY = "choose a folder that you may write to"


def publish(files: Mapping[str, bytes], target: Path, *, overwrite: bool) -> None:
    """Write ``files`` (relative path -> content) as the folder ``target``.

    With ``overwrite`` an existing sample shop is exchanged; what it holds beyond the shop's own files
    (trained runs, for example) is kept. Any other existing path is refused.

    Raises:
        DataError: if ``target`` exists and may not be replaced, or cannot be written.
    """
    check_target(target, overwrite=overwrite)
    with staged(target) as folder:
        for name, content in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)


@contextmanager
def staged(target: Path) -> Iterator[Path]:
    """A new folder beside ``target`` that becomes ``target`` when the block ends without an error.

    What :func:`check_target` lets through is exchanged; an interrupted block leaves nothing behind.

    Raises:
        DataError: it cannot be written there.
    """
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=target.parent, prefix=".making-", suffix=".tmp") as scratch:
            folder = Path(scratch) / "new"
            folder.mkdir()
            yield folder
            if target.exists():
                _exchange(folder, target, aside=Path(scratch) / "old")
            else:
                folder.rename(target)
    except OSError as error:
        raise DataError(
            expected=f"a place for the folder {target}",
            found=refusal(error),
            remedy=REMEDY,
        ) from error


def check_target(target: Path, *, overwrite: bool) -> None:
    """Raise DataError where :func:`publish` would refuse, before any work is spent."""
    make_folder(target.parent, remedy=REMEDY, kind=DataError)
    if not target.exists():
        return
    if not overwrite:
        raise DataError(
            expected=f"a folder that does not exist yet at {target}",
            found="one that does",
            remedy="choose another folder or allow overwriting",
        )
    if not _is_sample(target):
        raise DataError(
            expected=f"a sample to overwrite at {target}",
            found=f"something without the {MARKER} of one",
            remedy="choose another folder, or remove this one yourself",
        )


def _is_sample(folder: Path) -> bool:
    try:
        marker = json.loads((folder / MARKER).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(marker, dict) and str(marker.get("format", "")).startswith(
        ("rednd-shop", "rednd-music")
    )


def _exchange(staged: Path, target: Path, *, aside: Path) -> None:
    """Swap folders; entries that the new one lacks move over to it. Undone if a step fails."""
    own = {entry.name for entry in staged.iterdir()}
    target.rename(aside)
    kept = [entry.name for entry in aside.iterdir() if entry.name not in own]
    moved: list[str] = []
    try:
        for name in kept:
            (aside / name).rename(staged / name)
            moved.append(name)
        staged.rename(target)
    except BaseException:  # an interrupt too: the caller deletes what is aside
        for name in moved:
            (staged / name).rename(aside / name)
        aside.rename(target)
        raise
