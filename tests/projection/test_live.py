"""A map that follows training: frames that do not jump, scales that do not hide a collapse."""

from __future__ import annotations

import numpy as np
import pytest

from rednd_core.projection.live import PADDING, live_map


def layers(seed: int = 0, n: int = 60, d: int = 8) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return (rng.normal(size=(3, n, d)) * np.linspace(3, 0.3, d)).astype(np.float32)


def test_one_frame_is_centred_and_inside_its_range() -> None:
    frame = live_map(layers())
    assert frame.coords.shape == (3, 60, 2)
    np.testing.assert_allclose(frame.coords.mean(axis=(0, 1)), 0, atol=1e-6)
    assert frame.half_range == pytest.approx(PADDING * np.abs(frame.coords).max())
    assert 0 < frame.explained < 1


def test_a_small_step_of_training_moves_the_picture_a_little() -> None:
    rows = layers()
    before = live_map(rows)
    # The same points with their columns in another order and sign: PCA alone would be free to flip.
    mirrored = before.components * np.array([[-1.0], [1.0]])
    previous = type(before)(before.coords, mirrored, before.half_range, before.explained)
    after = live_map(rows + 0.01 * layers(1), previous)
    np.testing.assert_allclose(after.coords * [-1, 1], before.coords, atol=0.05)
    assert np.trace(after.components @ mirrored.T) > 1.9  # 2 would be the same axes


def test_swapped_axes_are_turned_back() -> None:
    before = live_map(layers())
    swapped = type(before)(
        before.coords, before.components[::-1], before.half_range, before.explained
    )
    after = live_map(layers(), swapped)
    np.testing.assert_allclose(after.coords, before.coords[..., ::-1], atol=1e-5)
    np.testing.assert_allclose(after.components @ after.components.T, np.eye(2), atol=1e-9)


def test_the_scale_never_zooms_in_on_a_collapse() -> None:
    before = live_map(layers())
    collapsed = np.ones((3, 60, 8), dtype=np.float32) + 1e-3 * layers(2)
    after = live_map(collapsed, before)
    assert after.half_range == before.half_range
    assert np.abs(after.coords).max() < 0.05 * before.half_range


def test_another_embedding_size_starts_anew() -> None:
    after = live_map(layers(d=5), live_map(layers(d=8)))
    np.testing.assert_array_equal(after.coords, live_map(layers(d=5)).coords)
