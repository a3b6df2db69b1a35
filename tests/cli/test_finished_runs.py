"""What all commands that read a finished run refuse."""

from __future__ import annotations

from pathlib import Path

from rednd_core.runs import RunStore


def test_lists_of_no_length(rednd, trained: RunStore) -> None:
    """A sentence from both, not a box of usage from one."""
    for command in (("evaluate",), ("recommend", "--user", "ann-7")):
        result = rednd(*command, "--run", "done", "--k", 0)
        assert (result.code, result.out) == (1, "")
        assert result.err.startswith("rednd: Expected ")


def test_unknown_users_and_runs(rednd, trained: RunStore) -> None:
    result = rednd("recommend", "--run", "done", "--user", "7")
    assert (result.code, "a user of planted" in result.err) == (1, True)
    for command in ("evaluate", "smoothness"):
        result = rednd(command, "--run", "nothing")
        assert (result.code, "a run called nothing" in result.err) == (1, True)


def test_a_changed_data_set_is_noticed(rednd, trained: RunStore, planted_folder: Path) -> None:
    pairs = planted_folder / "interactions.csv"
    content = pairs.read_bytes()
    try:
        pairs.write_bytes(content + b"ann-0,sku-29,0\n")
        for command in (["evaluate"], ["smoothness"], ["recommend", "--user", "ann-1"]):
            result = rednd(*command, "--run", "done")
            assert (result.code, "with other content" in result.err) == (1, True)
    finally:
        pairs.write_bytes(content)
