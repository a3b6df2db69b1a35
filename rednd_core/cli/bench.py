"""``rednd bench``: the scripts of the benchmarks folder, one after the other."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from rednd_core.cli.speech import tell
from rednd_core.config import PROJECT_ROOT
from rednd_core.errors import ConfigError, RedndError, unknown_name
from rednd_core.writable import make_folder

SHOP = "sample_data/shop"
QUICK: dict[str, list[str]] = {
    "step": ["--data", SHOP],
    "training": ["--data", SHOP, "--models", "lightgcn", "rednnd", "--scopes", "batch", "full"],
    "alignment": ["--sizes", "1024", "4096"],
    "evaluation": ["--repeat", "2"],
    "smoothness": ["--repeat", "2"],
    "projection": ["--nodes", "2000", "--layers", "3"],
}
"""Script -> its arguments with ``--quick``: the bundled shop, and sizes that take seconds."""


def bench(
    quick: Annotated[
        bool, typer.Option("--quick", help="Bundled data and small sizes: under two minutes.")
    ] = False,
    only: Annotated[
        list[str] | None, typer.Option("--only", help="One script by name; repeatable.")
    ] = None,
    json_dir: Annotated[
        Path | None, typer.Option("--json-dir", help="Folder for one JSON file a script.")
    ] = None,
) -> None:
    """Time training steps, alignment, evaluation, smoothness and projection on this machine.

    Example: `rednd bench --quick`
    """
    folder = PROJECT_ROOT / "benchmarks"
    if not folder.is_dir():
        raise ConfigError(
            expected=f"the benchmark scripts in {folder}",
            found="no such folder",
            remedy="run from a clone of the repository",
        )
    names = _chosen(only or [])
    if json_dir is not None:
        make_folder(json_dir, remedy="choose another folder with --json-dir", kind=ConfigError)
    began = time.perf_counter()
    for name in names:
        command = [sys.executable, str(folder / f"{name}.py"), *(QUICK[name] if quick else [])]
        if json_dir:
            command += ["--json", str(json_dir.resolve() / f"{name}.json")]
        tell("")
        tell(f"## {name}")
        tell("")
        if subprocess.run(command, cwd=PROJECT_ROOT, check=False).returncode:  # noqa: S603 (our own)
            raise RedndError(
                expected=f"benchmarks/{name}.py to run through",
                found="the error above",
                remedy=f"try it alone with --only {name}",
            )
    tell("")
    tell(f"{len(names)} scripts in {time.perf_counter() - began:.0f} s")


def _chosen(only: list[str]) -> list[str]:
    for name in only:
        if name not in QUICK:
            raise unknown_name("benchmark", name, QUICK)
    return only or list(QUICK)
