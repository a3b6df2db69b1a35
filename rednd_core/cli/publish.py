"""``rednd publish``: the Depth stage of one or two runs, and lessons, as one file for students."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rednd_core.cli.options import RunsDir, open_store
from rednd_core.cli.speech import tell
from rednd_core.errors import ConfigError, RunError
from rednd_core.library import load_run_data
from rednd_core.writable import require_output

if TYPE_CHECKING:
    from rednd_core.runs import Run
    from rednd_core.stage.page import Part

MOST_RUNS = 2
MOST_BYTES = 6_000_000


def publish(
    *,
    run: Annotated[
        list[str] | None, typer.Option(help="One run, or two: give the option twice.")
    ] = None,
    lesson: Annotated[
        list[int] | None, typer.Option(help="A lesson of the page Learn; several: give it again.")
    ] = None,
    world: Annotated[
        str, typer.Option(help="The sample data that the lessons use: shop or music.")
    ] = "shop",
    out: Annotated[Path, typer.Option(help="HTML file to write.")],
    title: Annotated[str, typer.Option(help="Heading of the page.")] = "See over-smoothing happen",
    readout: Annotated[
        bool,
        typer.Option("--readout", help="Show the mean of the layers so far instead of each layer."),
    ] = False,
    umap: Annotated[
        bool, typer.Option(help="Also draw UMAP, which takes a minute or more.")
    ] = True,
    runs_dir: RunsDir = None,
) -> None:
    """Write the page Depth, lessons, or both as one HTML file that opens without an app and a network.

    Examples:

    * `rednd publish --run shop-rednnd-a0 --run shop-rednnd-a0.1 --out depth.html`
    * `rednd publish --lesson 3 --lesson 6 --run shop-lightgcn --out lesson.html`
    """
    from rednd_core.atomic import write_bytes
    from rednd_core.stage.page import offline_page

    names, numbers = run or [], lesson or []
    if not names and not numbers:
        raise ConfigError(
            expected=f"one or {MOST_RUNS} runs, or a lesson",
            found="neither",
            remedy="give --run once or twice, or --lesson with its number",
        )
    if len(names) > MOST_RUNS or out.suffix.lower() != ".html":
        raise ConfigError(
            expected=f"one or {MOST_RUNS} runs and an output file ending in .html",
            found=f"{len(names)} runs and {out.name}",
            remedy="give --run once or twice, and a name such as lesson.html",
        )
    require_output(out)
    shown = [_lessons(numbers, world)] if numbers else []
    if names:
        shown.append(_stage([open_store(runs_dir).open(name) for name in names], readout, umap))
    about = " ".join(words for words, _ in shown)
    page = offline_page(title, about, [part for _, part in shown]).encode()
    if len(page) > MOST_BYTES:
        raise ConfigError(
            expected=f"a file of at most {MOST_BYTES / 1e6:.0f} MB",
            found=f"{len(page) / 1e6:.1f} MB",
            remedy="publish one run alone, or the lessons and the runs as two files",
        )
    write_bytes(out, page)
    tell(f"Wrote {out}: {len(page) / 1e6:.1f} MB, opens without a network.")


def _lessons(numbers: list[int], world: str) -> tuple[str, Part]:
    """What the lessons are about, and the lessons."""
    from rednd_core.lessons.page import about_world, lessons_part
    from rednd_core.lessons.world import World

    loaded = World.load(world)
    return about_world(loaded), lessons_part(numbers, loaded)


def _stage(opened: list[Run], readout: bool, umap: bool) -> tuple[str, Part]:
    """Which runs and data these are, and their Depth stage."""
    from rednd_core.data.node_names import NodeNames
    from rednd_core.data.users import user_table
    from rednd_core.graph.bipartite import bipartite_graph
    from rednd_core.projection import default_map_cache
    from rednd_core.stage.contents import Cast
    from rednd_core.stage.of_run import depth_axis, named_payload, stage_maps, stage_of_run
    from rednd_core.stage.page import stage_part
    from rednd_core.stage.world import World

    opened[0].record.require_interactions("layers of any depth")
    dataset = load_run_data(opened[0])
    for other in opened[1:]:
        if load_run_data(other).pairs_digest != dataset.pairs_digest:
            raise RunError(
                expected=f"two runs on the same data and split as {opened[0].name}",
                found=f"{other.name}, which has others",
                remedy="choose two runs that were trained on the same data set",
            )
    graph = bipartite_graph(dataset.train, dataset.n_users, dataset.n_items)
    cast = Cast.of(dataset, graph)
    shown = []
    for one in opened:
        found = stage_of_run(
            one,
            _title(one),
            one.layers(),
            "readout" if readout else "layer",
            cast=cast,
            dataset=dataset,
            graph=graph,
        )
        shown.append(
            (found, stage_maps(found, cast, dataset, default_map_cache(), compute_umap=umap))
        )
    names = NodeNames.of(dataset, user_table(dataset))
    runs = [found for found, _ in shown]
    about = (
        f"{' and '.join(found.title for found in runs)} on {dataset.name}: "
        f"{dataset.n_users:,} users, {dataset.n_items:,} items."
    )
    payload = named_payload(shown, cast, depth_axis(runs), World.whole(dataset, graph), names)
    return about, stage_part(payload, runs, int(runs[0].beyond_from))


def _title(run: Run) -> str:
    """``RedNⁿD, alignment 0.1``, as the app calls a run."""
    from rednd_core.modeling.registry import model_title
    from rednd_core.runs import alignment_weight

    weight = alignment_weight(run)
    name = model_title(run.config.model)
    return name if weight is None else f"{name}, alignment {weight}"
