"""How long does a full validation take, and where does the time go?

    python benchmarks/evaluation.py --data ../shared/data/baby --json out.json

Without ``--data``, random pairs of the size of Amazon Baby (19,445 users, 7,050 items). Times are the
least of ``--repeat`` runs, in seconds. ``product`` is the matrix product alone: the floor.
``topk`` is the product and ``torch.topk`` in the same blocks: what ranking by sorted lists would cost.
``collapsed`` has one embedding for all items, so that every score ties: the worst case of the tie rule.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import torch
from common import report
from torch import Tensor

from rednd_core.data.interactions import read_interactions
from rednd_core.data.schema import IntArray, Interactions, interaction_matrix
from rednd_core.data.split import split
from rednd_core.evaluation.compare import compare
from rednd_core.evaluation.evaluate import evaluate
from rednd_core.evaluation.recommend import recommend
from rednd_core.evaluation.scoring import Scorer, TrainMatrix, scorer

KS = (5, 10, 20, 50)


def random_pairs(n_users: int, n_items: int, per_user: int) -> tuple[Interactions, Interactions]:
    """``per_user`` train pairs and one held-out pair for every user."""
    rng = np.random.default_rng(0)
    items = np.sort(rng.integers(0, n_items - per_user, (n_users, per_user + 1)), axis=1)
    items = rng.permuted(
        items + np.arange(per_user + 1), axis=1
    )  # so that items are distinct within a row
    users = np.arange(n_users)
    train = Interactions(np.repeat(users, per_user), items[:, 1:].reshape(-1))
    return train, Interactions(users, items[:, 0].copy())


def least(action: Callable[[], object], repeat: int, device: str) -> float:
    seconds = []
    for _ in range(repeat + 1):  # the first call loads libraries and is not counted
        start = time.perf_counter()
        action()
        if device == "cuda":
            torch.cuda.synchronize()
        seconds.append(time.perf_counter() - start)
    return round(min(seconds[1:]), 4)


def product(model: Scorer, users: IntArray) -> None:
    for _ in model.blocks(users):
        pass


def topk(model: Scorer, users: IntArray) -> None:
    for _, scores in model.blocks(users):
        scores.topk(max(KS))


def metrics(
    users: Tensor, items: Tensor, matrix: TrainMatrix, held_out: Interactions
) -> dict[str, float]:
    return evaluate(users, items, matrix, held_out, KS).metrics


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="a data folder with an .inter file")
    parser.add_argument("--device", default="cpu", choices=["cpu", "cuda"])
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--json")
    args = parser.parse_args()

    if args.data:
        table = read_interactions(args.data)
        parts = split(table)
        train, held_out = parts.train, parts.valid
        n_users, n_items = len(table.user_ids), len(table.item_ids)
    else:
        n_users, n_items = 19_445, 7_050
        train, held_out = random_pairs(n_users, n_items, per_user=6)
    matrix = interaction_matrix(train, n_users, n_items)

    rows = []
    generator = torch.Generator().manual_seed(0)
    for d in (64, 128):
        users = torch.randn(n_users, d, generator=generator).to(args.device)
        items = torch.randn(n_items, d, generator=generator).to(args.device)
        flat = items[:1].expand(n_items, d).contiguous()
        model, ids = scorer(users, items, matrix), np.unique(held_out.users)

        result = evaluate(users, items, matrix, held_out, KS)
        other = evaluate(users, flat, matrix, held_out, KS)
        actions: dict[str, Callable[[], object]] = {
            "evaluate": partial(metrics, users, items, matrix, held_out),
            "product": partial(product, model, ids),
            "topk": partial(topk, model, ids),
            "collapsed": partial(metrics, users, flat, matrix, held_out),
            "recommend": partial(recommend, users, items, matrix, 0, 20, held_out),
            "compare": partial(compare, result, other, "ndcg@20"),
        }
        figures = {
            name: least(action, args.repeat, args.device) for name, action in actions.items()
        }
        rows.append(
            {
                "data": args.data.name if args.data else "random",
                "users x items": f"{n_users:,} x {n_items:,}",
                "held out": len(held_out),
                "d": d,
                **{f"{name} s": value for name, value in figures.items()},
            }
        )
    report(rows, args.json)


if __name__ == "__main__":
    main()
