"""Files stay small enough to be read in one sitting."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from rednd_core.config import PROJECT_ROOT

SOURCE_FOLDERS = ("rednd_core", "app", "pages", "benchmarks")
SOURCES = [
    file
    for folder in SOURCE_FOLDERS
    for ending in ("py", "js", "css")
    for file in sorted((PROJECT_ROOT / folder).rglob(f"*.{ending}"))
]
MODELS = [f for f in sorted((PROJECT_ROOT / "rednd_core/models").glob("*.py")) if f.stem[0] != "_"]
THE_METHOD = "rednnd.py"  # the method that the project explains, with all its ablations


def n_lines(file: Path) -> int:
    return len(file.read_text(encoding="utf-8").splitlines())


def n_lines_of_settings(file: Path) -> int:
    classes = [node for node in ast.parse(file.read_text(encoding="utf-8")).body
               if isinstance(node, ast.ClassDef) and node.name.endswith("Hyperparameters")]  # fmt: skip
    return sum(node.end_lineno - node.lineno + 1 for node in classes)


def test_no_source_file_has_more_than_300_lines() -> None:
    assert len(SOURCES) > 300
    long = {str(f.relative_to(PROJECT_ROOT)): n_lines(f) for f in SOURCES if n_lines(f) > 300}
    assert long == {}


@pytest.mark.parametrize("file", MODELS, ids=lambda file: file.stem)
def test_a_model_is_read_in_one_sitting(file: Path) -> None:
    assert n_lines(file) <= 150
    if file.name != THE_METHOD:
        assert n_lines(file) - n_lines_of_settings(file) <= 80
