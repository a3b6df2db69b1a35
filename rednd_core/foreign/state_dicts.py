"""The tensors of a PyTorch checkpoint, without unpickling any object: ``torch.load(weights_only=True)``.

That reader builds tensors and plain containers only. Where a file holds anything else (RecBole keeps its
configuration object beside the parameters) it is refused, and the sentence says how to save the parameters.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from rednd_core.data.tables import shorten
from rednd_core.errors import CheckpointError

MOST_DEPTH = 4
"""Of mappings within mappings: ``{"model": {"state_dict": {...}}}`` has two."""
SEPARATE = (
    "save the parameters alone, torch.save(model.state_dict(), 'model.pth'), and import that file"
)


def read_state_dict(path: Path) -> dict[str, np.ndarray]:
    """Name -> array of every tensor; names within mappings are joined by dots.

    Floating-point tensors of any device and width become float32 on the CPU.

    Raises:
        CheckpointError: no checkpoint, or one that holds other objects than tensors.
    """
    try:
        loaded = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # the reader raises whatever the junk provokes
        raise _refused(path, str(error)) from None
    tensors = {
        name: tensor
        for name, tensor in _tensors(loaded, "", MOST_DEPTH)
        if tensor.layout == torch.strided and not tensor.is_complex() and not tensor.is_quantized
    }
    if not tensors:
        raise CheckpointError(
            expected=f"parameters in {path.name}",
            found=f"a {type(loaded).__name__} without a tensor",
            remedy=SEPARATE,
        )
    return {
        name: (each.float() if each.is_floating_point() else each).detach().numpy()
        for name, each in tensors.items()
    }


def _tensors(value: Any, name: str, depth: int) -> Iterator[tuple[str, torch.Tensor]]:
    if isinstance(value, torch.Tensor):
        yield name or "tensor", value
    elif isinstance(value, Mapping) and depth:
        for key, inner in value.items():
            if (
                "optimizer" not in str(key).lower()
            ):  # moments look like the tables that they belong to
                yield from _tensors(inner, f"{name}.{key}" if name else str(key), depth - 1)
    elif isinstance(value, list | tuple) and depth and len(value) <= 64:
        for number, inner in enumerate(value):
            yield from _tensors(inner, f"{name}.{number}" if name else str(number), depth - 1)


def _refused(path: Path, said: str) -> CheckpointError:
    foreign = "weights_only" in said.lower() or "unsupported" in said.lower()
    found = (
        "other Python objects beside them (RecBole saves its configuration), which are never unpickled"
        if foreign
        else f"something else ({shorten(' '.join(said.split()), 120)})"
    )
    return CheckpointError(
        expected=f"nothing but tensors in the checkpoint {path.name}", found=found, remedy=SEPARATE
    )
