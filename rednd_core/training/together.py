"""What several processes do together beside the steps: they rank a part of the users each."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from torch import Tensor

from rednd_core.data.schema import Interactions
from rednd_core.errors import ConfigError
from rednd_core.evaluation.evaluate import Evaluation, evaluate
from rednd_core.evaluation.ranking import held_out_ranks
from rednd_core.evaluation.scoring import TrainMatrix
from rednd_core.modeling.base import Recommender
from rednd_core.modeling.registry import model_title
from rednd_core.training.distributed import World


def require_divisible(world: World, model: Recommender) -> None:
    """Refuse several processes for a model whose losses compare the rows of a batch.

    Raises:
        ConfigError: what would make the losses divisible.
    """
    if world.size > 1 and not model.divisible:
        raise ConfigError(
            expected="a model whose losses of a batch can be divided among several processes",
            found=f"{model_title(model.name)} with losses that compare rows of a batch",
            remedy=model.to_divide,
        )


def evaluate_together(
    world: World,
    user_emb: Tensor,
    item_emb: Tensor,
    train_matrix: TrainMatrix,
    held_out: Interactions,
    ks: Sequence[int],
) -> Evaluation:
    """:func:`evaluate` with the users divided among the processes; the same result in all of them."""
    size, rank = world.size, world.rank
    if size == 1:
        return evaluate(user_emb, item_emb, train_matrix, held_out, ks)
    mine = held_out.users % size == rank
    own = Interactions(held_out.users[mine], held_out.items[mine])
    ranks = np.zeros(len(held_out), dtype=np.int64)
    if len(own):
        ranks[mine] = held_out_ranks(user_emb, item_emb, train_matrix, own)
    n_train = np.diff(train_matrix.indptr)[np.unique(held_out.users)].astype(np.int64)
    return Evaluation(held_out, world.sum_array(ranks), tuple(ks), n_train)
