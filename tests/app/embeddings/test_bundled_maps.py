"""A newcomer waits for no map: those that Embeddings opens with are shipped."""

from __future__ import annotations

from pathlib import Path
from typing import NoReturn

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from app.sitemap import page_file
from rednd_core.projection import JointUMAP, PooledPCA


@pytest.mark.parametrize(
    "name", ["shop-lightgcn", "shop-rednnd-a0", "shop-rednnd-a0.01", "shop-rednnd-a0.1"]
)
def test_no_map_is_computed(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> NoReturn:
        raise AssertionError("a map was computed")

    monkeypatch.setenv("REDND_CACHE", str(tmp_path / "empty"))
    monkeypatch.setattr(PooledPCA, "fit_transform", refuse)
    monkeypatch.setattr(JointUMAP, "fit_transform", refuse)
    st.cache_data.clear()
    st.cache_resource.clear()
    app = AppTest.from_file(page_file("embeddings"), default_timeout=180)
    app.query_params["run"] = name
    app.run()
    assert not app.exception, app.exception
    assert not app.error, [error.value for error in app.error]
    # The page came as far as its maps.
    assert [box for box in app.multiselect if box.label == "Depths"]
