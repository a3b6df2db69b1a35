"""A recorder of steps that works on the CPU as CUDA graphs do on a GPU.

It records every operation with the very tensors that it read and wrote, and a replay repeats these operations
on these tensors: no line of the model's Python runs again, so that whatever the model holds anew (a redrawn
graph, another temperature) is not seen.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


class Tape:
    """Counts what it did: ``n_run`` warm-up steps, ``n_recorded`` and ``n_replayed``."""

    def __init__(self, error: str = "") -> None:
        self.error = error
        self.n_run = self.n_recorded = self.n_replayed = 0

    def run(self, work):
        self.n_run += 1
        return work()

    def record(self, work):
        if self.error:
            raise RuntimeError(self.error)
        self.n_recorded += 1
        operations = _Operations()
        with operations:
            losses = work()
        operations.undo()

        def replay() -> None:
            self.n_replayed += 1
            operations.repeat()

        return replay, losses


class _Operations(TorchDispatchMode):
    """All operations inside of the block, in their order."""

    def __init__(self) -> None:
        super().__init__()
        self._done: list[tuple[Any, tuple, dict, Any]] = []
        self._own: set[int] = set()  # storages that came to be inside of the block
        self._before: dict[int, tuple[Tensor, Tensor]] = {}
        self._generators: list[tuple[torch.Generator, Tensor]] = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        if func is torch.ops.aten._local_scalar_dense.default:
            raise RuntimeError("the host waits for a number")
        for argument, value in zip(func._schema.arguments, args, strict=False):
            if argument.alias_info is not None and argument.alias_info.is_write:
                self._remember(tree_leaves(value))
        for value in kwargs.values():
            if isinstance(value, torch.Generator):
                self._generators.append((value, value.get_state()))
        found = func(*args, **kwargs)
        returns_views = any(r.alias_info is not None for r in func._schema.returns)
        if not returns_views:
            self._own |= {_storage(x) for x in tree_leaves(found) if _is_dense(x)}
        self._done.append((func, args, kwargs, None if returns_views else found))
        return found

    def _remember(self, written: list[Any]) -> None:
        for x in written:
            if _is_dense(x) and _storage(x) not in self._own:
                self._before.setdefault(_storage(x), (x, x.detach().clone()))

    @torch.no_grad()
    def undo(self) -> None:
        """What a recording on a GPU does not do was done here: take it back."""
        for x, before in self._before.values():
            x.copy_(before)
        for generator, state in reversed(self._generators):
            generator.set_state(state)

    @torch.no_grad()
    def repeat(self) -> None:
        for func, args, kwargs, outputs in self._done:
            again = func(*args, **kwargs)
            if outputs is not None:
                for fixed, fresh in zip(tree_leaves(outputs), tree_leaves(again), strict=True):
                    if _is_dense(fixed):
                        fixed.copy_(fresh)


def _is_dense(x: Any) -> bool:
    return isinstance(x, Tensor) and x.layout == torch.strided


def _storage(x: Tensor) -> int:
    return x.untyped_storage().data_ptr()
