"""Features made from texts: alike where the texts are, zeros where there are none, made once."""

from __future__ import annotations

import numpy as np
import pytest

from rednd_core.data import load_dataset, text_features
from rednd_core.errors import DataError

TITLES = [
    "Red enamel mug",
    "Blue enamel mug",
    "Trail running shoe",
    "Trail running sock",
    "",
    "Mug tree",
]


@pytest.fixture
def titled(write, monkeypatch, tmp_path):
    monkeypatch.setenv("REDND_CACHE", str(tmp_path / "cache"))
    rows = [f"u{u},i{(u + k) % 6}" for u in range(8) for k in range(4)]
    file = write("interactions.csv", "userID,itemID\n" + "\n".join(rows) + "\n")
    lines = [f"i{k},{title},{'Kitchen' if 'ug' in title else ''}" for k, title in enumerate(TITLES)]
    write("items.csv", "itemID,title,category\n" + "\n".join(lines) + "\n")
    return file.parent


def test_like_titles_have_like_features(titled):
    dataset = load_dataset(titled, text_features="tfidf")
    values = dataset.features["text"]
    assert (values.shape[0], values.dtype) == (6, np.float32)
    cosines = values @ values.T
    assert cosines[0, 1] > cosines[0, 2] + 0.3
    assert cosines[2, 3] > cosines[2, 0] + 0.3
    assert not values[4].any()
    assert np.allclose(np.diag(cosines)[[0, 1, 2, 3, 5]], 1, atol=1e-5)
    (notice,) = [n for n in dataset.notices if n.code == "made_features"]
    assert "were made from titles, categories and descriptions by TF-IDF" in notice.message
    assert "1 item without any" in notice.message


def test_without_being_asked_nothing_is_made(titled):
    assert load_dataset(titled).features == {}
    assert load_dataset(titled).digest != load_dataset(titled, text_features="tfidf").digest


def test_made_once_and_kept_by_content(titled, monkeypatch, tmp_path):
    first = load_dataset(titled, text_features="tfidf")
    assert len(list((tmp_path / "cache").glob("*.npz"))) == 1
    from sklearn.decomposition import TruncatedSVD

    monkeypatch.setattr(TruncatedSVD, "fit_transform", lambda *_: pytest.fail("made again"))
    assert load_dataset(titled, text_features="tfidf").digest == first.digest
    items = titled / "items.csv"
    items.write_text(items.read_text().replace("Mug tree", "Cup tree"))
    with pytest.raises(pytest.fail.Exception):
        load_dataset(titled, text_features="tfidf")


def test_what_cannot_be_made_is_said(titled, tmp_path):
    with pytest.raises(DataError, match="or the folder of a sentence-transformers model"):
        load_dataset(titled, text_features=str(tmp_path / "no-model"))
    np.save(titled / "text_feat.npy", np.ones((6, 2), dtype=np.float32))
    with pytest.raises(DataError, match="no features named text beside"):
        load_dataset(titled, text_features="tfidf")
    (titled / "text_feat.npy").unlink()
    (titled / "items.csv").unlink()
    with pytest.raises(DataError, match="add an items table with a column 'title'"):
        load_dataset(titled, text_features="tfidf")


def test_a_model_of_sentences_is_read_from_its_folder_only(titled, tmp_path, monkeypatch):
    import sys
    import types

    seen = {}

    class SentenceTransformer:
        def __init__(self, place, **options):
            seen.update(place=place, **options)

        def encode(self, texts, normalize_embeddings):
            return np.array([[len(text), 1.0] for text in texts])

    package = types.ModuleType("sentence_transformers")
    package.SentenceTransformer = SentenceTransformer
    monkeypatch.setitem(sys.modules, "sentence_transformers", package)
    monkeypatch.setattr(text_features, "library_versions", lambda *_: {})
    folder = tmp_path / "mini"
    folder.mkdir()
    (folder / "modules.json").write_text("[]")
    values = load_dataset(titled, text_features=str(folder)).features["text"]
    assert values[0].tolist() == [len("Red enamel mug Kitchen"), 1]
    assert values[4].tolist() == [0, 0]
    assert (seen["local_files_only"], seen["trust_remote_code"]) == (True, False)
