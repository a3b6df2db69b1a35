"""Writes docs/dependencies.md: what the project installs, under which licence, and what for.

``python .ci/dependencies.py`` reads the metadata of the packages in requirements.lock, which have to be
installed.
"""

from __future__ import annotations

import re
from importlib.metadata import PackageMetadata, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PROJECT_ROOT = Path(__file__).resolve().parent.parent
PURPOSES = {
    "torch": "the models and their training",
    "dgl": "multiplies by the graph on the CPU (Python 3.11 only; torch alone does it elsewhere)",
    "streamlit": "the app",
    "starlette": "the app's server: what the public mode closes",
    "plotly": "figures",
    "umap-learn": "UMAP maps",
    "numba": "compiled loops of UMAP and of our own",
    "pynndescent": "nearest neighbours for UMAP",
    "pandas": "tables of items, users and results",
    "numpy": "arrays",
    "scipy": "sparse matrices, statistics",
    "scikit-learn": "PCA, features of texts",
    "pyarrow": "Parquet files; tables on their way to the browser",
    "pydantic": "settings and records that are checked when they are read",
    "typer": "the command line",
    "rich": "progress and tables in the terminal",
    "safetensors": "checkpoints and vectors, which are never unpickled",
    "pillow": "pictures of items",
    "platformdirs": "the user's cache folder",
    "dask": "sweeps on a cluster",
    "filelock": "one writer a run",
    "psutil": "whether a training lives, and the memory that is free",
    "pytest": "runs the tests",
    "pytest-timeout": "no test without an end",
    "pytest-xdist": "tests on all cores",
    "hypothesis": "generated inputs for each reader",
    "playwright": "drives a browser",
    "axe-playwright-python": "brings axe-core, which looks for barriers on each page",
    "nbclient": "runs the example notebook",
    "nbformat": "reads the example notebook",
    "ipykernel": "runs the cells of the example notebook",
    "torchmetrics": "an independent oracle for the metrics",
    "websockets": "sessions that do not come from a browser",
    "ruff": "style",
    "mypy": "types",
    "import-linter": "who may import whom",
    "pandas-stubs": "types of pandas",
    "scipy-stubs": "types of SciPy",
    "pre-commit": "the checks before a commit",
}
READ_IN_ITS_FILES = {"axe-playwright-python": "MIT; the axe-core in it: MPL-2.0"}
"""Licences of packages whose metadata name none."""
COPYLEFT = re.compile(r"\b(A?L?GPL|MPL|EPL|CDDL|Mozilla|GNU)", re.IGNORECASE)
CLASSIFIER = "License :: OSI Approved :: "
HEAD = """\
# Dependencies

Every package that CI installs, with the licence that its metadata or files name. Written by
`python .ci/dependencies.py`; the versions are those of `requirements.txt`, `requirements-dev.txt` and
`requirements.lock`. The project itself is under the [MIT licence](../LICENSE) and contains
no code of these packages.

"""


def pins(name: str) -> list[str]:
    """The names of the packages in a file of requirements, in its order."""
    lines = (PROJECT_ROOT / name).read_text("utf-8").splitlines()
    found = (line.partition("#")[0].partition("--hash")[0].strip() for line in lines)
    return [Requirement(line).name for line in found if line and not line.startswith("-")]


def licence(about: PackageMetadata) -> str:
    """The expression that the package states, or its classifiers, or the first line of its licence."""
    if expression := about.get("License-Expression"):
        return str(expression)
    classifiers = about.get_all("Classifier") or []
    named = [line.removeprefix(CLASSIFIER) for line in classifiers if line.startswith(CLASSIFIER)]
    text = str(about.get("License") or "").strip()
    return ", ".join(named) or (text.splitlines()[0] if text else "not stated")


def table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "".join("| " + " | ".join(line) + " |\n" for line in lines) + "\n"


def document() -> str:
    """The text of docs/dependencies.md."""
    about = {canonicalize_name(name): distribution(name) for name in pins("requirements.lock")}
    licences = {name: licence(each.metadata) for name, each in about.items()} | READ_IN_ITS_FILES
    direct: set[str] = set()
    parts = [HEAD]
    for title, file in (
        ("For the app and the commands", "requirements.txt"),
        ("For tests and checks", "requirements-dev.txt"),
    ):
        names = [canonicalize_name(name) for name in pins(file)]
        direct |= set(names)
        rows = [(n, about[n].version, licences[n], PURPOSES[n]) for n in names]
        parts.append(f"## {title}\n\n" + table(("Package", "Version", "Licence", "For"), rows))
    needed_by: dict[str, set[str]] = {"distributed": {"dask"}, "numpy-typing-compat": {"optype"}}
    for name, each in about.items():
        for wanted in map(Requirement, each.requires or []):
            if wanted.marker is None or wanted.marker.evaluate({"extra": ""}):
                needed_by.setdefault(canonicalize_name(wanted.name), set()).add(name)
    rest = sorted(set(about) - direct)
    rows = [(n, about[n].version, licences[n], ", ".join(sorted(needed_by[n]))) for n in rest]
    parts.append("## What these need\n\n" + table(("Package", "Version", "Licence", "Of"), rows))
    copyleft = [f"- {n}: {licences[n]}\n" for n in sorted(about) if COPYLEFT.search(licences[n])]
    parts.append(
        "## Copyleft\n\n"
        "Packages whose licence, or one of whose licences, asks that changes to the package itself are\n"
        "published. They are installed beside the project as they are, unchanged.\n\n"
    )
    return "".join([*parts, *copyleft])


if __name__ == "__main__":
    (PROJECT_ROOT / "docs/dependencies.md").write_text(document(), encoding="utf-8")
