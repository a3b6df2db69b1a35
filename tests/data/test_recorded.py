"""Runs made before ids were labels: their layers are in the order of the file, and so are their data."""

from __future__ import annotations

import hashlib
import json

import numpy as np
import pytest

from rednd_core.config import DataConfig
from rednd_core.data import load_configured, load_recorded


def digest_of_before(user_ids, item_ids, parts, features=()):
    """The digest by its definition: ids as JSON, each part's size and columns, each modality."""
    digest = hashlib.blake2b(digest_size=16)
    for ids in (user_ids, item_ids):
        digest.update(json.dumps(list(ids)).encode())
    for part in parts:
        digest.update(f"|{len(part)}|".encode())
        for column in (0, 1):
            digest.update(np.array([pair[column] for pair in part], dtype="<i8").tobytes())
    for modality, values in features:
        digest.update(f"|{modality}{values.shape}|".encode() + values.astype("<f4").tobytes())
    return digest.hexdigest()


def test_a_csv_numbered_as_its_rows_appear(csv_shop):
    """Items in the order of the table (mug, tea, 007), users in that of the rows (ann, bob)."""
    eye = np.eye(3, dtype=np.float32)
    before = digest_of_before(
        ["ann", "bob"], ["mug", "tea", "007"],
        ([(0, 1), (0, 2), (1, 0)], [(0, 0), (1, 2)], [(1, 1)]), [("text", eye)],
    )  # fmt: skip
    config = DataConfig(path=str(csv_shop))
    now = load_configured(config)
    assert now.digest != before
    recorded = load_recorded(config, before)
    assert recorded.digest == before
    assert recorded.item_ids.tolist() == ["mug", "tea", "007"]
    assert recorded.items["title"].tolist() == ["Mug & saucer", "tea", "Bond"]
    assert recorded.features["text"].tolist() == eye.tolist()
    assert (
        load_recorded(config, now.digest).digest == load_recorded(config, None).digest == now.digest
    )
    assert (
        load_recorded(config, "0" * 32).digest == now.digest
    )  # changed data: the run refuses them


@pytest.mark.parametrize("suffix", [".inter", ".parquet"])
def test_numbers_with_gaps_counted_as_rows(tmp_path, suffix):
    import pandas as pd

    frame = pd.DataFrame({"userID": [1, 1, 3], "itemID": [2, 4, 2], "x_label": [0, 1, 0]})
    file = tmp_path / f"gaps{suffix}"
    frame.to_parquet(file) if suffix == ".parquet" else frame.to_csv(file, sep="\t", index=False)
    before = digest_of_before("0123", "01234", ([(1, 2), (3, 2)], [(1, 4)], []))
    config = DataConfig(path=str(file))
    assert load_configured(config).n_items == 2
    recorded = load_recorded(config, before)
    assert (recorded.digest, recorded.n_users, recorded.n_items) == (before, 4, 5)


def test_ids_without_gaps_have_the_digest_of_before(mmrec):
    features = [(name, np.load(mmrec / f"{name}_feat.npy")) for name in ("image", "text")]
    parts = ([(0, 0), (1, 1), (2, 0), (2, 1)], [(0, 1)], [(1, 0)])
    before = digest_of_before("012", "0123", parts, features)
    assert load_configured(DataConfig(path=str(mmrec))).digest == before


def test_modalities_added_later_are_left_out(mmrec):
    """What a run has read of the features is found by its digest, whatever lies beside it since."""
    config = DataConfig(path=str(mmrec))
    before = load_configured(config)
    names = set(before.features)
    assert names
    for name in ("added", "zoom"):
        np.save(mmrec / f"{name}_feat.npy", np.ones((before.n_items, 2), dtype=np.float32))
    assert load_configured(config).digest != before.digest
    recorded = load_recorded(config, before.digest)
    assert (set(recorded.features), recorded.digest) == (names, before.digest)
    changed = next(iter(names))
    np.save(mmrec / f"{changed}_feat.npy", np.ones_like(before.features[changed]) * 3)
    assert load_recorded(config, before.digest).digest != before.digest
