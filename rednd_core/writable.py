"""Can something be written here? Asked before the work is done, answered in one sentence.

Permission bits do not tell (root passes them, read-only and virtual file systems ignore them), so a
nameless file is made and dropped.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from rednd_core.errors import ConfigError, RedndError, RunError

RUNS_REMEDY = "choose another folder with --runs-dir or $REDND_RUNS"


def make_folder(
    folder: Path, *, remedy: str = RUNS_REMEDY, kind: type[RedndError] = RunError
) -> None:
    """Make ``folder``, where it is missing, and see that files can be written in it.

    Raises:
        RedndError: of class ``kind``; neither is possible.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _try_writing(folder)
    except OSError as error:
        raise kind(
            expected=f"a folder at {folder} that can be written",
            found=_obstacle(folder) or refusal(error),
            remedy=remedy,
        ) from None


def require_output(file: Path) -> None:
    """Refuse an output file that cannot be written; an existing file is one that can be replaced.

    Raises:
        ConfigError: its folder is missing or closed, or a folder has that name.
    """
    try:
        obstacle = _obstacle(file.parent)
        if obstacle is None and not file.parent.is_dir():
            obstacle = f"no folder {file.parent}"
        if obstacle is None and file.exists() and not file.is_file():
            obstacle = "a folder" if file.is_dir() else "a device"
        if obstacle is None:
            _try_writing(file.parent)
    except OSError as error:
        obstacle = refusal(error)
    if obstacle is not None:
        raise ConfigError(
            expected=f"a file that can be written at {file}",
            found=obstacle,
            remedy="make the folder or choose another path",
        )


def refusal(error: OSError) -> str:
    """What the system said, for the ``found`` of an error."""
    return f"that the system refuses it ({error.strerror or error})"


def _try_writing(folder: Path) -> None:
    with tempfile.TemporaryFile(dir=folder):
        pass


def _obstacle(folder: Path) -> str | None:
    """The file that stands where ``folder`` or a folder above it would be."""
    for place in (folder, *folder.parents):
        try:
            if place.is_dir():
                return None
            if place.exists():
                return f"the file {place}"
        except OSError:  # may not be looked into
            return None
    return None
