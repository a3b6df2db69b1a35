"""``rednd data``: check or convert a data set, make the sample shop or a large graph."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from rednd_core.cli.data_options import DataOptions, with_data_options
from rednd_core.cli.options import (
    Json,
    print_json,
    show_table,
)
from rednd_core.cli.speech import tell
from rednd_core.errors import ConfigError, unknown_name

HELP = """Check or convert a data set, make the sample shop or a large graph.

Examples:

* `rednd data check sample_data/shop`
* `rednd data make-sample /tmp/shop`
* `rednd data make-sample music /tmp/music`
"""

data_app = typer.Typer(help=HELP, no_args_is_help=True)


@data_app.command()
@with_data_options
def check(
    path: Annotated[Path, typer.Argument(help="Data folder or interaction file.")],
    reading: DataOptions = DataOptions(),
    as_json: Json = False,
) -> None:
    """Read a data set as training would and report every problem; exit code 1 if it is unusable.

    Examples:

    * `rednd data check sample_data/shop`
    * `rednd data check reviews.csv --column user=reviewer --column item=product --split random`
    """
    from rednd_core.data import check_configured

    report = check_configured(reading.config(str(path)))
    if as_json:
        print_json(report.to_dict())
    else:
        for error in report.errors:
            tell(f"error   {error}")
        if report.recognised:
            tell(f"read as  {report.recognised}")
        for notice in report.notices:
            tell(f"notice  {notice.message}")
        if report.left_out:
            tell(f"left out  {', '.join(report.left_out)}")
        if report.preview:
            show_table(
                "first rows", list(report.preview[0]), [row.values() for row in report.preview]
            )
        if report.interactions is not None or report.features:
            show_table(str(path), ["figure", "value"], _figures(report.to_dict()))
        tell("usable" if report.ok else "not usable")
    if not report.ok:
        raise typer.Exit(1)


@data_app.command()
@with_data_options
def convert(
    source: Annotated[Path, typer.Argument(help="Folder, table or archive of a data set.")],
    dest: Annotated[Path, typer.Argument(help="New folder.")],
    reading: DataOptions = DataOptions(),
) -> None:
    """Write any readable data set as the canonical folder: tables with headers and features by item.

    Examples:

    * `rednd data convert ml-latest-small.zip ml --threshold 4 --min-interactions 5 --split global_time`
    * `rednd data convert reviews.csv.gz reviews --column user=who --column item=what`
    """
    from rednd_core.data.convert import convert as write_canonical
    from rednd_core.samples.writer import staged

    if dest.exists() and (not dest.is_dir() or any(dest.iterdir())):
        raise ConfigError(
            expected="a new folder", found=f"{dest}, which is there", remedy="name another"
        )
    with staged(dest) as folder:
        dataset = write_canonical(reading.config(str(source)), folder)
    tell(f"read as  {dataset.recognised}")
    for notice in dataset.notices:
        tell(f"notice  {notice.message}")
    tell(
        f"{dest}: {dataset.n_users:,} users, {dataset.n_items:,} items, {len(dataset.train):,} train, "
        f"{len(dataset.valid):,} validation and {len(dataset.test):,} test pairs"
    )


@data_app.command("make-sample")
def make_sample(
    what: Annotated[
        str, typer.Argument(help="shop or music; a folder alone means a shop there.")
    ] = "shop",
    out: Annotated[
        Path | None, typer.Argument(help="New folder; sample_data/shop or /music without it.")
    ] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Another seed, another sample.")] = None,
    n_users: Annotated[
        int | None, typer.Option("--users", min=50, help="Number of users: 1000, in music 480.")
    ] = None,
    n_items: Annotated[
        int | None, typer.Option("--items", min=24, help="Number of items: 600, in music 300.")
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace an existing sample.")
    ] = False,
) -> None:
    """Make a sample with planted tastes and readable names; the same seed gives the same bytes.

    The shop has pictures that partly mislead, music has texts that do.

    Examples:

    * `rednd data make-sample /tmp/shop --seed 3`
    * `rednd data make-sample music /tmp/music`
    """
    from rednd_core import samples

    makers: dict[str, Callable[..., Any]] = {"shop": samples.make_shop, "music": samples.make_music}
    if what not in makers and out is not None:
        raise unknown_name("sample", what, makers)
    folder = out or (Path("sample_data") / what if what in makers else Path(what))
    sizes = {"seed": seed, "n_users": n_users, "n_items": n_items}
    made = makers.get(what, samples.make_shop)(
        folder,
        overwrite=overwrite,
        **{name: value for name, value in sizes.items() if value is not None},
    )
    tell(
        f"{made.path}: {made.n_users} users, {made.n_items} items, {made.n_interactions} "
        f"interactions, {made.n_bytes / 1e6:.1f} MB, digest {made.digest[:12]}"
    )


@data_app.command("make-graph")
def make_graph(
    out: Annotated[Path, typer.Option(help="New folder.")],
    n_users: Annotated[int, typer.Option("--users", help="Number of users.")] = 100_000,
    n_items: Annotated[int, typer.Option("--items", help="Number of items.")] = 30_000,
    n_interactions: Annotated[
        int, typer.Option("--interactions", help="Number of interactions.")
    ] = 5_000_000,
    modalities: Annotated[
        str, typer.Option(help="Features as name:dimensions, ...; empty for none.")
    ] = "image:64,text:64",
    n_communities: Annotated[
        int, typer.Option("--communities", help="Planted groups of users and items.")
    ] = 64,
    float16: Annotated[bool, typer.Option("--float16", help="Features of half the bytes.")] = False,
    seed: Annotated[int, typer.Option(help="Another seed, another graph.")] = 7,
) -> None:
    """Make a large power-law graph with planted communities, as Parquet, split and with features.

    The same arguments give the same bytes.

    Example: `rednd data make-graph --users 1000000 --items 300000 --interactions 50000000 --out big`
    """
    from rednd_core.samples import make_graph as write_graph
    from rednd_core.samples import parse_modalities

    made = write_graph(
        out,
        n_users=n_users,
        n_items=n_items,
        n_interactions=n_interactions,
        n_communities=n_communities,
        modalities=parse_modalities(modalities),
        float16=float16,
        seed=seed,
    )
    tell(
        f"{made.path}: {made.n_users:,} users, {made.n_items:,} items, {made.n_interactions:,} "
        f"interactions, {made.n_bytes / 1e6:.1f} MB, digest {made.digest[:12]}"
    )


_SAID_ELSEWHERE = ("errors", "notices", "path", "ok", "recognised", "preview", "left_out")


def _figures(value: object, group: str = "") -> list[tuple[str, str]]:
    """Nested figures as (dotted name, value); sentences are printed elsewhere."""
    if isinstance(value, dict):
        rows: list[tuple[str, str]] = []
        for name, entry in value.items():
            if not group and name in _SAID_ELSEWHERE:
                continue
            rows += _figures(entry, f"{group}.{name}" if group else str(name))
        return rows
    if isinstance(value, list | tuple):
        named = [entry for entry in value if isinstance(entry, dict)]
        if named:  # the modalities
            return [row for entry in named for row in _figures(_unnamed(entry), _of(group, entry))]
        return [(group, ", ".join(map(str, value)))] if value else []
    if value is None:
        return []
    return [(group, f"{value:.4g}" if isinstance(value, float) else str(value))]


def _of(group: str, modality: dict[str, object]) -> str:
    return f"{group}.{modality['modality']}"


def _unnamed(modality: dict[str, object]) -> dict[str, object]:
    return {name: entry for name, entry in modality.items() if name != "modality"}
