"""Importing the package, and what looks at runs, loads nothing heavy."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

HEAVY = ("torch", "dgl", "umap", "numba", "sklearn", "streamlit", "plotly", "dask", "distributed")


def loaded(modules: str, among: tuple[str, ...] = HEAVY) -> list[str]:
    code = (
        f"import sys, json, {modules}; print(json.dumps([m for m in {among} if m in sys.modules]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


@pytest.mark.parametrize(
    "modules",
    [
        "rednd_core",
        "rednd_core.config, rednd_core.errors, rednd_core.cache, rednd_core.reproducibility",
        "rednd_core.data, rednd_core.runs, rednd_core.jobs, rednd_core.cli.app",
        "rednd_core.modeling.registry",
    ],
)
def test_nothing_heavy(modules: str) -> None:
    assert loaded(modules) == []


def test_a_job_that_waits_loads_only_what_it_waits_with() -> None:
    """What reads foreign files, guesses names and describes arrays comes with its turn, or never."""
    late = (
        "numpy",
        "pandas",
        "rednd_core.runs.transfer",
        "rednd_core.confined",
        "difflib",
        "ctypes",
    )
    assert loaded("rednd_core.cli.job", (*HEAVY, *late)) == []


def test_models_bring_torch_and_not_dgl() -> None:
    """DGL is loaded when a graph is bound to it, so that its absence costs nothing."""
    assert loaded("rednd_core.modeling.registry, rednd_core.graph.engine") == ["torch"]
