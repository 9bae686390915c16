"""Maps: vectors of many dimensions drawn in two."""

from importlib.util import find_spec

import numpy as np
from numpy.typing import NDArray
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE

Vectors = NDArray[np.float64]
MOST_POINTS = {"pca": 5_000, "tsne": 3_000, "umap": 5_000}
_NAMES = {"pca": "PCA", "tsne": "t-SNE", "umap": "UMAP"}


def available() -> dict[str, str]:
    """Return the maps that can be drawn here and their names; UMAP only where the package umap-learn is installed."""
    return {key: name for key, name in _NAMES.items() if key != "umap" or find_spec("umap")}


def map_rows(n_texts: int, method: str, *, seed: int = 0) -> NDArray[np.intp]:
    """Return the positions that are drawn, ascending: all, or a sample of at most ``MOST_POINTS``."""
    most = MOST_POINTS[method]
    if n_texts <= most:
        return np.arange(n_texts)
    return np.sort(np.random.default_rng(seed).choice(n_texts, most, replace=False))


def project(vectors: Vectors, method: str, *, seed: int = 0) -> Vectors:
    """Return where each text stands on the map, shape ``(n_texts, 2)``; zeros where there is nothing to tell apart.

    Only who is near whom means something on a t-SNE or UMAP map: neither distances between groups nor their sizes do.

    Parameters
    ----------
    vectors : ndarray of shape (n_texts, n_dimensions)
    method : str
        One of ``available()``.
    seed : int, default=0

    References
    ----------
    van der Maaten, Hinton, "Visualizing data using t-SNE", JMLR 9, 2008. McInnes, Healy, Melville, "UMAP",
    arXiv:1802.03426, 2018.
    """
    if method not in available():
        raise ValueError(f"{method!r} is none of {', '.join(available())}")
    n_texts = len(vectors)
    if n_texts < 2 or not np.ptp(vectors, axis=0).any():
        return np.zeros((n_texts, 2))
    if method == "tsne" and n_texts > 3:
        perplexity = min(30.0, (n_texts - 1) / 3)
        model = TSNE(2, perplexity=perplexity, init="pca", random_state=seed)
        return np.asarray(model.fit_transform(vectors), dtype=np.float64)
    if method == "umap" and n_texts > 3:
        from umap import UMAP  # type: ignore[import-not-found,unused-ignore]

        neighbours = min(15, n_texts - 1)
        return np.asarray(UMAP(n_neighbors=neighbours, random_state=seed).fit_transform(vectors), dtype=np.float64)
    found = PCA(min(2, *vectors.shape), random_state=seed).fit_transform(vectors)
    return np.pad(np.asarray(found, dtype=np.float64), ((0, 0), (0, 2 - found.shape[1])))
