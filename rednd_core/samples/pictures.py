"""Product pictures: a category's silhouette in a style's colours on a soft background."""

from __future__ import annotations

from io import BytesIO

import numpy as np

from rednd_core.samples.features import BLURRED, Pictures
from rednd_core.samples.pen import Colour, Pen, mix, parse_colour
from rednd_core.samples.silhouettes import SILHOUETTES, Palette
from rednd_core.samples.vocabulary import CATEGORIES, groups

BLUR_RADIUS = 7.0
"""Pixels: only a patch of colour is left."""
WHITE: Colour = (255, 255, 255)
INK: Colour = (30, 30, 38)


def draw_thumbnails(rng: np.random.Generator, pictures: Pictures) -> list[bytes]:
    """One PNG an item, in item order: what the picture shows, blurred where it is spoiled."""
    return [
        _thumbnail(rng, int(group), blurred=bool(kind == BLURRED))
        for group, kind in zip(pictures.shown_group, pictures.kind, strict=True)
    ]


def _thumbnail(rng: np.random.Generator, group: int, *, blurred: bool) -> bytes:
    c, s = groups()[group]
    style = CATEGORIES[c].styles[s]
    body = mix(parse_colour(style.body), WHITE if rng.random() < 0.5 else INK, rng.uniform(0, 0.22))
    accent = mix(parse_colour(style.accent), body, rng.uniform(0, 0.2))
    tones = Palette(body, accent, mix(body, INK, 0.55), mix(body, WHITE, 0.7))
    background = parse_colour(style.background)
    pen = Pen(background, scale=rng.uniform(0.82, 1.0), mirror=bool(rng.random() < 0.5))

    pen.colour = mix(background, INK, 0.14)
    pen.ellipse(14, 83, 86, 94)  # the shadow on the floor
    silhouette = SILHOUETTES[CATEGORIES[c].name]
    pen.colour, pen.recording = body, True
    silhouette.body(pen)
    pen.recording = False
    pen.decorate(style.pattern, mix(body, accent, 0.55))
    pen.shade(body)
    silhouette.details(pen, tones)

    buffer = BytesIO()
    pen.finished(blur=BLUR_RADIUS if blurred else 0.0).save(buffer, "PNG", optimize=True)
    return buffer.getvalue()
