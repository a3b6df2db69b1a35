"""Every page with vectors that another program has trained, with their data set and alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from rednd_core.config import PROJECT_ROOT, DataConfig
from rednd_core.data import load_dataset
from rednd_core.foreign.imported import How, import_vectors
from rednd_core.runs import Run, RunStore

PAGES = {path.stem: path for path in sorted((PROJECT_ROOT / "pages").glob("*.py"))}
PAGES["Home"] = PROJECT_ROOT / "app" / "main.py"
NEEDING = {"3_Recommendations", "6_Depth", "8_Explain"}


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """The compiler of UMAP is not asked for."""
    monkeypatch.setattr("app.cached.compile_umap", lambda: None)


@pytest.fixture(params=["with data", "propagated", "alone"])
def run(
    request: pytest.FixtureRequest, store: RunStore, planted_folder: Path, tmp_path: Path
) -> Run:
    data, rng = load_dataset(planted_folder), np.random.default_rng(3)
    np.save(tmp_path / "users.npy", rng.normal(size=(data.n_users, 8)))
    np.save(tmp_path / "items.npy", rng.normal(size=(data.n_items, 8)))
    alone = request.param == "alone"
    imported, _ = import_vectors(
        [tmp_path / "users.npy", tmp_path / "items.npy"],
        store,
        data=None if alone else DataConfig(path=str(planted_folder)),
        how=How(propagate=2) if request.param == "propagated" else How(),
    )
    return imported


@pytest.mark.parametrize("page", PAGES)
def test_every_page_opens(run: Run, page: str) -> None:
    app = AppTest.from_file(str(PAGES[page]), default_timeout=180)
    app.run()
    assert not app.exception
    assert not app.error, [error.value for error in app.error]
    said = [info.value for info in app.info]
    closed = any("imported without a data set" in words for words in said)
    alone = not run.record.has_interactions
    assert closed == (alone and page in NEEDING | {"2_Smoothness"}), said


@pytest.mark.parametrize("part", ["One measure", "Go deeper", "During training", "All values"])
def test_every_part_of_smoothness_opens(run: Run, part: str) -> None:
    app = AppTest.from_file(str(PAGES["2_Smoothness"]), default_timeout=180)
    app.query_params["smoothness_part"] = part
    app.query_params["smoothness_misleads"] = "true"
    app.run()
    assert not app.exception
    assert not app.error, [error.value for error in app.error]
