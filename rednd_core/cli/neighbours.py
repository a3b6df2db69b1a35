"""``rednd neighbours``: the true neighbours of a user or an item, in the original space."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

import typer

from rednd_core.cli.options import Json, RunName, RunsDir, open_store, print_json, show_table
from rednd_core.errors import ConfigError
from rednd_core.library import LoadedRun


class Among(StrEnum):
    """From which nodes the neighbours come."""

    both = "both"
    users = "users"
    items = "items"


def neighbours(
    run: RunName,
    item: Annotated[str | None, typer.Option(help="The item's original id.")] = None,
    user: Annotated[str | None, typer.Option(help="The user's original id.")] = None,
    layer: Annotated[int | None, typer.Option(help="Default: the last.")] = None,
    modality: Annotated[str | None, typer.Option(help="Default: the first.")] = None,
    k: Annotated[int, typer.Option(help="How many neighbours.")] = 10,
    among: Annotated[Among, typer.Option(help="From which nodes they come.")] = Among.both,
    runs_dir: RunsDir = None,
    as_json: Json = False,
) -> None:
    """List the nearest users and items by cosine in the original space, where no map has moved them.

    Examples:

    * `rednd neighbours --run shop-lightgcn --item 17`
    * `rednd neighbours --run shop-lightgcn --user 17 --layer 0 --among items --json`
    """
    if (item is None) == (user is None):
        raise ConfigError(
            expected="--item or --user",
            found="neither" if item is None else "both",
            remedy="give the original id of one of them",
        )
    kind: Literal["user", "item"] = "item" if user is None else "user"
    of = str(item if user is None else user)
    loaded = LoadedRun(open_store(runs_dir).open(run))
    chosen = loaded.layer(layer, modality)
    found = loaded.neighbours(
        kind, of, k, layer=chosen.number, modality=chosen.modality, among=among.value
    )
    rows = found.to_dict("records")
    if as_json:
        print_json({"run": run, "kind": kind, "id": of, "layer": chosen.number,
                    "modality": chosen.modality, "neighbours": rows})  # fmt: skip
        return
    show_table(
        f"Run {run}, {chosen.modality}, layer {chosen.number}: nearest to {kind} {of}",
        ["rank", "kind", "id", "title", "cosine"],
        [[row["rank"], row["kind"], row["id"], row["title"], f"{row['cosine']:.4f}"]
         for row in rows],
    )  # fmt: skip
