"""The one owner of randomness in training: every draw follows from the seed, the epoch and the batch.

Nothing that was drawn is ever saved. A training that was stopped in the middle of an epoch draws the same
numbers again when it goes on.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor


def seed_of(*parts: int | str) -> int:
    """A seed of 63 bits for a generator; another one for any other sequence of numbers and words."""
    digest = hashlib.blake2b(",".join(map(str, parts)).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") >> 1


@dataclass(frozen=True)
class Epoch:
    """An epoch that begins.

    Attributes:
        number: from 1.
        generator, rng: of torch and of NumPy, for everything that is drawn once in this epoch; on the CPU,
            so that all devices draw the same graph.
    """

    number: int
    generator: torch.Generator
    rng: np.random.Generator

    @classmethod
    def of(cls, seed: int, number: int, purpose: str = "epoch") -> Epoch:
        """The epoch ``number`` of a training with ``seed``; another ``purpose`` draws other numbers."""
        drawn_by = seed_of(seed, number, purpose)
        return cls(number, torch.Generator().manual_seed(drawn_by), np.random.default_rng(drawn_by))


def dropout(x: Tensor, rate: float, generator: torch.Generator) -> Tensor:
    """``x`` with every entry set to 0 with probability ``rate``, the others divided by 1 - rate.

    ``torch.nn.Dropout`` draws from the global generator, which no training step may use.
    """
    kept = torch.rand(x.shape, generator=generator, device=x.device) >= rate
    return x * kept / (1 - rate)


@torch.no_grad()
def directions_in_orthants(y: Tensor, generator: torch.Generator) -> Tensor:
    """sign(y) * q / |q|, (n, d), with q uniform in [0, 1)^d for every row: unit vectors with the signs of y.

    They are the noise of SimGCL (arXiv 2112.08679); no gradient flows through them.
    """
    q = torch.rand(y.shape, generator=generator, dtype=y.dtype, device=y.device)
    return F.normalize(q).mul_(y.sign())
