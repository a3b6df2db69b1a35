"""The example notebook runs from its first cell to its last, and shows what its text says."""

from __future__ import annotations

import re

import nbformat
import pytest
from nbclient import NotebookClient

from rednd_core.config import PROJECT_ROOT

NOTEBOOK = PROJECT_ROOT / "examples" / "smoothness.ipynb"


@pytest.fixture(scope="module")
def outputs() -> list[str]:
    """What each cell of code shows, as text; the kernel's working folder is that of the notebook."""
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    place = {"metadata": {"path": str(NOTEBOOK.parent)}}
    NotebookClient(notebook, timeout=240, kernel_name="python3", resources=place).execute()
    return [
        "".join(
            output.get("text", "") + output.get("data", {}).get("text/plain", "")
            for output in cell.outputs
        )
        for cell in notebook.cells
        if cell.cell_type == "code"
    ]


def test_smoothing_is_seen(outputs: list[str]) -> None:
    rows = [line.split() for line in outputs[0].splitlines() if line[:1].isdecimal()]
    users = [float(row[2]) for row in rows]
    assert len(users) == 4
    assert users[2] < users[0]


def test_the_callback_logs_each_epoch(outputs: list[str]) -> None:
    logged = [line for line in outputs[3].splitlines() if line[:1].isdecimal()]
    assert [int(line.split()[0]) for line in logged] == list(range(8))


def test_the_vectors_rank_better_than_chance(outputs: list[str]) -> None:
    """Twenty of 600 items at random are a recall of 0.03."""
    assert "Propagated here: 3 steps" in outputs[4]
    recall = re.search(r"0\.\d+", outputs[4])
    assert recall is not None
    assert float(recall[0]) > 0.06


def test_the_notebook_is_kept_without_outputs() -> None:
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    assert not any(cell.get("outputs") for cell in notebook.cells)
