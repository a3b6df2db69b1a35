"""``rednd recommend``: one user's list, with hits and misses."""

from __future__ import annotations

from typing import Annotated

import typer

from rednd_core.cli.options import (
    Json,
    RunName,
    RunsDir,
    load_run_data,
    open_store,
    print_json,
    show_table,
)
from rednd_core.cli.speech import tell
from rednd_core.errors import DataError


def recommend(
    run: RunName,
    user: Annotated[str, typer.Option(help="The user's original id.")],
    k: Annotated[int, typer.Option(help="Length of the list.")] = 20,
    runs_dir: RunsDir = None,
    as_json: Json = False,
) -> None:
    """List a user's best unseen items with hits marked, and the rank of each held-out item below them.

    Example: `rednd recommend --run shop-lightgcn --user 17 --k 10`
    """
    import numpy as np

    from rednd_core.evaluation.recommend import recommend as rank

    opened = open_store(runs_dir).open(run)
    dataset = load_run_data(opened)
    matches = np.flatnonzero(dataset.user_ids == user)
    if not len(matches):
        raise DataError(
            expected=f"a user of {dataset.name}, e.g. {dataset.user_ids[0]!r}",
            found=repr(user),
            remedy="give the original id as it stands in the data",
        )
    user_emb, item_emb = opened.embeddings()
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
