"""Seeds, versions, commit."""

from __future__ import annotations

import random
import subprocess

import numpy as np
import torch

from rednd_core import reproducibility
from rednd_core.reproducibility import commit, seed_everything, versions


def draw() -> tuple:
    legacy = float(np.random.rand())  # noqa: NPY002
    return random.random(), legacy, torch.rand(3).tolist()


def test_seeds_reach_every_generator() -> None:
    seed_everything(7)
    first = draw()
    assert first != draw()
    seed_everything(7)
    assert draw() == first
    seed_everything(8)
    assert all(mine != other for mine, other in zip(draw(), first, strict=True))


def test_versions(monkeypatch) -> None:
    found = versions()
    assert found["torch"] == torch.__version__
    assert found["numpy"] == np.__version__
    monkeypatch.setattr(reproducibility, "_RECORDED", ("numpy", "no-such-package"))
    assert set(versions()) == {"python", "numpy"}


def git(folder, *args: str) -> str:
    identity = ("-c", "user.name=t", "-c", "user.email=t@example.org")
    done = subprocess.run(
        ["git", "-C", str(folder), *identity, *args], check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


def test_commit(tmp_path, monkeypatch) -> None:
    """None outside a checkout; the hash inside; a plus where tracked files differ."""
    monkeypatch.setattr(reproducibility, "PROJECT_ROOT", tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert commit() is None
    git(tmp_path, "init", "-q")
    file = tmp_path / "a.txt"
    file.write_text("one")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "first")
    head = git(tmp_path, "rev-parse", "--short=12", "HEAD")
    assert commit() == head
    (tmp_path / "untracked").write_text("x")
    assert commit() == head
    file.write_text("two")
    assert commit() == head + "+"


def test_a_foreign_repository_around_the_package_has_no_commit(tmp_path, monkeypatch) -> None:
    packages = tmp_path / "venv" / "site-packages"
    packages.mkdir(parents=True)
    git(tmp_path, "init", "-q")
    (tmp_path / "a.txt").write_text("one")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "first")
    monkeypatch.setattr(reproducibility, "PROJECT_ROOT", packages)
    assert commit() is None
    monkeypatch.setattr(reproducibility, "PROJECT_ROOT", tmp_path)
    assert commit() is not None


def test_without_git(monkeypatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert commit() is None
