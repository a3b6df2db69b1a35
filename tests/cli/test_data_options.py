"""How the data are read and split, as every command that trains or checks takes it."""

from __future__ import annotations

from pathlib import Path

import pytest

from rednd_core.cli.data_options import DataOptions
from rednd_core.cli.options import parse_assignments, run_settings
from rednd_core.config import ColumnNames
from rednd_core.data import load_configured
from rednd_core.errors import ConfigError
from rednd_core.runs import RunStore
from rednd_core.sweeps import study, sweep

COLUMNS = ("--column", "user=who", "--column", "item=thing")
RANDOM = ("--split", "random", "--ratios", "0.6,0.2,0.2", "--split-seed", 3)


@pytest.fixture
def reviews(tmp_path: Path) -> Path:
    """20 users with 10 of 30 items each, under other names; one row twice."""
    rows = [f"u{user},p{(user + 3 * k) % 30}" for user in range(20) for k in range(10)]
    file = tmp_path / "reviews.csv"
    file.write_text("\n".join(["who,thing", *rows, rows[0]]) + "\n")
    return file


def test_all_at_once() -> None:
    config = DataOptions("random", "0.7, 0.1, 0.2", 3, ["user=who", "item=1"]).config("x.csv")
    assert (config.split, config.ratios, config.split_seed) == ("random", (0.7, 0.1, 0.2), 3)
    assert config.columns == ColumnNames(user="who", item="1")
    assert DataOptions().config("x.csv").columns is None


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"columns": ["usr=who"]}, "did you mean 'user'"),
        ({"columns": ["user"]}, "as key=value"),
        ({"columns": ["user="]}, "a valid value for user"),
        ({"columns": ["user=a", "user=b"]}, "every column role once, but found user=a and user=b"),
        ({"ratios": "0.8,0.1"}, "three ratios from 0 to 1"),
        ({"ratios": "0.8,0.1,0.2"}, "sum to 1"),
        ({"ratios": "a,b,c"}, "found a, b, c"),
        ({"ratios": "1.2,-0.1,-0.1"}, "from 0 to 1"),
        ({"ratios": ""}, "with commas between them"),
        ({"split_seed": -1}, "a valid value for split_seed"),
        ({"split": "halves"}, "a valid value for split"),
        ({"split": "auto", "ratios": "0.8,0.1,0.1"}, "add --split random"),
        ({"split": "given", "split_seed": 1}, "found --split given"),
    ],
)
def test_what_cannot_be(options, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        DataOptions(**({"split": "random"} | options)).config("x.csv")
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("ks=20", [20]),
        ("ks=10,20", [10, 20]),
        ("ks=[10, 20]", [10, 20]),
        ("modalities=image", ["image"]),
        ("modalities=image,text", ["image", "text"]),
        ("epochs=3", 3),
        ('fusion_weights={"image": 1}', {"image": 1}),
    ],
)
def test_lists_need_no_brackets(text: str, value: object) -> None:
    assert list(parse_assignments([text]).values()) == [value]


def test_the_seed_comes_from_one_option() -> None:
    assert run_settings(["epochs=3"], 7) == {"epochs": 3, "seed": 7}
    assert run_settings(["seed=3"], None) == {"seed": 3}
    with pytest.raises(ConfigError, match="found --seed 2 and --set seed=1; leave one of them out"):
        run_settings(["seed=1"], 2)
    with pytest.raises(ConfigError, match="every setting once, but found seed=1 and seed=2"):
        run_settings(["seed=1", "seed=2"], None)


def test_seeds_at_odds_train_nothing(rednd, reviews: Path, tmp_path: Path) -> None:
    both = ("--data", reviews, "--model", "mf", *COLUMNS, "--seed", 2, "--set", "seed=1")
    for command in (("train",), ("sweep", "--grid", "epochs=1,2")):
        result = rednd(*command, *both)
        assert (result.code, "--seed 2 and --set seed=1" in result.err) == (1, True)
    assert not (tmp_path / "runs").exists()


def test_check_takes_columns_and_names_the_option(rednd, reviews: Path) -> None:
    refused = rednd("data", "check", reviews)
    assert refused.code == 1
    remedy = "name the columns with --column user=who --column item=thing (in the app"
    assert remedy in refused.out
    result = rednd("data", "check", reviews, *COLUMNS, *RANDOM, "--json")
    assert (result.code, result.json["ok"]) == (0, True)
    figures = result.json["interactions"]
    assert [figures[f"n_{part}"] for part in ("train", "valid", "test")] == [120, 40, 40]


def test_a_run_keeps_them_and_says_what_was_dropped(rednd, reviews: Path, tmp_path: Path) -> None:
    result = rednd("train", "--data", reviews, "--model", "popularity", "--run", "r", "--json",
                   *COLUMNS, *RANDOM)  # fmt: skip
    assert result.code == 0, result.err
    assert len(result.out.splitlines()) == 1
    assert result.json["run"] == "r"
    sentence = "notice  Dropped 1 repeated row: every (user, item) pair counts once."
    assert result.err.splitlines().count(sentence) == 1
    config = RunStore(tmp_path / "runs").open("r").config.data
    assert config == DataOptions("random", "0.6,0.2,0.2", 3, COLUMNS[1::2]).config(str(reviews))
    assert {n.message for n in load_configured(config).notices} == {sentence.split(maxsplit=1)[1]}
    assert rednd("evaluate", "--run", "r").code == 0


def test_notices_come_before_the_first_epoch(rednd, reviews: Path, quick) -> None:
    result = rednd("train", "--data", reviews, "--model", "mf", "--run", "r", *COLUMNS, *quick)
    assert result.code == 0, result.err
    assert result.err.index("notice  Dropped 1") < result.err.index("epoch 1")
    again = rednd("train", "--resume", "r", *COLUMNS)
    assert (again.code, "--resume alone" in again.err) == (1, True)
    again = rednd("train", "--resume", "r", "--split-seed", 0)
    assert (again.code, "--resume alone" in again.err) == (1, True)


def test_plans_of_sweeps_and_studies_have_them(rednd, reviews: Path, monkeypatch) -> None:
    plans = []

    def noted(plan, *args):
        plans.append(plan)
        raise ConfigError(expected="a", found="b", remedy="c")

    monkeypatch.setattr(sweep, "run_sweep", noted)
    monkeypatch.setattr(study, "run_study", noted)
    common = ("--data", reviews, "--model", "mf", *COLUMNS, *RANDOM)
    rednd("sweep", "--grid", "epochs=1,2", *common)
    rednd("study", "--seeds", "1,2", *common)
    wanted = DataOptions("random", "0.6,0.2,0.2", 3, COLUMNS[1::2]).config(str(reviews))
    assert [plan.data for plan in plans] == [wanted, (wanted,)]


def test_choices_reach_the_run_and_a_model_that_needs_features_gets_them(
    rednd, tmp_path: Path, quick
) -> None:
    """Ratings, rare items, titles and no feature file: trained at the first attempt, and all of it said."""
    rows = [f"u{u},i{(u * 5 + 3 * k) % 20},{1 + (u + k) % 5}" for u in range(20) for k in range(9)]
    folder = tmp_path / "films"
    folder.mkdir()
    (folder / "ratings.csv").write_text("userId,movieId,rating\n" + "\n".join(rows) + "\n")
    movies = [f'i{k},"Film {k}, of sort {k % 3}",Drama|War' for k in range(20)]
    (folder / "movies.csv").write_text("movieId,title,genres\n" + "\n".join(movies) + "\n")
    options = ("--threshold", 2, "--min-interactions", 3, "--sample-users", 15, "--split-seed", 4)
    result = rednd("train", "--data", folder, "--model", "rednnd", "--run", "r", *options, *quick)
    assert result.code == 0, result.err
    for words in (
        "RedNⁿD needs item features and there are none: text features are made",
        "read as  MovieLens: ratings.csv, text with commas between the columns: users in 'userId'",
        "with a rating below 2",
        "Drew 15 of 20 users",
        "The features 'text'",
    ):
        assert words in result.err
    config = RunStore(tmp_path / "runs").open("r").config.data
    assert (config.rating_threshold, config.min_interactions, config.sample_users) == (2, 3, 15)
    assert (config.split_seed, config.text_features) == (4, "tfidf")
    assert rednd("evaluate", "--run", "r").code == 0


def test_convert(rednd, reviews: Path, tmp_path: Path) -> None:
    new = tmp_path / "new"
    result = rednd("data", "convert", reviews, new, *COLUMNS, "--min-interactions", 2)
    assert result.code == 0, result.err
    assert f"{new}: 20 users, 30 items, 160 train, 20 validation and 20 test pairs" in result.out
    assert rednd("data", "check", new, "--json").json["interactions"]["n_test"] == 20
    again = rednd("data", "convert", reviews, new, *COLUMNS)
    assert (again.code, "a new folder" in again.err) == (1, True)


@pytest.mark.parametrize("spelling", ["'{}'", '"{}"', "file://{}", " {} "])
def test_paths_as_other_programs_copy_them(rednd, reviews: Path, spelling: str) -> None:
    assert rednd("data", "check", spelling.format(reviews), *COLUMNS).code == 0
