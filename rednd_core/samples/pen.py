"""A small drawing surface in units of 0..100, and the look of a thumbnail: pattern, shade, floor."""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image, ImageChops, ImageColor, ImageDraw, ImageFilter

from rednd_core.samples.vocabulary import Pattern

SIZE = 96
"""Edge of a thumbnail, pixels."""
OVERSAMPLING = 3
N_COLOURS = 16

Colour = tuple[int, int, int]
Points = Sequence[tuple[float, float]]


def parse_colour(text: str) -> Colour:
    """``"#rrggbb"`` as three integers."""
    red, green, blue = ImageColor.getrgb(text)[:3]
    return red, green, blue


def mix(a: Colour, b: Colour, share: float) -> Colour:
    """``a`` with ``share`` of ``b`` in it."""
    red, green, blue = (round(x + (y - x) * share) for x, y in zip(a, b, strict=True))
    return red, green, blue


class Pen:
    """Draws in one colour onto a picture and, while ``mask`` is set, records where it drew.

    ``scale`` shrinks the drawing about the floor's middle, ``mirror`` flips it.
    """

    def __init__(self, background: Colour, *, scale: float, mirror: bool) -> None:
        edge = SIZE * OVERSAMPLING
        self._edge, self._scale, self._mirror = edge, scale, mirror
        self.picture = Image.new("RGB", (edge, edge), background)
        self.mask = Image.new("L", (edge, edge), 0)
        self.colour: Colour = (0, 0, 0)
        self.recording = False

    def polygon(self, points: Points) -> None:
        pixels = [self._pixel(x, y) for x, y in points]
        for draw, fill in self._targets():
            draw.polygon(pixels, fill=fill)

    def ellipse(self, x0: float, y0: float, x1: float, y1: float) -> None:
        box = self._box(x0, y0, x1, y1)
        for draw, fill in self._targets():
            draw.ellipse(box, fill=fill)

    def rect(self, x0: float, y0: float, x1: float, y1: float, radius: float = 0.0) -> None:
        box = self._box(x0, y0, x1, y1)
        for draw, fill in self._targets():
            draw.rounded_rectangle(box, radius=self._length(radius), fill=fill)

    def line(self, points: Points, width: float) -> None:
        pixels = [self._pixel(x, y) for x, y in points]
        for draw, fill in self._targets():
            draw.line(pixels, fill=fill, width=round(self._length(width)), joint="curve")

    def ring(self, x0: float, y0: float, x1: float, y1: float, width: float) -> None:
        """An ellipse's outline, ``width`` inwards."""
        box = self._box(x0, y0, x1, y1)
        for draw, fill in self._targets():
            draw.ellipse(box, outline=fill, width=round(self._length(width)))

    def decorate(self, pattern: Pattern, colour: Colour) -> None:
        """Fill the recorded shape with a pattern."""
        overlay = Image.new("L", self.mask.size, 0)
        draw, step = ImageDraw.Draw(overlay), self._edge // 12
        if pattern == "stripes":
            for x in range(0, self._edge, step):
                draw.rectangle((x, 0, x + step // 3, self._edge), fill=255)
        elif pattern == "dots":
            for row, y in enumerate(range(0, self._edge, step)):
                for x in range(row % 2 * step // 2, self._edge, step):
                    draw.ellipse((x, y, x + step // 3, y + step // 3), fill=255)
        elif pattern == "diamonds":
            for row, y in enumerate(range(0, self._edge, step)):
                for x in range(row % 2 * step, self._edge, 2 * step):
                    across = [(x, y - step // 2), (x + step // 2, y), (x, y + step // 2)]
                    draw.polygon([*across, (x - step // 2, y)], fill=255)
        elif pattern == "band":
            top, bottom = self._pixel(0, 58)[1], self._pixel(0, 66)[1]
            draw.rectangle((0, top, self._edge, bottom), fill=255)
        self.picture.paste(colour, mask=ImageChops.multiply(overlay, self.mask))

    def shade(self, body: Colour) -> None:
        """Darken the recorded shape's right edge, as if lit from the left."""
        moved = ImageChops.offset(self.mask, -self._edge // 16, 0)
        side = ImageChops.subtract(self.mask, moved).point([value // 3 for value in range(256)])
        self.picture.paste(mix(body, (20, 20, 30), 0.7), mask=side)

    def finished(self, *, blur: float = 0.0) -> Image.Image:
        """The thumbnail, (SIZE, SIZE), with a palette of at most ``N_COLOURS``."""
        small = self.picture.reduce(OVERSAMPLING)
        if blur:
            small = small.filter(ImageFilter.GaussianBlur(blur))
        return small.quantize(N_COLOURS, dither=Image.Dither.NONE)

    def _targets(self) -> list[tuple[ImageDraw.ImageDraw, int | Colour]]:
        targets: list[tuple[ImageDraw.ImageDraw, int | Colour]] = [
            (ImageDraw.Draw(self.picture), self.colour)
        ]
        if self.recording:
            targets.append((ImageDraw.Draw(self.mask), 255))
        return targets

    def _length(self, units: float) -> float:
        return units * self._scale * self._edge / 100

    def _pixel(self, x: float, y: float) -> tuple[float, float]:
        x = 100 - x if self._mirror else x
        unit = self._edge / 100
        return (50 + (x - 50) * self._scale) * unit, (88 + (y - 88) * self._scale) * unit

    def _box(self, x0: float, y0: float, x1: float, y1: float) -> list[float]:
        (left, top), (right, bottom) = self._pixel(x0, y0), self._pixel(x1, y1)
        return [min(left, right), top, max(left, right), bottom]
