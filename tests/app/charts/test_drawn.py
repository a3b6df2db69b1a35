"""Figures are built once for all who ask for the same, and again where anything differs."""

from __future__ import annotations

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest
import streamlit as st

from app.charts.drawn import drawn, pack

built: list[float] = []


def figure(coords: np.ndarray, table: pd.DataFrame, *, height: float = 100) -> go.Figure:
    built.append(height)
    trace = {"type": "scatter", "x": coords, "y": table["y"].tolist(), "text": ["a", "b"]}
    return go.Figure([trace], {"height": height})


def lines(coords: np.ndarray, table: pd.DataFrame) -> go.Figure:
    return figure(coords, table).update_traces(mode="lines")


@pytest.fixture(autouse=True)
def _nothing_yet() -> None:
    st.cache_resource.clear()
    built.clear()


def arguments() -> tuple[np.ndarray, pd.DataFrame]:
    return np.array([1.0, 2.0]), pd.DataFrame({"y": [3, 4]})


def test_equal_arguments_are_built_once() -> None:
    first, again = (drawn(figure, *arguments()) for _ in range(2))
    assert first.packed is again.packed
    assert built == [100]
    assert first.packed == pack(figure(*arguments()))


@pytest.mark.parametrize("what", ["array", "table", "keyword", "builder"])
def test_anything_else_is_another_figure(what: str) -> None:
    coords, table = arguments()
    first = drawn(figure, coords, table)
    if what == "array":
        coords[1] = np.nextafter(coords[1], 9)
    if what == "table":
        table.loc[1, "y"] = 5
    height = {"height": 200} if what == "keyword" else {}
    other = drawn(lines if what == "builder" else figure, coords, table, **height)
    assert other.packed != first.packed
    assert other.packed == pack(other.build())


def test_what_is_drawn_holds_no_figure_and_builds_one_for_a_file() -> None:
    found = drawn(figure, *arguments(), height=50)
    assert (found.packed.height, found.packed.squares) == (50, None)
    assert not any(isinstance(value, go.Figure) for value in vars(found.packed).values())
    assert found.build().layout.height == 50
