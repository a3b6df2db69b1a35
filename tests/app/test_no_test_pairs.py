"""Every page with a data set whose test part is empty: its runs have no test figures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from rednd_core.config import PROJECT_ROOT, DataConfig
from rednd_core.data import load_dataset
from rednd_core.foreign.imported import How, import_vectors
from rednd_core.runs import RunStore

PAGES = {path.stem: path for path in sorted((PROJECT_ROOT / "pages").glob("*.py"))}
PAGES["Home"] = PROJECT_ROOT / "app" / "main.py"


@pytest.fixture
def _run_without_test(store: RunStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.cached.compile_umap", lambda: None)
    rng, folder = np.random.default_rng(2), tmp_path / "no-test"
    folder.mkdir()
    rows = [
        f"{user},{item},{int(place == 0)}"
        for user in range(20)
        for place, item in enumerate(rng.permutation(15)[:6])
    ]
    (folder / "pairs.csv").write_text("\n".join(["user_id,item_id,x_label", *rows]) + "\n")
    data = load_dataset(folder)
    assert (len(data.valid), len(data.test)) == (20, 0)
    paths = [tmp_path / "users.npy", tmp_path / "items.npy"]
    for path, n_rows in zip(paths, (data.n_users, data.n_items), strict=True):
        np.save(path, rng.normal(size=(n_rows, 6)))
    import_vectors(paths, store, data=DataConfig(path=str(folder)), how=How(propagate=2))


@pytest.mark.usefixtures("_run_without_test")
@pytest.mark.parametrize("page", PAGES)
def test_every_page_opens(page: str) -> None:
    app = AppTest.from_file(str(PAGES[page]), default_timeout=180)
    app.run()
    assert not app.exception
    assert not app.error, [error.value for error in app.error]
