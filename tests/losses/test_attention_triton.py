"""Our kernel without a GPU, by Triton's interpreter, where Triton is installed."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys

import pytest

PROGRAM = """
import torch
import torch.nn.functional as F
from rednd_core.losses.attention_triton import attention

for n_heads, n_queries, n_keys, size, scale in [
    (1, 1, 1, 4, 5.0), (2, 130, 200, 64, 5.0), (1, 70, 65, 17, 33.0), (2, 65, 129, 100, 1.0)
]:
    generator = torch.Generator().manual_seed(n_keys)
    draw = lambda *shape: torch.randn(*shape, generator=generator)
    q = F.normalize(draw(n_heads, n_queries, size), dim=-1)
    k = F.normalize(draw(n_heads, n_keys, size), dim=-1)
    v = 1e-5 * draw(n_heads, n_keys, size)
    for bias in (None, 10 * draw(n_heads, n_keys)):
        averages, lse = attention(q, k, v, scale, bias)
        logits = scale * q.double() @ k.double().mT
        if bias is not None:
            logits += bias.double()[:, None]
        wanted = logits.softmax(-1) @ v.double()
        assert float((lse - logits.logsumexp(-1)).abs().max()) < 2e-5
        assert float((averages - wanted).abs().max() / wanted.abs().max()) < 3e-6
"""


@pytest.mark.skipif(
    importlib.util.find_spec("triton") is None,
    reason="Triton is not installed (it comes with CUDA)",
)
def test_averages_and_logsumexp_in_float32() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env=os.environ | {"TRITON_INTERPRET": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
