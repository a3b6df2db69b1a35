from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from rednd_core.samples.features import BLURRED, TRUE, Pictures
from rednd_core.samples.pen import N_COLOURS, Pen, mix, parse_colour
from rednd_core.samples.pictures import draw_thumbnails
from rednd_core.samples.vocabulary import CATEGORIES, groups


def drawn(group, kind=TRUE, seed=0):
    pictures = Pictures(np.atleast_1d(group), np.atleast_1d(kind))
    return draw_thumbnails(np.random.default_rng(seed), pictures)


def pixels(png):
    return np.asarray(Image.open(BytesIO(png)).convert("RGB"), dtype=float)


def steepest(png):
    """Largest step between horizontal neighbours, in grey levels."""
    return np.abs(np.diff(pixels(png).mean(axis=2), axis=1)).max()


def test_every_style_is_a_small_palette_png():
    n = len(groups())
    for png in drawn(np.arange(n), np.full(n, TRUE)):
        image = Image.open(BytesIO(png))
        assert (image.format, image.mode, image.size) == ("PNG", "P", (96, 96))
        assert len(image.convert("RGB").getcolors()) <= N_COLOURS
        assert len(png) < 2500


def test_background_and_body_have_the_colours_of_the_style():
    for group, (c, s) in enumerate(groups()):
        style = CATEGORIES[c].styles[s]
        picture = pixels(drawn(group)[0])
        corner = np.array(parse_colour(style.background))
        assert np.abs(picture[1, 1] - corner).max() <= 12
        # The body's colour is tinted by at most 22 %; some patch of the picture must be near it.
        body = np.array(parse_colour(style.body))
        assert np.abs(picture - body).sum(axis=2).min() < 0.22 * 3 * 255


def test_styles_of_one_category_look_different_and_categories_have_different_shapes():
    first = [pixels(drawn(group)[0]) for group in range(len(groups()))]
    for a in range(len(first)):
        for b in range(a):
            assert np.abs(first[a] - first[b]).mean() > 3


def test_items_of_one_style_vary():
    one, two = drawn([0, 0], [TRUE, TRUE])
    assert one != two


@pytest.mark.parametrize("group", [0, 12, 30])
def test_blur_removes_the_edges(group):
    sharp, blurred = drawn(group)[0], drawn(group, BLURRED)[0]
    assert steepest(blurred) < 0.3 * steepest(sharp)


def test_pen_mirrors_scales_and_records_only_the_body():
    pen = Pen((255, 255, 255), scale=0.5, mirror=True)
    pen.colour, pen.recording = (0, 0, 0), True
    pen.rect(0, 68, 20, 88)
    pen.recording = False
    pen.rect(80, 68, 100, 88)
    edge = pen.mask.size[0]
    mask = np.asarray(pen.mask)
    columns = np.flatnonzero(mask.any(axis=0)) / edge * 100
    rows = np.flatnonzero(mask.any(axis=1)) / edge * 100
    # 0..20 mirrored is 80..100, halved about 50: 65..75; 68..88 halved about 88: 78..88.
    np.testing.assert_allclose([columns[0], columns[-1]], [65, 75], atol=0.5)
    np.testing.assert_allclose([rows[0], rows[-1]], [78, 88], atol=0.5)


@pytest.mark.parametrize("pattern", ["stripes", "dots", "band", "diamonds"])
def test_patterns_stay_inside_the_body(pattern):
    pen = Pen((255, 255, 255), scale=1.0, mirror=False)
    pen.colour, pen.recording = (0, 0, 0), True
    pen.rect(20, 20, 80, 80)
    pen.decorate(pattern, (255, 0, 0))
    red = (np.asarray(pen.picture) == (255, 0, 0)).all(axis=2)
    inside = np.asarray(pen.mask) > 0
    assert not red[~inside].any()
    assert 0.05 < red[inside].mean() < 0.7


def test_mix_is_linear():
    assert mix((0, 100, 200), (100, 100, 0), 0.25) == (25, 100, 150)
