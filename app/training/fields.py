"""Widgets of settings. Bounds, choices and help come from the fields of the settings' classes."""

from __future__ import annotations

import math
from typing import Any, Literal, get_args, get_origin

import streamlit as st
from pydantic.fields import FieldInfo

from rednd_core.errors import ConfigError

WEIGHTS = (0.0, 1e-4, 3e-4, 1e-3, 3e-3, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)

EFFECTS = {
    "alignment": "How strongly each node is kept close to its own beginning while it listens to its "
    "neighbours: the mean of its layers 1 to L is pulled towards its own x⁰ and away from the x⁰ of "
    "other nodes. 0 switches it off.",
    "contrast": "How strongly two views of a node, which differ by chance, are pulled together and away "
    "from other nodes, which spreads the nodes out. 0 switches it off.",
    "features": "How strongly a user's vector has to rank items by their projected features alone. 0 "
    "switches it off.",
    "neighbourhood": "How strongly a user's vector is pulled towards the user's own items and away from the "
    "items and users of other pairs, as a step of propagation would. 0 switches it off.",
    "plugin_alignment": "RedNⁿD's alignment, added to this model: how strongly each node is kept close to "
    "its own beginning while it listens to its neighbours. 0 switches it off.",
    "regularization": "How strongly the parameters are kept small (L2). 0 switches it off.",
}
"""What the weight of a loss does, for readers; a loss that is missing here has its setting's description."""


def label_of(name: str, field: FieldInfo) -> str:
    """The title of a setting; without a title, words made of its name."""
    return field.title or name.replace("_", " ").capitalize()


def effect_of(loss: str, field: FieldInfo) -> str:
    """What the weight of ``loss``, whose setting is ``field``, does."""
    return EFFECTS.get(loss) or f"{field.description}."


def weight_options(field: FieldInfo, *in_use: float) -> list[float]:
    """The weights on a slider: 0 and half decades in the bounds of its setting, and those in use."""
    low, high = _bounds(field)
    inside = [
        weight
        for weight in WEIGHTS
        if (low is None or weight >= low) and (high is None or weight <= high)
    ]
    # The slider tells its options apart by their texts, so each text stands for one weight.
    return sorted({f"{weight:g}": weight for weight in (*inside, *in_use)}.values())


def setting(
    name: str, field: FieldInfo, default: Any, whose: str, key: str, choices: list[str]
) -> Any:
    """The widget of one setting; returns a value for the settings' class.

    Args:
        default: shown at first.
        whose: who says so, for the help text.
        choices: for lists of names and for a name: what there is to choose from; may be empty.
    """
    common: dict[str, Any] = {
        "label": label_of(name, field),
        "key": key,
        "help": f"{field.description}. Setting `{name}`; {whose}.",
        "persist_state": "session",
    }
    kind = field.annotation
    if get_origin(kind) is Literal:
        options = list(get_args(kind))
        return st.selectbox(options=options, index=options.index(default), **common)
    if kind is int:
        low, high = _bounds(field)
        return st.number_input(value=int(default), min_value=low, max_value=high, step=1, **common)
    if kind is float:
        low, high = _bounds(field)
        step = 10.0 ** math.floor(math.log10(default)) if default > 0 else 0.001
        return st.number_input(
            value=float(default),
            min_value=None if low is None else float(low),
            max_value=None if high is None else float(high),
            step=step,
            format="%g",
            **common,
        )
    if kind is str:
        return st.selectbox(options=choices, index=choices.index(default), **common)
    if get_args(kind)[0] is str and get_origin(kind) is tuple:
        return st.multiselect(
            options=choices, default=list(default), placeholder="all of the data set", **common
        )
    written = st.text_input(value=_written(default), placeholder="default", **common)
    return _read(name, field, written)


def kept_setting(name: str, field: FieldInfo, default: Any, key: str) -> Any:
    """The value of a setting whose widget is not drawn: the value that was chosen before, or the default."""
    if key not in st.session_state:
        return default
    return _read(name, field, st.session_state[key])


def _read(name: str, field: FieldInfo, value: Any) -> Any:
    """The value of a widget for the settings' class. Lists of numbers and pairs are typed as text."""
    kind = get_origin(field.annotation)
    if isinstance(value, str) and kind is dict:
        return _pairs(name, value)
    if isinstance(value, str) and kind is tuple:
        return _numbers(name, value)
    return value


def _written(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key}={number:g}" for key, number in value.items())
    return ", ".join(map(str, value))


def _bounds(field: FieldInfo) -> tuple[int | None, int | None]:
    """Least and largest value. For a float an exclusive bound is among them, which pydantic refuses."""
    low = high = None
    for rule in field.metadata:
        low = getattr(rule, "ge", getattr(rule, "gt", low))
        high = getattr(rule, "le", high)
        if hasattr(rule, "lt"):
            high = rule.lt - 1 if field.annotation is int else rule.lt
    return low, high


def _numbers(name: str, text: str) -> list[int]:
    parts = [part.strip() for part in text.split(",") if part.strip()]
    try:
        return [int(part) for part in parts]
    except ValueError:
        raise ConfigError(
            expected=f"whole numbers with commas between them in {name}",
            found=repr(text[:80]),
            remedy="write for example 5, 10, 20",
        ) from None


def _pairs(name: str, text: str) -> dict[str, float]:
    pairs = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        key, _, number = part.partition("=")
        try:
            pairs[key.strip()] = float(number)
        except ValueError:
            raise ConfigError(
                expected=f"name=number with commas between them in {name}",
                found=repr(part[:80]),
                remedy="write for example image=0.1, text=0.9",
            ) from None
    return pairs
