"""``rednd recommend``: one user's list, with hits and misses, or the lists of all users as a file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rednd_core.cli.options import (
    Json,
    RunName,
    RunsDir,
    open_store,
    print_json,
    show_table,
)
from rednd_core.cli.speech import tell
from rednd_core.cli.table_files import require_table, write_table
from rednd_core.data.tables import counted
from rednd_core.errors import ConfigError, DataError
from rednd_core.library import LoadedRun


def recommend(
    run: RunName,
    user: Annotated[str | None, typer.Option(help="The user's original id.")] = None,
    k: Annotated[int, typer.Option(help="Length of the list.")] = 20,
    of_all: Annotated[
        bool, typer.Option("--all", help="The lists of all users, to --out.")
    ] = False,
    out: Annotated[
        Path | None, typer.Option(help="CSV or Parquet file to write the lists of --all to.")
    ] = None,
    runs_dir: RunsDir = None,
    as_json: Json = False,
) -> None:
    """List a user's best unseen items with hits marked, and the rank of each held-out item below them.

    With `--all`, the lists of all users become a file, a row an item: ids, titles, scores and hits.

    Examples:

    * `rednd recommend --run shop-lightgcn --user 17 --k 10`
    * `rednd recommend --run shop-lightgcn --all --k 20 --out lists.parquet`
    """
    opened = LoadedRun(open_store(runs_dir).open(run))
    opened.run.record.require_interactions("recommendations")
    if user is not None and out is None and not of_all:
        _show_one(opened, user, k, as_json)
    elif user is None and out is not None and of_all and not as_json:
        require_table(out)
        lists = opened.lists(k)
        write_table(out, lists)
        n_users = lists["user_id"].nunique()
        tell(f"Lists of {n_users:,} users, {len(lists):,} rows: {out}")
        _tell_of_the_cold(opened)
    else:
        given = {"--user": user is not None, "--all": of_all, "--out": out is not None,
                 "--json": as_json}  # fmt: skip
        raise ConfigError(
            expected="--user, or --all with --out and without --json",
            found=" ".join(option for option, is_given in given.items() if is_given) or "neither",
            remedy="choose one user to look at, or a file for the lists of all users",
        )


def _tell_of_the_cold(loaded: LoadedRun) -> None:
    """Say how many of the lists belong to users of whom the model knows nothing."""
    import numpy as np

    n_cold = int(np.count_nonzero(loaded.dataset.user_degrees == 0))
    if n_cold:
        tell(
            f"{counted(n_cold, 'user')} without a train pair: the lists come from parameters that no "
            "interaction of these users has moved."
        )


def _show_one(loaded: LoadedRun, user: str, k: int, as_json: bool) -> None:
    """Print the list of one user."""
    import numpy as np

    from rednd_core.evaluation.recommend import recommend as rank

    run, dataset = loaded.run.name, loaded.dataset
    matches = np.flatnonzero(dataset.user_ids == user)
    if not len(matches):
        raise DataError(
            expected=f"a user of {dataset.name}, e.g. {dataset.user_ids[0]!r}",
            found=repr(user),
            remedy="give the original id as it stands in the data",
        )
    user_emb, item_emb = loaded.run.embeddings()
    found = rank(
        user_emb, item_emb, dataset.train_matrix, int(matches[0]), k, held_out=dataset.test
    )
    titles = dataset.items["title"].to_numpy()

    def rows(frame_name: str) -> list[dict[str, object]]:
        frame = getattr(found, frame_name)
        return [
            {"rank": int(row.rank), "item_id": str(dataset.item_ids[row.item]),
             "title": str(titles[row.item]), "score": float(row.score),
             **({"hit": bool(row.hit)} if frame_name == "listed" else {})}
            for row in frame.itertuples()
        ]  # fmt: skip

    listed, missed = rows("listed"), rows("missed")
    if as_json:
        print_json(
            {"run": run, "user_id": user, "n_history": len(found.history), "notice": found.notice,
             "recommended": listed, "missed": missed}
        )  # fmt: skip
        return
    if found.notice is not None:
        tell(found.notice)
    show_table(
        f"Run {run}, user {user}: best {len(listed)} of {found.n_candidates} unseen items",
        ["rank", "item", "title", "score", "held out"],
        [[r["rank"], r["item_id"], r["title"], f"{r['score']:.4f}", "hit" if r["hit"] else ""]
         for r in listed],
    )  # fmt: skip
    if missed:
        show_table(
            "Held-out test items below the list",
            ["rank", "item", "title", "score"],
            [[r["rank"], r["item_id"], r["title"], f"{r['score']:.4f}"] for r in missed],
        )
