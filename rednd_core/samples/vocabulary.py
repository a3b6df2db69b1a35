"""The words and colours of the invented shop: departments, categories and their styles.

A style is a taste group: the items of one style share material words, colours and buyers. Names are
made up; no brand of a real company is meant.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

N_LOOKS = 5
"""Every style has this many looks."""
Pattern = Literal["plain", "stripes", "dots", "band", "diamonds"]


@dataclass(frozen=True)
class Style:
    """One taste group: title words ``looks`` x ``nouns``, and colours as ``#rrggbb``."""

    name: str
    looks: tuple[str, ...]
    nouns: tuple[str, ...]
    body: str
    accent: str
    background: str
    pattern: Pattern = "plain"


@dataclass(frozen=True)
class Category:
    """Styles that share a shape, title ``details`` and a typical price in whole units."""

    name: str
    department: str
    price: int
    details: tuple[str, ...]
    styles: tuple[Style, ...]


def _words(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split("|"))


CATEGORIES: tuple[Category, ...] = (
    Category(
        "Lamps", "Living", 64,
        _words("brass arm|warm light|dimmable|rotary switch|fabric cable|weighted base"),
        (
            Style("Walnut", _words("Walnut|Oiled oak|Smoked ash|Turned beech|Cherry wood"),
                  _words("desk lamp|table lamp|bedside lamp|reading lamp"),
                  "#8a5a36", "#d9a441", "#f3ebe0"),
            Style("Industrial", _words("Brushed steel|Cast iron|Gunmetal|Riveted zinc|Raw aluminium"),
                  _words("workshop lamp|drafting lamp|desk lamp|pulley lamp"),
                  "#5d6770", "#e07b39", "#e9edf0"),
            Style("Paper", _words("Rice paper|Folded paper|Mulberry paper|Pleated paper|Washi"),
                  _words("globe lamp|table lamp|cocoon lamp|bedside lamp"),
                  "#e8d9b5", "#c8553d", "#e3eae4", "stripes"),
        ),
    ),
    Category(
        "Cushions", "Living", 32,
        _words("extra soft|machine washable|piped edge|hidden zip|feather filling|reversible"),
        (
            Style("Botanical", _words("Fern print|Olive branch|Meadow flower|Ginkgo leaf|Ivy print"),
                  _words("cushion|cushion cover|scatter cushion|bolster"),
                  "#5f8a5b", "#e6c86e", "#eef3e8", "dots"),
            Style("Geometric", _words("Mosaic tile|Zigzag|Hexagon|Checkerboard|Arc pattern"),
                  _words("cushion|cushion cover|floor cushion|bolster"),
                  "#2f5d8c", "#f2a65a", "#e8eef5", "diamonds"),
            Style("Knitted", _words("Cable knit|Chunky wool|Moss stitch|Ribbed cotton|Boucle"),
                  _words("cushion|cushion cover|lumbar cushion|pouffe"),
                  "#c9a9a6", "#8c5e58", "#f6efec", "stripes"),
        ),
    ),
    Category(
        "Plant pots", "Living", 21,
        _words("with saucer|12 cm|18 cm|24 cm|drainage hole|set of two"),
        (
            Style("Terracotta", _words("Terracotta|Aged clay|Red clay|Sun-baked clay|Rough terracotta"),
                  _words("plant pot|herb planter|cactus pot|window planter"),
                  "#c4693d", "#8f4526", "#f5e9df"),
            Style("Glazed", _words("Sea-green glazed|Cobalt glazed|Celadon|Drip-glazed|Jade glazed"),
                  _words("plant pot|orchid pot|bonsai bowl|footed planter"),
                  "#3c8d8f", "#bfe3dc", "#e6f1f0", "band"),
            Style("Concrete", _words("Cast concrete|Pale concrete|Terrazzo|Ribbed cement|Stone-grey"),
                  _words("plant pot|cube planter|succulent bowl|tall planter"),
                  "#a3a7a8", "#f0b86e", "#eef0ef", "dots"),
            Style("Woven", _words("Seagrass|Jute|Rattan|Water hyacinth|Palm leaf"),
                  _words("plant basket|pot cover|hanging planter|belly basket"),
                  "#c8a165", "#7d5a2b", "#f4eee1", "diamonds"),
        ),
    ),
    Category(
        "Kettles", "Kitchen", 58,
        _words("1.0 litre|1.5 litre|whistling lid|gooseneck spout|beech handle|for induction"),
        (
            Style("Copper", _words("Hammered copper|Polished copper|Rose copper|Aged copper|Copper-clad"),
                  _words("kettle|stovetop kettle|tea kettle|pour-over kettle"),
                  "#c8703f", "#5a3a28", "#f7ebe2"),
            Style("Enamel", _words("Cream enamel|Duck-egg enamel|Cherry enamel|Mint enamel|Sky enamel"),
                  _words("kettle|stovetop kettle|farmhouse kettle|camp kettle"),
                  "#8fc1c4", "#b23a48", "#f2f5ee", "dots"),
            Style("Matte black", _words("Matte black|Charcoal|Graphite|Soot-black|Ink-black"),
                  _words("kettle|drip kettle|pour-over kettle|tea kettle"),
                  "#34373c", "#c9a66b", "#e6e4e0"),
        ),
    ),
    Category(
        "Mugs", "Kitchen", 16,
        _words("300 ml|400 ml|set of two|set of four|wide handle|stackable"),
        (
            Style("Stoneware", _words("Speckled|Sand-glazed|Rustic|Oatmeal|Reactive-glaze"),
                  _words("stoneware mug|coffee cup|breakfast mug|tumbler"),
                  "#cdb594", "#7a5c3e", "#f4efe7", "dots"),
            Style("Striped", _words("Red-striped|Navy-striped|Candy-striped|Bright-banded|Two-tone"),
                  _words("mug|coffee cup|latte mug|tea mug"),
                  "#f4f1ea", "#d64550", "#e6ecf4", "stripes"),
            Style("Woodland", _words("Fox|Hedgehog|Badger|Owl|Red squirrel"),
                  _words("mug|tea mug|children's mug|breakfast mug"),
                  "#6d8f57", "#e2803a", "#eef2e6", "band"),
            Style("Glass", _words("Double-walled|Smoked glass|Amber glass|Clear glass|Ribbed glass"),
                  _words("latte glass|tea glass|coffee glass|mug"),
                  "#a9cfd9", "#5d8796", "#eef5f7"),
        ),
    ),
    Category(
        "Chopping boards", "Kitchen", 36,
        _words("small|large|with juice groove|leather loop|rounded corners|two-sided"),
        (
            Style("Olive wood", _words("Olive wood|Acacia|End-grain oak|Maple|Live-edge elm"),
                  _words("chopping board|serving board|bread board|cheese board"),
                  "#b98546", "#6f4a22", "#f4ecdd", "stripes"),
            Style("Slate", _words("Slate|Basalt|Dark granite|Marble|Soapstone"),
                  _words("chopping board|serving slab|cheese board|pastry board"),
                  "#56616b", "#cfd6da", "#e9ebea", "dots"),
        ),
    ),
    Category(
        "Tents", "Outdoors", 240,
        _words("with porch|blackout fabric|four season|with footprint|mesh windows|repair kit"),
        (
            Style("Ultralight", _words("Ultralight|Featherweight|Fast-pitch|Silnylon|Trekking-pole"),
                  _words("tent|tunnel tent|ridge tent|bivouac"),
                  "#e9b22f", "#4b5a63", "#eaf1f5"),
            Style("Family", _words("Family|Inflatable|Pop-up|Festival|Weekend"),
                  _words("tent|dome tent|cabin tent|tunnel tent"),
                  "#3f7cac", "#f26b4e", "#e9f1e6", "band"),
            Style("Canvas", _words("Cotton canvas|Waxed canvas|Sand canvas|Safari|Explorer"),
                  _words("bell tent|ridge tent|wall tent|tipi"),
                  "#d8c59a", "#7c4f2c", "#e9eee0", "stripes"),
        ),
    ),
    Category(
        "Backpacks", "Outdoors", 92,
        _words("18 litres|25 litres|40 litres|rain cover|padded hip belt|laptop sleeve"),
        (
            Style("Trail", _words("Ripstop|Alpine|Ridge-line|Long-haul|Summit"),
                  _words("hiking backpack|daypack|trekking pack|trail pack"),
                  "#d7552f", "#2e3f4f", "#eaf0ef", "band"),
            Style("City", _words("Roll-top|Commuter|Slim|Reflective|Water-resistant"),
                  _words("city backpack|laptop backpack|cycling pack|messenger pack"),
                  "#3b4350", "#7fd1c0", "#e8eaee"),
            Style("Heritage", _words("Waxed canvas|Leather-trim|Cotton twill|Buckled|Drawstring"),
                  _words("rucksack|school backpack|weekend pack|satchel pack"),
                  "#6f7a45", "#9c5f2c", "#f3efe1"),
        ),
    ),
    Category(
        "Water bottles", "Outdoors", 27,
        _words("500 ml|750 ml|one litre|carry loop|leakproof lid|wide mouth"),
        (
            Style("Insulated", _words("Powder-coated|Vacuum-walled|Frost-grey|Arctic-blue|Forest-green"),
                  _words("steel bottle|insulated bottle|thermal flask|trail flask"),
                  "#2f7f79", "#c7ced1", "#e7f0ee", "band"),
            Style("Glass", _words("Borosilicate|Cork-sleeved|Silicone-sleeved|Frosted|Amber"),
                  _words("glass bottle|water carafe|infuser bottle|desk bottle"),
                  "#b7dbe0", "#c19a6b", "#f3f6f3"),
            Style("Kids", _words("Dinosaur|Rocket|Rainbow|Shark|Tractor"),
                  _words("straw bottle|school bottle|sippy bottle|kids' flask"),
                  "#f2789f", "#ffd166", "#fdf0f2", "dots"),
        ),
    ),
    Category(
        "Board games", "Play", 38,
        _words("travel size|gift edition|30 minutes|two hours|from age 8|from age 12"),
        (
            Style("Strategy",
                  _words("Harbour Barons|Salt and Silk|Iron Valleys|Ninth Canal|Orchard Kings"),
                  _words("trading game|strategy game|card-drafting game|empire game"),
                  "#274060", "#c89b3c", "#ece8de", "band"),
            Style("Party", _words("Wobble Quiz|Say It Backwards|Loud Llamas|Odd One Out|Bluff Bakery"),
                  _words("party game|family game|guessing game|parlour game"),
                  "#e4437c", "#ffe066", "#fbeef4", "dots"),
            Style("Cooperative", _words("Storm Lighthouse|Last Lifeboat|Moss Forest|Night Train|Sunken City"),
                  _words("cooperative game|escape game|mystery game|rescue game"),
                  "#3d7a5e", "#f4a259", "#e7f0ea"),
            Style("Wooden", _words("Birch|Hand-carved|Maple|Folding|Pocket"),
                  _words("chess set|draughts set|backgammon set|mancala set"),
                  "#b5834d", "#4a2f1b", "#f5eee3", "diamonds"),
        ),
    ),
    Category(
        "Plush animals", "Play", 24,
        _words("20 cm|35 cm|55 cm|organic cotton|machine washable|with rattle"),
        (
            Style("Forest", _words("Brown bear|Fox cub|Fawn|Hedgehog|Badger"),
                  _words("soft toy|cuddly toy|hand puppet|plush"),
                  "#a8713f", "#e8cfa8", "#f2eee2"),
            Style("Ocean", _words("Seal|Whale|Octopus|Narwhal|Otter"),
                  _words("soft toy|cuddly toy|bath puppet|plush"),
                  "#5c95b8", "#d7ecf5", "#e9f3f7"),
            Style("Dinosaurs", _words("Stegosaurus|Long-neck|Triceratops|Raptor|Pterosaur"),
                  _words("soft toy|cuddly toy|hand puppet|plush"),
                  "#7fae4a", "#f2d94e", "#f0f4e3", "dots"),
        ),
    ),
    Category(
        "Kites", "Play", 44,
        _words("for beginners|with winder|3 metre tail|carry bag|light wind|strong wind"),
        (
            Style("Classic", _words("Diamond|Cotton|Rainbow|Painted-paper|Ribbon-tailed"),
                  _words("kite|beach kite|single-line kite|children's kite"),
                  "#e8503a", "#f6c945", "#e4f1fa", "diamonds"),
            Style("Stunt", _words("Carbon-frame|Vented|Dual-line|Freestyle|Precision"),
                  _words("stunt kite|sport kite|delta kite|power kite"),
                  "#4a3f8f", "#37d0b2", "#e8eaf7", "stripes"),
        ),
    ),
)  # fmt: skip

FIRST_NAMES: tuple[str, ...] = _words(
    "Ada|Aino|Amir|Anouk|Arjun|Bea|Bruno|Carla|Chidi|Clara|Dalia|Dario|Edda|Elif|Emil|Enzo|Esra|"
    "Farah|Felix|Finn|Greta|Hana|Hugo|Ida|Ines|Iris|Ivo|Jamal|Jana|Jonas|Kaya|Kenji|Lara|Leo|Lina|"
    "Luca|Mara|Mats|Mei|Mila|Nadia|Nils|Noor|Olga|Omar|Petra|Ravi|Rosa|Sami|Tessa"
)


def groups() -> tuple[tuple[int, int], ...]:
    """Every (category index, style index in it); the position in the list is the group index."""
    return tuple((c, s) for c, cat in enumerate(CATEGORIES) for s in range(len(cat.styles)))
