"""What CI installs is locked by version and hash, and documented with its licence."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from rednd_core.config import PROJECT_ROOT


def lines_of(name: str) -> list[str]:
    lines = (PROJECT_ROOT / name).read_text("utf-8").splitlines()
    found = (line.partition("#")[0].strip() for line in lines)
    return [line for line in found if line and not line.startswith("-")]


def locked() -> dict[str, str]:
    """Version by name; every line of the lock has exactly the form that pip needs."""
    found = {}
    for line in lines_of("requirements.lock"):
        parts = re.fullmatch(r"([a-z0-9-]+)==(\S+) --hash=sha256:[0-9a-f]{64}", line)
        assert parts, line
        found[parts[1]] = parts[2]
    return found


def documented() -> dict[str, list[str]]:
    """The cells of each row of docs/dependencies.md by the name of the package."""
    text = (PROJECT_ROOT / "docs/dependencies.md").read_text("utf-8")
    rows = [line.strip("| \n").split(" | ") for line in text.splitlines() if line[:2] == "| "]
    return {row[0]: row[1:] for row in rows if row[0] not in ("Package", "---")}


def test_every_pin_stands_in_the_lock_with_its_version() -> None:
    lock = locked()
    for name in ("requirements.txt", "requirements-dev.txt"):
        for pinned in map(Requirement, lines_of(name)):
            version = lock[canonicalize_name(pinned.name)]
            assert pinned.specifier.contains(version), f"{pinned}, but {version} in the lock"


def test_the_lock_is_closed() -> None:
    """Nothing that a locked package needs is missing: pip installs the lock without looking for that."""
    from importlib.metadata import PackageNotFoundError, distribution

    lock = locked()
    looked_at = 0
    for name, version in lock.items():
        try:
            installed = distribution(name)
        except PackageNotFoundError:
            continue  # DGL where it has no build
        if Version(installed.version) != Version(version):
            continue  # another environment than the one of CI
        looked_at += 1
        for needed in map(Requirement, installed.requires or []):
            if needed.marker is None or needed.marker.evaluate({"extra": ""}):
                assert canonicalize_name(needed.name) in lock, f"{name} needs {needed}"
    assert looked_at >= 10


def test_the_document_lists_what_is_locked_with_licence_and_purpose() -> None:
    rows = documented()
    assert {name: row[0] for name, row in rows.items()} == locked()
    for name, (_, licence, purpose) in rows.items():
        assert licence != "not stated", name
        assert purpose, name


def test_the_lock_lists_no_build_for_a_gpu() -> None:
    assert locked()["torch"].endswith("+cpu")
    assert not [name for name in locked() if name.startswith("nvidia")]


@pytest.mark.skipif(sys.platform == "win32", reason="bash")
@pytest.mark.parametrize("script", ["run", "install", "checks", "without_dgl", "lowest"])
def test_scripts_of_ci_are_bash(script: str) -> None:
    subprocess.run(["bash", "-n", str(PROJECT_ROOT / ".ci" / script)], check=True)
