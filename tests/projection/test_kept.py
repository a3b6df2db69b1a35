"""Maps are found where this machine keeps them, and beside the sample data."""

from __future__ import annotations

from pathlib import Path

from rednd_core.config import PROJECT_ROOT
from rednd_core.projection import kept_maps, project


def test_the_environment_says_where(layers, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("REDND_CACHE", str(tmp_path / "mine"))
    cache = kept_maps()
    assert cache.root == tmp_path / "mine"
    project(layers, cache=cache)
    assert len(list((tmp_path / "mine").glob("*.npz"))) == 1
    monkeypatch.delenv("REDND_CACHE")
    assert kept_maps().root == PROJECT_ROOT / ".cache"


def test_bundled_maps_are_read_and_never_written() -> None:
    cache = kept_maps()
    assert PROJECT_ROOT / "sample_data" / "shop" / "projections" in cache.bundled
    assert cache.root not in cache.bundled
