"""Which kernel computes the alignment on a GPU; the GPU itself is a stand-in."""

from __future__ import annotations

import importlib
import logging
import sys
from types import ModuleType

import pytest
import torch

from rednd_core.errors import EngineError
from rednd_core.losses import attention as module

GPU = torch.device("cuda")


@pytest.fixture
def kernel(monkeypatch):
    """``kernel(capability, error)``: a Triton, a GPU, and a kernel of ours that may fail."""

    def install(capability=(9, 0), error: Exception | None = None, installed: bool = True):
        def attention(*arguments):
            if error:
                raise error

        own = ModuleType("attention_triton")
        own.LARGEST_WIDTH, own.attention = 128, attention
        package = importlib.import_module("rednd_core.losses")
        monkeypatch.setitem(sys.modules, "rednd_core.losses.attention_triton", own)
        monkeypatch.setattr(package, "attention_triton", own, raising=False)
        monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: capability)
        monkeypatch.setattr(module.importlib.util, "find_spec", lambda name: installed or None)
        zeros = torch.zeros
        monkeypatch.setattr(torch, "zeros", lambda *shape, device: zeros(*shape))
        module._own_kernel.cache_clear()
        return attention

    yield install
    module._own_kernel.cache_clear()


def test_ours_where_it_works(kernel) -> None:
    ours = kernel()
    assert module._own_kernel(GPU, 64) is ours
    assert module._own_kernel(GPU, 128) is ours
    assert module._own_kernel(GPU, 129) is None


def test_torchs_on_older_gpus_and_without_triton(kernel) -> None:
    kernel(capability=(7, 5))
    assert module._own_kernel(GPU, 64) is None
    kernel(installed=False)
    assert module._own_kernel(GPU, 64) is None


def test_a_kernel_that_cannot_be_made_is_left_with_a_warning(kernel, caplog) -> None:
    kernel(error=RuntimeError("Failed to find C compiler.\nPlease specify via CC"))
    with caplog.at_level(logging.WARNING, logger="rednd_core"):
        assert module._own_kernel(GPU, 64) is None
        assert module._own_kernel(GPU, 64) is None
    (record,) = caplog.records
    assert record.getMessage().endswith("only slower: Failed to find C compiler.")


@pytest.mark.parametrize("name", [module.CPU_KERNEL, module.FLASH_KERNEL, module.EFFICIENT_KERNEL])
def test_the_private_kernels_of_torch_are_there(name: str) -> None:
    assert callable(module.torch_kernel(name))


def test_a_kernel_that_torch_no_longer_has() -> None:
    with pytest.raises(EngineError) as caught:
        module.torch_kernel("_gone")
    assert str(caught.value) == (
        "Expected a version of torch with the attention kernel _gone, but found torch "
        f"{torch.__version__} without it; run pip install -r requirements.txt."
    )
