"""``rednd evaluate``."""

from __future__ import annotations

import pytest

from rednd_core.runs import RunStore


@pytest.mark.parametrize("by", ["activity", "degree", "popularity"])
def test_evaluate_by_slice(rednd, trained: RunStore, by: str) -> None:
    found = rednd("evaluate", "--run", "done", "--by", by, "--k", 5, "--json").json
    whole = rednd("evaluate", "--run", "done", "--k", 5, "--json").json
    assert {name: found[name] for name in whole} == whole
    for split in ("valid", "test"):
        rows = found["slices"][split]
        if by != "popularity":  # which divides pairs
            n_users = sum(row["n_users"] for row in rows)
            mean = sum(row["n_users"] * row["recall@5"] for row in rows) / n_users
            assert n_users == whole["n_users"][split]
            assert mean == pytest.approx(whole[split]["recall@5"])
    text = rednd("evaluate", "--run", "done", "--by", by, "--k", 5).out
    assert f"valid, by {by}" in text
    assert f"test, by {by}" in text


def test_evaluate_repeats_the_stored_results(rednd, trained: RunStore) -> None:
    result = rednd("evaluate", "--run", "done", "--json")
    stored = trained.open("done").evaluation()
    assert result.json["valid"] == pytest.approx(stored.valid)
    assert result.json["test"] == pytest.approx(stored.test)
    assert result.json["n_users"] == {"valid": 40, "test": 40}
    other = rednd("evaluate", "--run", "done", "--json", "--k", 3, "--k", 7)
    assert {name.partition("@")[2] for name in other.json["test"]} == {"3", "7"}
    text = rednd("evaluate", "--run", "done")
    assert f"{stored.test['recall@5']:.4f}" in text.out
    assert "valid (40 users)" in text.out
