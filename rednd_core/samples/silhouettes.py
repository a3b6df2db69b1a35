"""One shape a category, in units of 0..100 (y down, the floor at 88).

``body`` is drawn in the style's main colour and carries its pattern; ``details`` come on top and may
use the accent and a dark tone of the body.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from rednd_core.samples.pen import Colour, Pen


@dataclass(frozen=True)
class Palette:
    """The tones of one picture."""

    body: Colour
    accent: Colour
    dark: Colour
    pale: Colour


@dataclass(frozen=True)
class Silhouette:
    """How a category is drawn."""

    body: Callable[[Pen], None]
    details: Callable[[Pen, Palette], None]


def _lamp_body(pen: Pen) -> None:
    pen.polygon([(36, 18), (64, 18), (78, 50), (22, 50)])


def _lamp_details(pen: Pen, tones: Palette) -> None:
    pen.colour = tones.accent
    pen.rect(48, 50, 52, 80)
    pen.ellipse(44, 58, 56, 70)
    pen.colour = tones.dark
    pen.rect(33, 79, 67, 87, 4)
    pen.line([(66, 50), (66, 60)], 1.2)
    pen.ellipse(64.5, 59, 67.5, 62)


def _cushion_body(pen: Pen) -> None:
    pen.polygon([(16, 24), (50, 30), (84, 24), (79, 55), (84, 86), (50, 80), (16, 86), (21, 55)])


def _cushion_details(pen: Pen, tones: Palette) -> None:
    pen.colour = tones.accent
    for x, y in ((16, 24), (84, 24), (16, 86), (84, 86)):
        pen.ellipse(x - 4, y - 4, x + 4, y + 4)
    pen.colour = tones.dark
    pen.ellipse(47.5, 52.5, 52.5, 57.5)


def _pot_body(pen: Pen) -> None:
    pen.polygon([(28, 54), (72, 54), (65, 87), (35, 87)])
    pen.rect(24, 48, 76, 57, 2)


def _pot_details(pen: Pen, tones: Palette) -> None:
    pen.colour = tones.dark
    pen.rect(28, 57, 72, 58.5)
    pen.colour = (74, 128, 82)
    for tip, side in (((50, 8), 7), ((30, 16), 8), ((70, 16), 8), ((20, 32), 6), ((80, 32), 6)):
        pen.polygon([(50 - side / 2, 48), tip, (50 + side, 48)])
    pen.colour = (104, 158, 100)
    pen.polygon([(46, 48), (41, 12), (53, 48)])
    pen.polygon([(50, 48), (62, 20), (56, 48)])


def _kettle_body(pen: Pen) -> None:
    pen.ellipse(22, 38, 74, 96)
    pen.rect(26, 62, 70, 87, 6)
    pen.polygon([(66, 54), (88, 40), (92, 44), (70, 74)])


def _kettle_details(pen: Pen, tones: Palette) -> None:
    pen.colour = tones.dark
    pen.line([(28, 46), (26, 26), (36, 17), (60, 17), (70, 26), (68, 46)], 4.5)
    pen.rect(24, 84, 72, 88, 2)
    pen.colour = tones.accent
    pen.rect(37, 37, 59, 42, 2)
    pen.ellipse(44.5, 30, 51.5, 38)


def _mug_body(pen: Pen) -> None:
    pen.rect(22, 30, 66, 87, 7)
    pen.ring(56, 40, 88, 74, 7)


def _mug_details(pen: Pen, tones: Palette) -> None:
    pen.colour = tones.dark
    pen.ellipse(22, 24, 66, 37)
    pen.colour = tones.pale
    pen.ellipse(24, 25.5, 64, 35.5)
    pen.colour = tones.accent
    pen.ellipse(27, 28, 61, 35)


def _board_body(pen: Pen) -> None:
    pen.rect(24, 34, 76, 88, 9)
    pen.rect(42, 10, 58, 40, 7)


def _board_details(pen: Pen, tones: Palette) -> None:
    pen.colour = tones.dark
    pen.ring(29, 39, 71, 83, 1.2)
    pen.colour = tones.pale
    pen.ellipse(46, 15, 54, 23)
    pen.colour = tones.accent
    pen.line([(50, 16), (58, 5), (54, 3), (48, 15)], 1.8)


def _tent_body(pen: Pen) -> None:
    pen.polygon([(50, 22), (94, 86), (6, 86)])


def _tent_details(pen: Pen, tones: Palette) -> None:
    pen.colour = tones.dark
    pen.polygon([(50, 40), (66, 86), (34, 86)])
    pen.colour = tones.accent
    pen.polygon([(50, 40), (34, 86), (26, 86)])
    pen.line([(50, 22), (50, 13)], 2)
    pen.polygon([(50, 11), (62, 15), (50, 19)])
    pen.colour = tones.dark
    pen.line([(94, 86), (98, 88)], 2)
    pen.line([(6, 86), (2, 88)], 2)


def _backpack_body(pen: Pen) -> None:
    pen.rect(26, 20, 74, 87, 16)
    pen.rect(18, 52, 30, 80, 5)
    pen.rect(70, 52, 82, 80, 5)


def _backpack_details(pen: Pen, tones: Palette) -> None:
    pen.colour = tones.dark
    pen.ring(42, 10, 58, 28, 3.5)
    pen.rect(34, 55, 66, 80, 6)
    pen.line([(30, 42), (70, 42)], 1.6)
    pen.colour = tones.accent
    pen.rect(34, 60, 66, 63)
    pen.rect(46, 40, 54, 49, 2)


def _bottle_body(pen: Pen) -> None:
    pen.rect(36, 34, 64, 88, 8)
    pen.polygon([(36, 42), (43, 25), (57, 25), (64, 42)])


def _bottle_details(pen: Pen, tones: Palette) -> None:
    pen.colour = tones.accent
    pen.rect(42, 13, 58, 26, 3)
    pen.ring(45, 3, 55, 15, 2.5)
    pen.colour = tones.dark
    pen.rect(42, 25, 58, 27.5)
    pen.colour = tones.pale
    pen.rect(40, 46, 42.5, 78, 1)


def _game_body(pen: Pen) -> None:
    pen.rect(10, 30, 90, 84, 3)


def _game_details(pen: Pen, tones: Palette) -> None:
    pen.colour = tones.dark
    pen.rect(10, 76, 90, 86, 2)
    pen.colour = tones.accent
    pen.rect(18, 37, 58, 47, 2)
    pen.ellipse(27, 52, 37, 62)
    pen.polygon([(32, 56), (42, 73), (22, 73)])
    pen.colour = tones.pale
    pen.rect(60, 50, 80, 70, 3)
    pen.colour = tones.dark
    for x, y in ((65, 55), (75, 55), (70, 60), (65, 65), (75, 65)):
        pen.ellipse(x - 1.8, y - 1.8, x + 1.8, y + 1.8)


def _plush_body(pen: Pen) -> None:
    pen.ellipse(26, 46, 74, 90)
    pen.ellipse(27, 14, 73, 58)
    pen.ellipse(22, 10, 40, 28)
    pen.ellipse(60, 10, 78, 28)
    pen.ellipse(16, 54, 36, 72)
    pen.ellipse(64, 54, 84, 72)
    pen.ellipse(22, 76, 44, 92)
    pen.ellipse(56, 76, 78, 92)


def _plush_details(pen: Pen, tones: Palette) -> None:
    pen.colour = tones.accent
    pen.ellipse(38, 35, 62, 54)
    pen.ellipse(37, 60, 63, 85)
    pen.ellipse(27, 15, 35, 23)
    pen.ellipse(65, 15, 73, 23)
    pen.colour = (40, 34, 34)
    pen.ellipse(38, 28, 43, 33)
    pen.ellipse(57, 28, 62, 33)
    pen.ellipse(46, 38, 54, 44)


def _kite_body(pen: Pen) -> None:
    pen.polygon([(62, 6), (90, 34), (52, 70), (34, 34)])


def _kite_details(pen: Pen, tones: Palette) -> None:
    pen.colour = tones.dark
    pen.line([(62, 6), (52, 70)], 1.6)
    pen.line([(34, 34), (90, 34)], 1.6)
    pen.line([(52, 70), (44, 76), (48, 83), (34, 86), (24, 80), (14, 86)], 1.4)
    pen.colour = tones.accent
    for x, y in ((44, 76), (34, 86), (20, 83)):
        pen.polygon([(x, y), (x - 5, y - 5), (x - 6, y + 3)])
        pen.polygon([(x, y), (x + 5, y - 4), (x + 6, y + 3)])


SILHOUETTES: dict[str, Silhouette] = {
    "Lamps": Silhouette(_lamp_body, _lamp_details),
    "Cushions": Silhouette(_cushion_body, _cushion_details),
    "Plant pots": Silhouette(_pot_body, _pot_details),
    "Kettles": Silhouette(_kettle_body, _kettle_details),
    "Mugs": Silhouette(_mug_body, _mug_details),
    "Chopping boards": Silhouette(_board_body, _board_details),
    "Tents": Silhouette(_tent_body, _tent_details),
    "Backpacks": Silhouette(_backpack_body, _backpack_details),
    "Water bottles": Silhouette(_bottle_body, _bottle_details),
    "Board games": Silhouette(_game_body, _game_details),
    "Plush animals": Silhouette(_plush_body, _plush_details),
    "Kites": Silhouette(_kite_body, _kite_details),
}
