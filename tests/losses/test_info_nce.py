"""InfoNCE against its definition with the whole matrix, in double precision."""

from __future__ import annotations

import math
import subprocess
import sys
from functools import partial

import pytest
import torch
from torch import Tensor

from rednd_core.errors import ConfigError
from rednd_core.losses import info_nce as module
from rednd_core.losses.info_nce import info_nce


def dense_info_nce(anchors: Tensor, candidates: Tensor, positives: Tensor, t: float) -> Tensor:
    """mean_n [ log sum_j exp(cos(a_n, c_j) / t) - cos(a_n, c_pos) / t ], the matrix written out."""
    a = anchors / anchors.norm(dim=1, keepdim=True)
    c = candidates / candidates.norm(dim=1, keepdim=True)
    similar = a @ c.T / t
    return (torch.logsumexp(similar, dim=1) - similar[torch.arange(len(a)), positives]).mean()


def views(n_anchors: int, n_candidates: int, d: int, dtype=torch.float64, device="cpu"):
    generator = torch.Generator().manual_seed(n_anchors * 31 + d)
    anchors = torch.randn(n_anchors, d, generator=generator, dtype=torch.float64)
    candidates = torch.randn(n_candidates, d, generator=generator, dtype=torch.float64)
    positives = torch.randint(n_candidates, (n_anchors,), generator=generator)
    anchors, candidates = (x.to(device, dtype).requires_grad_() for x in (anchors, candidates))
    return anchors, candidates, positives.to(device)


def gradients(loss, anchors: Tensor, candidates: Tensor, positives: Tensor, t: float):
    value = loss(anchors, candidates, positives, t)
    return value, *torch.autograd.grad(value, (anchors, candidates))


SIZES = [(1, 1, 4), (5, 5, 8), (40, 3, 8), (3, 40, 8), (70, 130, 64), (33, 33, 7), (9, 9, 1)]


@pytest.mark.parametrize("sizes", SIZES)
@pytest.mark.parametrize("t", [0.05, 0.2, 1.0])
def test_value_and_both_gradients_in_double(sizes, t: float) -> None:
    case = views(*sizes)
    for ours, dense in zip(
        gradients(info_nce, *case, t), gradients(dense_info_nce, *case, t), strict=True
    ):
        torch.testing.assert_close(ours, dense, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize("t", [0.05, 10.0])
@pytest.mark.parametrize("lead", [(), (2,)])
def test_padding_counts_for_nothing(t: float, lead: tuple[int, ...], dtype: torch.dtype) -> None:
    generator = torch.Generator().manual_seed(1)
    anchors, candidates = (
        torch.randn(*lead, n, 5, generator=generator, dtype=dtype).requires_grad_() for n in (9, 12)
    )
    real_anchors = torch.tensor([1, 1, 0, 1, 1, 0, 1, 1, 0]).bool()
    real_candidates = torch.tensor([1, 1, 1, 0, 1, 1, 0, 0, 1, 1, 1, 0]).bool()
    positives = torch.tensor([0, 1, 3, 2, 4, 3, 5, 11, 3])
    positives[7] = 8
    padded = info_nce(
        anchors, candidates, positives, t,
        real_anchors=real_anchors, real_candidates=real_candidates,
    )  # fmt: skip
    among_real = real_candidates.cumsum(0) - 1
    plain = info_nce(
        anchors[..., real_anchors, :], candidates[..., real_candidates, :],
        among_real[positives[real_anchors]], t,
    )  # fmt: skip
    torch.testing.assert_close(padded, plain)
    for ours, wanted in zip(
        torch.autograd.grad(padded.sum(), (anchors, candidates)),
        torch.autograd.grad(plain.sum(), (anchors, candidates)),
        strict=True,
    ):
        torch.testing.assert_close(ours, wanted)


@pytest.mark.parametrize("sizes", SIZES)
def test_float32_is_as_close_as_float32_can_be(sizes) -> None:
    double, single = views(*sizes), views(*sizes, dtype=torch.float32)
    for ours, dense in zip(
        gradients(info_nce, *single, 0.2), gradients(dense_info_nce, *double, 0.2), strict=True
    ):
        torch.testing.assert_close(ours.double(), dense, rtol=2e-5, atol=2e-6)


def test_gradcheck() -> None:
    anchors, candidates, positives = views(6, 9, 3)
    assert torch.autograd.gradcheck(
        lambda a, c: info_nce(a, c, positives, 0.3), (anchors, candidates)
    )


def test_any_incoming_gradient() -> None:
    """The kernel's own backward, with weights of both signs and a zero in place of ones."""
    queries, keys, _ = views(12, 20, 5)
    incoming = torch.linspace(-2, 3, 12, dtype=torch.float64)
    incoming[4] = 0
    lse = module._LogSumExp.apply(queries, keys, None, 5.0, torch.float64)
    ours = torch.autograd.grad(lse, (queries, keys), incoming)
    dense = torch.logsumexp(5.0 * queries @ keys.T, dim=1)
    expected = torch.autograd.grad(dense, (queries, keys), incoming)
    torch.testing.assert_close(lse, dense)
    for found, want in zip(ours, expected, strict=True):
        torch.testing.assert_close(found, want, rtol=1e-9, atol=1e-11)


def test_scaled_loss_scales_gradients() -> None:
    anchors, candidates, positives = views(10, 10, 4)
    plain = torch.autograd.grad(info_nce(anchors, candidates, positives, 0.2), anchors)[0]
    scaled = torch.autograd.grad(-3 * info_nce(anchors, candidates, positives, 0.2), anchors)[0]
    torch.testing.assert_close(scaled, -3 * plain)


@pytest.mark.parametrize("wanted", ["anchors", "candidates"])
def test_one_gradient_only(wanted: str) -> None:
    anchors, candidates, positives = views(8, 8, 4)
    other = candidates if wanted == "anchors" else anchors
    other.requires_grad_(False)
    info_nce(anchors, candidates, positives, 0.2).backward()
    both = views(8, 8, 4)
    dense_info_nce(*both, 0.2).backward()
    mine = anchors if wanted == "anchors" else candidates
    expected = both[0] if wanted == "anchors" else both[1]
    torch.testing.assert_close(mine.grad, expected.grad)
    assert other.grad is None


def test_positives_say_which_candidate_belongs() -> None:
    """Candidates in another order with positives to match give the same loss; without, another."""
    anchors, noise, _ = views(12, 12, 6)
    candidates = anchors + 0.1 * noise
    own = torch.arange(12)
    order = torch.randperm(12, generator=torch.Generator().manual_seed(0))
    place = torch.argsort(order)
    loss = info_nce(anchors, candidates, own, 0.2)
    torch.testing.assert_close(info_nce(anchors, candidates[order], place, 0.2), loss)
    assert abs(info_nce(anchors, candidates[order], own, 0.2) - loss) > 1


@pytest.mark.parametrize("n", [1, 2, 17])
def test_identical_rows_give_the_logarithm_of_their_number(n: int) -> None:
    same = torch.ones(n, 4, dtype=torch.float64)
    loss = info_nce(same, 3 * same, torch.arange(n), 0.2)
    assert float(loss) == pytest.approx(math.log(n), abs=1e-12)


def test_literal() -> None:
    """Orthogonal pairs, t = 1: log(e + 1) - 1."""
    eye = torch.eye(2, dtype=torch.float64)
    loss = info_nce(2 * eye, 5 * eye, torch.arange(2), 1.0)
    assert float(loss) == pytest.approx(math.log(math.e + 1) - 1, abs=1e-12)


@pytest.mark.parametrize("lead", [1, 10_000])
def test_the_least_temperature_and_opposite_rows_stay_exact(lead: int) -> None:
    """Logits of +-33 in float32, the largest and the smallest logsumexp there can be, side by side."""
    t = module.LEAST_TEMPERATURE
    rows = torch.eye(4, dtype=torch.float64)
    anchors = torch.cat([rows[:1].repeat(lead, 1), -rows[:1]])
    candidates = rows[:1].repeat(3, 1) + 1e-3 * rows[1:]
    positives = torch.zeros(len(anchors), dtype=torch.int64)
    double = [x.requires_grad_() for x in (anchors, candidates)]
    single = [x.detach().float().requires_grad_() for x in double]
    for ours, dense in zip(
        gradients(info_nce, *single, positives, t),
        gradients(dense_info_nce, *double, positives, t),
        strict=True,
    ):
        assert (ours - dense).abs().max() <= 5e-4 * dense.abs().max() + 1e-7


def test_a_lower_temperature_is_refused() -> None:
    anchors, candidates, positives = views(3, 3, 4)
    with pytest.raises(ConfigError, match=r"at least 0\.03, but found 0\.001"):
        info_nce(anchors, candidates, positives, 1e-3)


@pytest.mark.parametrize("sizes", [(70, 130, 64), (300, 300, 32), (33, 33, 7)])
@pytest.mark.parametrize("device", ["cpu", pytest.param("cuda", marks=pytest.mark.gpu)])
def test_bfloat16_is_about_a_percent_off(sizes, device: str) -> None:
    double, single = views(*sizes), views(*sizes, dtype=torch.float32, device=device)
    dense = gradients(dense_info_nce, *double, 0.2)
    value, *grads = gradients(partial(info_nce, precision=torch.bfloat16), *single, 0.2)
    assert value.dtype == torch.float32
    assert value.item() == pytest.approx(dense[0].item(), rel=2e-3)
    assert value.item() != pytest.approx(dense[0].item(), rel=1e-7)  # it did multiply in bfloat16
    for ours, want in zip(grads, dense[1:], strict=True):
        assert (ours.cpu() - want).abs().max() < 0.015 * want.abs().max()


def test_a_zero_row_is_no_nan() -> None:
    anchors, candidates, positives = views(6, 6, 4, dtype=torch.float32)
    with torch.no_grad():
        anchors[2] = candidates[3] = 0
    loss = info_nce(anchors, candidates, positives, 0.2)
    grads = torch.autograd.grad(loss, (anchors, candidates))
    assert bool(loss.isfinite())
    assert all(bool(grad.isfinite().all()) for grad in grads)


def test_memory_is_linear() -> None:
    """9,000 nodes: one matrix of all pairs would be 324 MB; forward and backward stay under 80."""
    code = """
import resource, torch
from rednd_core.losses.info_nce import info_nce
def peak(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
def step(n):
    x, y = (torch.randn(n, 16).requires_grad_() for _ in range(2))
    info_nce(x, y, torch.arange(n), 0.2).backward()
step(100)
before = peak()
step(9_000)
print(peak() - before)
"""
    if sys.platform == "win32":
        pytest.skip("the resource module is POSIX")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert float(done.stdout) < 80


WIDE = [(300, 500, 64), (257, 129, 100), (200, 70, 128), (70, 200, 200)]


@pytest.mark.gpu
@pytest.mark.parametrize("t", [0.03, 0.2, 1.0])
@pytest.mark.parametrize("sizes", SIZES + WIDE)
def test_on_the_gpu(sizes, t: float) -> None:
    """As close as on the CPU, by the kernel of our own and, above its width, by torch's."""
    double, single = views(*sizes), views(*sizes, dtype=torch.float32, device="cuda")
    for ours, dense in zip(
        gradients(info_nce, *single, t), gradients(dense_info_nce, *double, t), strict=True
    ):
        error = (ours.cpu().double() - dense).abs().max()
        assert error <= 1e-6 / t * (1 + dense.abs().max())


@pytest.mark.gpu
def test_padding_counts_for_nothing_on_the_gpu() -> None:
    generator = torch.Generator().manual_seed(1)
    anchors, candidates = (
        torch.randn(2, n, 64, generator=generator).cuda().requires_grad_() for n in (300, 400)
    )
    real = torch.arange(400, device="cuda") % 3 > 0
    own = torch.arange(300, device="cuda")
    padded = info_nce(
        anchors, candidates, own, 0.2, real_anchors=real[:300],
        real_candidates=real,
    )  # fmt: skip
    place = real.cumsum(0) - 1
    plain = info_nce(anchors[:, real[:300]], candidates[:, real], place[own[real[:300]]], 0.2)
    torch.testing.assert_close(padded, plain, rtol=1e-5, atol=1e-6)
    for ours, wanted in zip(
        torch.autograd.grad(padded.sum(), (anchors, candidates)),
        torch.autograd.grad(plain.sum(), (anchors, candidates)),
        strict=True,
    ):
        torch.testing.assert_close(ours, wanted, rtol=1e-4, atol=1e-8)


def test_modalities_side_by_side_are_each_its_own() -> None:
    anchors = torch.randn(3, 11, 8, dtype=torch.float64, requires_grad=True)
    candidates = torch.randn(3, 11, 8, dtype=torch.float64, requires_grad=True)
    own, weights = torch.arange(11), torch.tensor([1.0, -2.0, 0.5], dtype=torch.float64)
    together = info_nce(anchors, candidates, own, 0.2)
    apart = torch.stack(
        [info_nce(a, c, own, 0.2) for a, c in zip(anchors, candidates, strict=True)]
    )
    torch.testing.assert_close(together, apart)
    found = torch.autograd.grad((together * weights).sum(), (anchors, candidates))
    expected = torch.autograd.grad((apart * weights).sum(), (anchors, candidates))
    torch.testing.assert_close(found, expected)


def test_no_matrix_of_all_pairs_is_made() -> None:
    n = 1500
    rows = [torch.randn(2, n, 8, requires_grad=True) for _ in range(2)]
    with torch.profiler.profile(profile_memory=True) as profile:
        info_nce(*rows, torch.arange(n), 0.2).sum().backward()
    largest = max(event.self_cpu_memory_usage for event in profile.events())
    assert largest < 4 * n * n / 4
