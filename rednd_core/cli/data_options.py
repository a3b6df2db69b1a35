"""How data are read: the options that every command has which trains, checks or converts."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from typing import Annotated, Any, get_args

import typer

from rednd_core.cli.options import parse_values, read_assignments
from rednd_core.cli.speech import say
from rednd_core.config import ColumnNames, DataConfig, SplitRule, parse_settings
from rednd_core.errors import ConfigError
from rednd_core.modeling.registry import CARDS

_BY_SHARES = ("random", "global_time")
_OPTIONS: dict[str, Any] = {
    "split": Annotated[
        str, typer.Option("--split", help=f"One of {', '.join(get_args(SplitRule))}.")
    ],
    "ratios": Annotated[
        str | None,
        typer.Option(
            "--ratios",
            metavar="R1,R2,R3",
            help="Train, validation and test shares of --split random or global_time; default 0.8,0.1,0.1.",
        ),
    ],
    "split_seed": Annotated[
        int | None,
        typer.Option("--split-seed", help="Seed of --split random and --sample-users; default 0."),
    ],
    "columns": Annotated[
        list[str] | None,
        typer.Option(
            "--column",
            metavar="ROLE=NAME",
            help="What a column is called; roles: user, item, label, timestamp, rating. Of a table without "
            "a header the number of the column. Repeatable.",
        ),
    ],
    "layout": Annotated[
        str,
        typer.Option("--layout", help="auto, table, headerless, or lists (user item item ...)."),
    ],
    "threshold": Annotated[
        float | None,
        typer.Option(
            "--threshold", help="The least rating that is a like; without it every row is one."
        ),
    ],
    "min_interactions": Annotated[
        int | None,
        typer.Option(
            "--min-interactions", help="Pairs that every user and item must have (k-core)."
        ),
    ],
    "sample_users": Annotated[
        int | None, typer.Option("--sample-users", help="So many users, drawn at random.")
    ],
    "text_features": Annotated[
        str | None,
        typer.Option(
            "--text-features",
            help="Make the modality 'text' from titles: tfidf, or the folder of a sentence-transformers "
            "model. Made without being asked where a model needs features and there are none.",
        ),
    ],
}
_SETTINGS = {
    "threshold": "rating_threshold",
    "min_interactions": "min_interactions",
    "sample_users": "sample_users",
    "text_features": "text_features",
}


@dataclass(frozen=True)
class DataOptions:
    """The values of the options, not validated yet."""

    split: str = "auto"
    ratios: str | None = None
    split_seed: int | None = None
    columns: Iterable[str] | None = None
    layout: str = "auto"
    threshold: float | None = None
    min_interactions: int | None = None
    sample_users: int | None = None
    text_features: str | None = None

    @property
    def are_given(self) -> bool:
        """Whether any option differs from its default."""
        return any(getattr(self, f.name) not in (f.default, []) for f in fields(self))

    def config(self, path: str) -> DataConfig:
        """The options for the data at ``path``, validated; no file is read.

        Raises:
            ConfigError: an impossible value, or ratios or a seed that the split would not use.
        """
        settings: dict[str, Any] = {"path": path, "split": self.split, "layout": self.layout}
        if self.columns:
            names = read_assignments(self.columns, "column role")
            settings["columns"] = parse_settings(ColumnNames, names, "column role")
        if self.ratios is not None:
            from rednd_core.data.split import require_ratios

            settings["ratios"] = tuple(parse_values(self.ratios))
            require_ratios(settings["ratios"])
        if self.split_seed is not None:
            settings["split_seed"] = self.split_seed
        for option, setting in _SETTINGS.items():
            if (value := getattr(self, option)) is not None:
                settings[setting] = value
        has_use = self.split in _BY_SHARES or (
            self.ratios is None and self.sample_users is not None
        )
        if (self.ratios, self.split_seed) != (None, None) and not has_use:
            raise ConfigError(
                expected="--split random with --ratios or --split-seed, which no other split uses",
                found=f"--split {self.split}",
                remedy="add --split random, or leave them out",
            )
        return parse_settings(DataConfig, settings, "data setting")


def with_data_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of how data are read; their values come as its argument ``reading``."""
    signature = inspect.signature(command, eval_str=True)
    own = [p for p in signature.parameters.values() if p.name != "reading"]
    defaults = {f.name: f.default for f in fields(DataOptions)}
    added = [
        inspect.Parameter(
            name, inspect.Parameter.KEYWORD_ONLY, default=defaults[name], annotation=annotation
        )
        for name, annotation in _OPTIONS.items()
    ]

    @functools.wraps(command)
    def wrapped(**given: Any) -> None:
        values = {name: given.pop(name) for name in _OPTIONS}
        command(**given, reading=DataOptions(**values))

    wrapped.__signature__ = signature.replace(  # type: ignore[attr-defined]
        parameters=[p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in own] + added
    )
    return wrapped


def with_features(config: DataConfig, models: Iterable[str]) -> DataConfig:
    """The configuration with text features to be made, where a model needs features and there are none."""
    from rednd_core.data.features import feature_files
    from rednd_core.data.layouts.source import open_source

    needing = [
        CARDS[name].title for name in models if name in CARDS and "features" in CARDS[name].needs
    ]
    if not needing or config.text_features or feature_files(open_source(config.path)):
        return config
    say(
        f"notice  {needing[0]} needs item features and there are none: text features are made from titles, "
        "categories and descriptions (--text-features tfidf)."
    )
    return config.model_copy(update={"text_features": "tfidf"})
