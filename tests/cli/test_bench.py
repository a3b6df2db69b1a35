"""``rednd bench`` runs the scripts that exist, with arguments that they take."""

import json
import subprocess
import sys

import pytest

from rednd_core.cli import bench
from rednd_core.config import PROJECT_ROOT
from rednd_core.errors import ConfigError, RedndError


def test_every_script_is_there() -> None:
    missing = [n for n in bench.QUICK if not (PROJECT_ROOT / "benchmarks" / f"{n}.py").is_file()]
    assert missing == []


def test_a_script_prints_its_table_and_writes_its_figures(tmp_path, monkeypatch, capfd) -> None:
    monkeypatch.setitem(bench.QUICK, "alignment", ["--sizes", "64"])
    bench.bench(quick=True, only=["alignment"], json_dir=tmp_path)
    assert "| N | form | device |" in capfd.readouterr().out
    found = json.loads((tmp_path / "alignment.json").read_text())
    assert [row["form"] for row in found["rows"]] == ["dense", "chunked", "attention"]
    for row in found["rows"]:
        assert row["N"] == 64
        assert float(row["gradient error"]) < 1e-5
    assert found["commit"]


def test_all_scripts_one_after_the_other(monkeypatch) -> None:
    commands = []

    def run(command, **options):
        commands.append(command)
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(subprocess, "run", run)
    bench.bench(quick=False, only=None, json_dir=None)
    assert [command[1].rsplit("/", 1)[-1] for command in commands] == [
        f"{n}.py" for n in bench.QUICK
    ]
    assert all(command[0] == sys.executable and len(command) == 2 for command in commands)


def test_an_unknown_name_gets_the_nearest() -> None:
    with pytest.raises(ConfigError, match="alignment"):
        bench.bench(quick=True, only=["aligment"], json_dir=None)


def test_a_script_that_fails_is_said(monkeypatch) -> None:
    monkeypatch.setitem(bench.QUICK, "alignment", ["--sizes", "none"])
    with pytest.raises(RedndError, match="--only alignment"):
        bench.bench(quick=True, only=["alignment"], json_dir=None)
