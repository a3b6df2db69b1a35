"""Several processes that train one model together, as ``torchrun`` starts them.

Every process holds the whole model and graph and draws the same batches. Each computes the losses of its part
of a batch's rows, weighted by their share of the batch; the gradients are summed, and so all make the same
step. Process 0 keeps the run; whatever it learns from outside, a command or a checkpoint, goes to all.

Gradients travel by NCCL where they are on GPUs, everything else by gloo. A process that ends is noticed
by its closed connections, one that is silent by the time limit ``REDND_PEER_TIMEOUT`` (seconds).
"""

from __future__ import annotations

import json
import os
import re
import signal
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import fields
from datetime import timedelta
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from torch import distributed as dist
from torch.distributed.distributed_c10d import PrefixStore
from torch.distributed.rendezvous import rendezvous

from rednd_core.data.schema import IntArray
from rednd_core.errors import ConfigError, EngineError, RedndError, TrainingError
from rednd_core.modeling.phases import Batch

PEER_SECONDS = 600.0
"""Longest silence of a living process: process 0 writes and measures while the others wait."""

TELLER_SECONDS = 5.0
"""How long the others leave it to process 0 to say why everything ends."""


B = TypeVar("B", bound=Batch)


class World:
    """The processes that train together; this class is a process that trains alone, at no cost.

    All methods but ``leads`` are collective: every process calls them in the same order.
    """

    rank: int = 0
    size: int = 1

    @property
    def leads(self) -> bool:
        """Whether this process keeps the run and writes what users read."""
        return self.rank == 0

    def part(self, batch: B) -> tuple[B, float]:
        """This process's rows of a batch, and their share of all rows.

        Parts differ by at most one row. Where there are fewer rows than processes, some get a row that is
        not their own with a share of 0, so that all of them compute gradients of the same parameters.
        """
        n = len(batch)
        rows = slice(n * self.rank // self.size, n * (self.rank + 1) // self.size)
        n_own = rows.stop - rows.start
        columns = {
            f.name: getattr(batch, f.name)[rows if n_own else slice(1)] for f in fields(batch)
        }
        return type(batch)(**columns), n_own / n

    def gather(self, content: bytes) -> list[bytes]:
        """What every process gave, in the order of their ranks."""
        return [content]

    def align(self, module: nn.Module) -> None:
        """Give every process the parameters and buffers of process 0."""

    def sum_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        """Replace every gradient by its sum over the processes, the same bits in all of them."""

    def sum_values(self, values: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Sums over the processes of named scalars, which all processes name alike."""
        return dict(values)

    def sum_array(self, values: IntArray) -> IntArray:
        """Sums over the processes, entry by entry."""
        return values

    def agree(self, device: torch.device, facts: Mapping[str, str]) -> None:
        """See to it that the processes can train together.

        Args:
            facts: what must be the same in all of them -> what it is here.

        Raises:
            EngineError: processes that would have to share a GPU.
            TrainingError: one whose facts are not those of process 0.
        """


class Group(World):
    """Processes that found each other through the environment that ``torchrun`` sets."""

    def __init__(self) -> None:
        self._timeout = timedelta(seconds=_peer_seconds())
        on_gpu = torch.cuda.is_available() and dist.is_nccl_available()
        if on_gpu:
            local_rank = int(os.environ.get("LOCAL_RANK", "0"))
            torch.cuda.set_device(local_rank % torch.cuda.device_count())
        try:
            store, rank, world = next(rendezvous("env://", timeout=self._timeout))
            dist.init_process_group(
                "cpu:gloo,cuda:nccl" if on_gpu else "gloo",
                store=PrefixStore("group", store),
                rank=rank,
                world_size=world,
                timeout=self._timeout,
            )
        except (RuntimeError, ValueError, OSError) as error:
            raise ConfigError(
                expected=f"{os.environ['WORLD_SIZE']} processes to find each other",
                found=_first_line(error),
                remedy="start them with torchrun, all with the same world size and address",
            ) from None
        self._store = PrefixStore("rednd", store)
        self.rank, self.size = rank, world

    def gather(self, content: bytes) -> list[bytes]:
        sizes = torch.zeros(self.size, dtype=torch.int64)
        sizes[self.rank] = len(content)
        self._together(dist.all_reduce, sizes)
        found = []
        for rank, size in enumerate(sizes.tolist()):
            message = torch.empty(size, dtype=torch.uint8)
            if size:
                if rank == self.rank:
                    message = torch.frombuffer(bytearray(content), dtype=torch.uint8)
                self._together(dist.broadcast, message, src=rank)
            found.append(message.numpy().tobytes())
        return found

    def align(self, module: nn.Module) -> None:
        for values in module.state_dict().values():
            self._together(dist.broadcast, values, src=0)

    def sum_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        trained = [parameter for parameter in parameters if parameter.grad is not None]
        gradients = [
            parameter.grad.flatten() for parameter in trained if parameter.grad is not None
        ]
        together = torch.cat(gradients)  # one message a step
        self._together(dist.all_reduce, together)
        parts = together.split([len(gradient) for gradient in gradients])
        for parameter, part in zip(trained, parts, strict=True):
            parameter.grad = part.view_as(parameter)

    def sum_values(self, values: Mapping[str, Tensor]) -> dict[str, Tensor]:
        if not values:
            return {}
        together = torch.stack(list(values.values())).cpu()
        self._together(dist.all_reduce, together)
        return dict(zip(values, together, strict=True))

    def sum_array(self, values: IntArray) -> IntArray:
        together = torch.from_numpy(values.copy())
        self._together(dist.all_reduce, together)
        summed: IntArray = together.numpy()
        return summed

    def agree(self, device: torch.device, facts: Mapping[str, str]) -> None:
        here = int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
        if device.type == "cuda" and here > torch.cuda.device_count():
            raise EngineError(
                expected=f"a GPU for each of the {here} processes on this machine",
                found=f"{torch.cuda.device_count()}",
                remedy="start fewer processes, or train with device=cpu",
            )
        mine = {"the device": device.type, **facts}
        first, *others = map(json.loads, self.gather(json.dumps(mine).encode()))
        for rank, theirs in enumerate(others, start=1):
            for what, value in first.items():
                if theirs.get(what) != value:
                    raise TrainingError(
                        expected=f"{what} of process 0 ({value}) in process {rank}",
                        found=str(theirs.get(what)),
                        remedy="give all machines the same data, code and kind of device",
                    )

    def tells_the_user(self, error: BaseException) -> bool:
        """Tell the others why this process ends; whether it has to tell the user.

        Process 0 tells it. Where it is gone, the first of the others does.
        """
        try:
            if not isinstance(error, LostPeerError):
                text = str(error) if isinstance(error, RedndError) else repr(error)
                reason = f"that process {self.rank} ended with: {text.rstrip('.')}"
                self._store.set("reason", reason)
            if self.leads:
                self._store.set("said", "")
                return True
            self.leave()  # so that process 0 notices
            with suppress(RuntimeError):
                self._store.wait(["said"], timedelta(seconds=TELLER_SECONDS))
                return False
            return self._store.add("speakers", 1) == 1
        except RuntimeError:  # the store is gone with whoever kept it
            return True

    def leave(self) -> None:
        if dist.is_initialized():
            dist.destroy_process_group()

    def _together(self, operation: Callable[..., Any], tensor: Tensor, **options: Any) -> None:
        try:
            operation(tensor, **options)
        except RuntimeError as error:
            raise LostPeerError(
                expected=f"{self.size} processes to train together",
                found=self._reason() or f"that one is gone or silent ({_first_line(error)})",
                remedy="mend what ended it, then continue this run with rednd train --resume",
            ) from None

    def _reason(self) -> str | None:
        """Why another process has ended, if it had the time to say so."""
        try:
            return self._store.get("reason").decode() if self._store.check(["reason"]) else None
        except RuntimeError:
            return None


class LostPeerError(TrainingError):
    """Another process has ended or does not answer, so that this one cannot go on."""


ALONE = World()


@contextmanager
def joined() -> Iterator[World]:
    """The processes that ``torchrun`` started, or :data:`ALONE` where it did not.

    What escapes the block ends them all; one of them lets it through, the others exit with code 1.

    Raises:
        ConfigError: the processes do not find each other.
    """
    if os.environ.get("WORLD_SIZE", "1") == "1":
        yield ALONE
        return
    group = Group()
    try:
        yield group
    except BaseException as error:
        # torchrun sends it to all when one ends: not before the last word.
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        if group.tells_the_user(error):
            raise
        raise SystemExit(1) from None
    group.leave()


def _peer_seconds() -> float:
    text = os.environ.get("REDND_PEER_TIMEOUT", str(PEER_SECONDS))
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < float("inf"):
        raise ConfigError(
            expected="seconds above 0 in REDND_PEER_TIMEOUT",
            found=repr(text),
            remedy="give a number, or leave it unset",
        )
    return seconds


def _first_line(error: BaseException) -> str:
    """The first sentence, without the place in torch's sources that it may begin with."""
    line = re.sub(r"^\[\S*\] ", "", (str(error).splitlines() or [type(error).__name__])[0])
    return line.split(". ")[0][:200]
