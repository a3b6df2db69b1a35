"""The sample shop: an invented catalogue with planted tastes, made from a seed."""

from rednd_core.data.synthetic.shop import ShopSummary, make_shop

__all__ = ["ShopSummary", "make_shop"]
