"""Data sets made from a seed: a shop and a world of music with planted tastes, and large power-law graphs."""

from rednd_core.samples.large import GraphSummary, make_graph, parse_modalities
from rednd_core.samples.music import MusicSummary, make_music
from rednd_core.samples.shop import ShopSummary, make_shop

__all__ = [
    "GraphSummary",
    "MusicSummary",
    "ShopSummary",
    "make_graph",
    "make_music",
    "make_shop",
    "parse_modalities",
]
