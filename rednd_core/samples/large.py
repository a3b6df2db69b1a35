"""A large graph as a data folder: Parquet interactions, features in blocks, what was planted.

Memory does not grow with the interactions beyond one block: what is held is a few numbers a user and
an item. Blocks draw from generators of their own, so the same arguments give the same bytes (with the
versions of requirements.txt).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from rednd_core.data.features import MODALITY_WANTED, is_modality, require_distinct
from rednd_core.data.layouts.binary import MAX_ROWS
from rednd_core.errors import ConfigError
from rednd_core.samples import communities
from rednd_core.samples.communities import Plan, draw_blocks, plan_graph
from rednd_core.samples.writer import MARKER, check_target, staged

FORMAT = "rednd-graph 1"
DEFAULT_MODALITIES = {"image": 64, "text": 64}
NOISE = 1.0  # standard deviation around the centre of the community, whose own is 1
MAX_DIM = 4096
MOST_NODES = 10_000_000  # of users, and of items: every one has a row of features and of embeddings

_BLOCK_ROWS = 65_536
_SCHEMA = pa.schema([("userID", pa.int32()), ("itemID", pa.int32()), ("x_label", pa.int8())])


@dataclass(frozen=True)
class GraphSummary:
    """What :func:`make_graph` wrote; ``digest`` is BLAKE2b over the names and contents of its files."""

    path: Path
    n_users: int
    n_items: int
    n_interactions: int
    n_bytes: int
    digest: str


def make_graph(
    out_dir: str | Path,
    *,
    n_users: int,
    n_items: int,
    n_interactions: int,
    n_communities: int = 64,
    modalities: Mapping[str, int] | None = None,
    float16: bool = False,
    seed: int = 7,
) -> GraphSummary:
    """Write a power-law graph with communities to the new folder ``out_dir``, whole or not at all.

    Args:
        n_communities: planted groups of users and items; their centres are in the features.
        modalities: name -> dimensions; None is image and text of 64 each.
        float16: features of half the bytes.

    Raises:
        ConfigError: sizes out of range or at odds with each other.
        DataError: ``out_dir`` exists or cannot be written.
    """
    path = Path(out_dir).expanduser().resolve()
    check_target(path, overwrite=False)
    dims = dict(DEFAULT_MODALITIES if modalities is None else modalities)
    _require_sizes(n_users, n_items, n_interactions, n_communities, seed)
    _require_modalities(dims)
    plan = plan_graph(
        n_users=n_users,
        n_items=n_items,
        n_interactions=n_interactions,
        n_communities=n_communities,
        seed=seed,
    )
    with staged(path) as folder:
        _write_interactions(folder / "interactions.parquet", plan)
        for number, name in enumerate(sorted(dims)):
            _write_features(folder / f"{name}_feat.npy", plan, number, dims[name], float16)
        np.save(folder / "user_community.npy", plan.user_community.astype(np.int32))
        np.save(folder / "item_community.npy", plan.item_community.astype(np.int32))
        (folder / MARKER).write_text(json.dumps(_truth(plan, dims, float16), indent=1) + "\n")
        n_bytes, digest = _folder_digest(folder)
    return GraphSummary(path, n_users, n_items, n_interactions, n_bytes, digest)


def parse_modalities(text: str) -> dict[str, int]:
    """``"image:64,text:64"`` as names and dimensions; an empty text is no modality.

    Raises:
        ConfigError: another form, or a name twice.
    """
    found: dict[str, int] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, colon, dim = part.partition(":")
        if not colon or not (dim.isascii() and dim.isdecimal()) or name in found:
            raise ConfigError(
                expected="modalities as name:dimensions, each name once, e.g. image:64,text:64",
                found=repr(part),
                remedy="correct that part",
            )
        found[name] = int(dim[:9])
    return found


def _require_sizes(
    n_users: int, n_items: int, n_interactions: int, n_communities: int, seed: int
) -> None:
    for what, n, least, most in (
        ("users", n_users, 1, MOST_NODES - 1),
        ("items", n_items, 10, MOST_NODES - 1),
        ("interactions", n_interactions, 1, MAX_ROWS),
        ("communities", n_communities, 1, n_items),
        ("as the seed", seed, 0, 2**32 - 1),
    ):
        if not least <= n <= most:
            raise ConfigError(
                expected=f"between {least:,} and {most:,} {what}",
                found=f"{n:,}",
                remedy="choose a number in that range",
            )


def _require_modalities(dims: Mapping[str, int]) -> None:
    require_distinct(list(dims))
    for name, dim in dims.items():
        if not is_modality(name) or not 1 <= dim <= MAX_DIM:
            raise ConfigError(
                expected=f"modalities of 1 to {MAX_DIM:,} dimensions whose name is {MODALITY_WANTED}",
                found=f"{name}:{dim}",
                remedy="correct that modality",
            )


def _write_interactions(file: Path, plan: Plan) -> None:
    """One row group a block; users and labels repeat, so they are kept as a dictionary."""
    with pq.ParquetWriter(
        file, _SCHEMA, compression="zstd", use_dictionary=["userID", "x_label"]
    ) as writer:
        for block in draw_blocks(plan):
            columns = [block.users, block.items, block.labels]
            writer.write_table(
                pa.Table.from_arrays([pa.array(c) for c in columns], schema=_SCHEMA),
                row_group_size=len(block.users),
            )


def _write_features(file: Path, plan: Plan, number: int, dim: int, float16: bool) -> None:
    """Centre of the item's community plus noise, both standard normal, (n_items, dim)."""
    rng = np.random.default_rng([plan.seed, 0, number])
    centres = rng.standard_normal((len(plan.edges) - 1, dim), dtype=np.float32)
    dtype = np.float16 if float16 else np.float32
    rows = np.lib.format.open_memmap(file, "w+", dtype=dtype, shape=(plan.n_items, dim))
    for start in range(0, plan.n_items, _BLOCK_ROWS):
        community = plan.item_community[start : start + _BLOCK_ROWS]
        noise = rng.standard_normal((len(community), dim), dtype=np.float32)
        rows[start : start + len(community)] = centres[community] + np.float32(NOISE) * noise
    rows.flush()


def _truth(plan: Plan, dims: Mapping[str, int], float16: bool) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "seed": plan.seed,
        "n_users": len(plan.degrees),
        "n_items": plan.n_items,
        "n_interactions": int(plan.degrees.sum()),
        "n_communities": len(plan.edges) - 1,
        "modalities": dict(dims),
        "float16": float16,
        "settings": {
            "activity_exponent": communities.ACTIVITY_EXPONENT,
            "popularity_exponent": communities.POPULARITY_EXPONENT,
            "popularity_offset": communities.POPULARITY_OFFSET,
            "affinity": communities.AFFINITY,
            "held_out": communities.HELD_OUT,
            "feature_noise": NOISE,
        },
    }


def _folder_digest(folder: Path) -> tuple[int, str]:
    """Bytes in all files, and one digest over sorted names, sizes and contents."""
    digest, n_bytes = hashlib.blake2b(digest_size=16), 0
    for file in sorted(folder.iterdir()):
        size = file.stat().st_size
        n_bytes += size
        digest.update(f"{file.name}\0{size}\0".encode())
        with file.open("rb") as content:
            while piece := content.read(1 << 22):
                digest.update(piece)
    return n_bytes, digest.hexdigest()
