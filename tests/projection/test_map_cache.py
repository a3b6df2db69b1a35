"""Maps are found where this machine keeps them, and beside the sample data."""

from __future__ import annotations

from pathlib import Path

from rednd_core.config import PROJECT_ROOT
from rednd_core.projection import default_map_cache, project


def test_the_environment_says_where(layers, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("REDND_CACHE", str(tmp_path / "mine"))
    cache = default_map_cache()
    assert cache.root == tmp_path / "mine"
    project(layers, cache=cache)
    assert len(list((tmp_path / "mine").glob("*.npz"))) == 1
    monkeypatch.delenv("REDND_CACHE")
    assert default_map_cache().root == PROJECT_ROOT / ".cache"


def test_an_installed_package_keeps_maps_in_the_user_s_cache(tmp_path: Path, monkeypatch) -> None:
    """On Linux; the folders of other platforms are platformdirs' business."""
    monkeypatch.setattr("rednd_core.projection.map_cache.PROJECT_ROOT", tmp_path / "site-packages")
    monkeypatch.delenv("REDND_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert default_map_cache().root == tmp_path / "xdg" / "rednd"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert default_map_cache().root == tmp_path / ".cache" / "rednd"


def test_bundled_maps_are_read_and_never_written() -> None:
    cache = default_map_cache()
    assert PROJECT_ROOT / "sample_data" / "shop" / "projections" in cache.bundled
    assert cache.root not in cache.bundled
