"""Data sets made from a seed: the sample shop with planted tastes, and large power-law graphs."""

from rednd_core.samples.large import GraphSummary, make_graph, parse_modalities
from rednd_core.samples.shop import ShopSummary, make_shop

__all__ = ["GraphSummary", "ShopSummary", "make_graph", "make_shop", "parse_modalities"]
