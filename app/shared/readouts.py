"""What scores at each depth, in words."""

from __future__ import annotations

from rednd_core.runs import LayerFacts


def readout_name(k: int, facts: LayerFacts) -> str:
    """A short name of z^k, e.g. ``readout 0–3``: which layers it is made of, where a rule says so."""
    first = facts.readout.first
    by_rule = facts.readout_widths is None and facts.readout.rule != "last"
    return f"readout {first}–{k}" if by_rule and k > first else f"readout {k}"


def readout_rule(facts: LayerFacts) -> str:
    """How layers become what scores at depth k, as a noun with its article."""
    layers = f"the layers {facts.readout.first} to k"
    return {
        "mean": f"the mean of {layers}",
        "sum": f"the sum of {layers}",
        "concat": f"{layers} side by side",
        "last": "layer k",
        "max": f"the largest entries of {layers}",
    }[facts.readout.rule]


def readout_words(facts: LayerFacts) -> str:
    """The same, with what the model adds to the rule."""
    if facts.readout_widths is None:
        return readout_rule(facts)
    return f"{readout_rule(facts)}, and what this model adds to it before it scores"
