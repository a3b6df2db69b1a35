"""Features from what is written about items, for data that come without any.

TF-IDF weights of words and word pairs, reduced by a truncated singular value decomposition; or the vectors
of a sentence-transformers model in a local folder. Either is made once for the same texts and kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from rednd_core.cache import content_key, kept_arrays, library_versions
from rednd_core.data.features import FeatureTable
from rednd_core.data.schema import FloatArray, Notice
from rednd_core.data.tables import counted
from rednd_core.errors import DataError

MODALITY = "text"
TFIDF = "tfidf"
MAX_DIMENSIONS = 128
MAX_WORDS = 50_000
_COLUMNS = ("title", "category", "categories", "genres", "description")


def has_texts(items: pd.DataFrame) -> bool:
    """Whether anything but its id is known of an item, so that features can be made."""
    return any(texts_of(items))


def texts_of(items: pd.DataFrame) -> list[str]:
    """Title, categories and description of every item, (n_items,); empty where there are none."""
    columns = [items[name] for name in _COLUMNS if name in items]
    if columns and "title" in items:  # an item without a title is called by its id
        columns[0] = columns[0].where(columns[0] != items["item_id"], "")
    rows = zip(*(column.tolist() for column in columns), strict=True)
    return [" ".join(dict.fromkeys(cell for cell in row if cell)) for row in rows]


def make_text_features(
    items: pd.DataFrame, how: str, existing: Sequence[FeatureTable] = ()
) -> FeatureTable:
    """The modality ``text`` for items in dense order; items without a text have zeros.

    Args:
        items: as :func:`rednd_core.data.items.align_items` gives them.
        how: ``"tfidf"``, or the folder of a sentence-transformers model.

    Raises:
        DataError: no texts, a modality of that name from a file, or a model that cannot be used.
    """
    if any(table.modality.lower() == MODALITY for table in existing):
        raise DataError(
            expected=f"no features named {MODALITY} beside those to be made of texts",
            found=f"{MODALITY}_feat.npy",
            remedy="leave the made features out, or rename the file",
        )
    texts = texts_of(items)
    filled = np.asarray([bool(text) for text in texts], dtype=bool)
    if np.count_nonzero(filled) < 2:
        raise DataError(
            expected="titles, categories or descriptions of items to make text features from",
            found="none" if not filled.any() else "one item with any",
            remedy="add an items table with a column 'title', or choose a model that needs no features",
        )
    described = [text for text in texts if text]
    made = _tfidf(described) if how == TFIDF else _sentences(described, how)
    values = np.zeros((len(texts), made.shape[1]), dtype=np.float32)
    values[filled] = made
    n_zero = int(np.count_nonzero(~values.any(axis=1)))
    way = "TF-IDF and truncated SVD" if how == TFIDF else f"the model {Path(how).name}"
    message = (
        f"The features {MODALITY!r}, {values.shape[1]} numbers an item, were made from titles, categories "
        f"and descriptions by {way}; {counted(n_zero, 'item')} without any have zeros."
    )
    return FeatureTable(
        MODALITY, values, "float32", n_zero, notices=(Notice("made_features", len(texts), message),)
    )


def _tfidf(texts: Sequence[str]) -> FloatArray:
    """TF-IDF of words and word pairs and its leading singular directions, (n, at most 128), unit rows."""
    versions = library_versions("scikit-learn")
    key = content_key("text-tfidf", [], {"texts": list(texts)}, versions)
    cache = kept_arrays()
    if (kept := cache.get(key)) is not None and len(kept["values"]) == len(texts):
        return kept["values"]
    from sklearn.decomposition import TruncatedSVD
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.preprocessing import normalize

    vectorizer = TfidfVectorizer(
        sublinear_tf=True,
        ngram_range=(1, 2),
        max_features=MAX_WORDS,
        token_pattern=r"(?u)\b\w+\b",  # noqa: S106 - a pattern of words
        dtype=np.float32,
    )
    try:
        weights = vectorizer.fit_transform(texts)
    except ValueError:  # nothing but signs
        raise DataError(
            expected="words in the titles, categories or descriptions of items",
            found="none",
            remedy="choose a model that needs no features",
        ) from None
    n_dimensions = min(MAX_DIMENSIONS, *(side - 1 for side in weights.shape))
    if n_dimensions < 1:
        values = weights.toarray()
    else:
        values = TruncatedSVD(n_dimensions, random_state=0).fit_transform(weights)
    values = np.ascontiguousarray(normalize(values), dtype=np.float32)
    cache.put(key, {"values": values})
    return values


def _sentences(texts: Sequence[str], folder: str) -> FloatArray:
    """Vectors of a sentence-transformers model, (n, its width); nothing is fetched from elsewhere.

    Raises:
        DataError: no such folder, the package is not installed, or it cannot read the model.
    """
    place = Path(folder).expanduser()
    if not (place / "modules.json").is_file():
        raise DataError(
            expected=f"{TFIDF!r} or the folder of a sentence-transformers model (with modules.json)",
            found=folder,
            remedy="download a model into a folder and name that",
        )
    try:
        from sentence_transformers import SentenceTransformer
    except ImportError:
        raise DataError(
            expected="the package sentence-transformers",
            found="an installation without it",
            remedy="install it with pip install 'rednd[text]'",
        ) from None
    stamp = [[p.name, p.stat().st_size, p.stat().st_mtime_ns] for p in sorted(place.iterdir())]
    versions = library_versions("sentence-transformers")
    key = content_key("text-sentences", [], {"texts": list(texts), "model": stamp}, versions)
    cache = kept_arrays()
    if (kept := cache.get(key)) is not None and len(kept["values"]) == len(texts):
        return kept["values"]
    try:
        model = SentenceTransformer(
            str(place), local_files_only=True, trust_remote_code=False, device="cpu"
        )
        values = np.asarray(model.encode(list(texts), normalize_embeddings=True), dtype=np.float32)
    except Exception as error:  # foreign files raise whatever they provoke
        raise DataError(
            expected=f"a sentence-transformers model in {place.name}",
            found=" ".join(str(error).split())[:120],
            remedy="fetch it again, or use 'tfidf'",
        ) from None
    cache.put(key, {"values": values})
    return values
