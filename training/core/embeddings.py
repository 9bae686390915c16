"""Vectors of texts by three methods: Doc2Vec, fastText and TF-IDF.

Each is fitted on examples and gives their vectors and those of other texts. Doc2Vec and TF-IDF read the words alone;
fastText learns from the genres too, so it must be measured on texts that it has not learned from.
"""

import logging
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.preprocessing import normalize

from classifier.core.errors import CorpusError, TrainingError
from classifier.core.text import content_words, joined_pairs
from training.core.books import Example
from training.core.fit import fit
from training.core.progress import OnStep, silent
from training.core.vectors import teach

Vectors = NDArray[np.float32]

SVD_DIM = 200
# Le and Mikolov, "Distributed representations of sentences and documents", ICML 2014: the bag-of-words form (dm=0),
# without word vectors beside it, which did no better (docs/experiments.md) and take longer to train.
DOC2VEC: dict[str, Any] = {
    "dm": 0,
    "dbow_words": 0,
    "vector_size": 100,
    "epochs": 20,
    "min_count": 2,
    "negative": 5,
    "sample": 1e-4,
    "alpha": 0.05,
}
_LAST_ALPHA = 0.0001


@dataclass(frozen=True)
class Embeddings:
    """Vectors of the texts a method was fitted on, and the way to those of others.

    ``vectors`` has shape ``(n_texts, dim)``; a row has length 1, or is zero when the method knows none of the text's
    words. ``embed_many`` returns rows of the same kind for a list of texts.
    """

    method: str
    vectors: Vectors
    embed_many: Callable[[Sequence[str]], Vectors]

    def embed(self, text: str) -> Vectors:
        """Return the vector of one text, shape ``(dim,)``."""
        row: Vectors = self.embed_many([text])[0]
        return row


def _unit(rows: Any) -> Vectors:
    return np.asarray(normalize(np.asarray(rows, dtype=np.float64)), dtype=np.float32)


def fit_tfidf(examples: Sequence[Example], *, seed: int = 0, on_step: OnStep = silent) -> Embeddings:
    """Weigh the content words by TF-IDF and reduce them to at most ``SVD_DIM`` dimensions (latent semantic analysis).

    Raises
    ------
    CorpusError
        When no text holds a content word.

    References
    ----------
    Deerwester et al., "Indexing by latent semantic analysis", JASIS 1990.
    """
    on_step("counting words", 0.0)
    texts = [example.text for example in examples]
    vectorizer = TfidfVectorizer(analyzer=content_words, sublinear_tf=True, min_df=2 if len(texts) > 2 else 1)
    try:
        weights = vectorizer.fit_transform(texts)
    except ValueError:
        try:
            # No word stands in two texts.
            weights = vectorizer.set_params(min_df=1).fit_transform(texts)
        except ValueError as error:
            raise CorpusError("No text holds a word to compare by. Choose a larger file.") from error
    dim = min(SVD_DIM, min(weights.shape) - 1)
    if dim < 1:
        return Embeddings("tfidf", _unit(weights.toarray()), lambda many: _unit(vectorizer.transform(many).toarray()))
    on_step("reducing their dimensions", 0.5)
    svd = TruncatedSVD(dim, random_state=seed)
    vectors = _unit(svd.fit_transform(weights))
    return Embeddings("tfidf", vectors, lambda many: _unit(svd.transform(vectorizer.transform(many))))


def fit_fasttext(examples: Sequence[Example], *, seed: int = 0, on_step: OnStep = silent) -> Embeddings:
    """Train fastText on ``examples`` as the product does, from a teacher of the same examples; average its word vectors.

    The shipped word vectors are not used: they may have learned from the texts that are asked about. The result does
    not depend on ``seed``.

    Raises
    ------
    CorpusError, TrainingError
        When there are fewer than two genres, or no word is frequent enough.
    """
    on_step("training its teacher", 0.0)
    taught = teach(examples)
    on_step("training", 0.5)
    engine = fit(examples, vectors=taught).engine
    on_step("vectors of the texts", 0.9)
    names = engine.words
    matrix = np.asarray(engine.get_input_matrix()[: len(names)], dtype=np.float32)
    position = {name: at for at, name in enumerate(names)}

    def embed_many(texts: Sequence[str]) -> Vectors:
        rows = np.zeros((len(texts), matrix.shape[1]), dtype=np.float32)
        for at, text in enumerate(texts):
            words = content_words(text)
            known = [position[word] for word in [*words, *joined_pairs(words)] if word in position]
            if known:
                rows[at] = matrix[known].mean(axis=0)
        return _unit(rows)

    return Embeddings("fasttext", embed_many([example.text for example in examples]), embed_many)


def _seed_of(text: str) -> int:
    """Hash a string: the same in every process, which Python's own hash is not."""
    return zlib.crc32(text.encode())


def _epochs_told(on_step: OnStep) -> Any:
    """Return what gensim calls before each epoch."""
    from gensim.models.callbacks import CallbackAny2Vec

    class Told(CallbackAny2Vec):  # type: ignore[misc]
        epoch = 0

        def on_epoch_begin(self, model: Any) -> None:
            on_step(f"training, epoch {self.epoch + 1} of {model.epochs}", self.epoch / model.epochs)
            self.epoch += 1

    return Told()


def fit_doc2vec(
    examples: Sequence[Example], *, seed: int = 0, on_step: OnStep = silent, **parameters: Any
) -> Embeddings:
    """Train gensim's Doc2Vec on the content words; ``parameters`` replace those of ``DOC2VEC``.

    One thread, and every text inferred from a start of its own hash: the same texts and seed give the same vectors.
    The texts it was trained on keep their trained vectors, which did better than inferring them again.

    Raises
    ------
    TrainingError
        When gensim is not installed.
    CorpusError
        When no word stands in two texts.
    """
    try:
        from gensim.models.doc2vec import Doc2Vec, TaggedDocument, train_document_dbow
    except ImportError as error:
        raise TrainingError(
            "Doc2Vec needs gensim. Run `pip install -r explore/requirements.txt`, or leave doc2vec out."
        ) from error
    # It tells of every step at INFO, which would bury the result.
    logging.getLogger("gensim").setLevel(logging.WARNING)
    settings = DOC2VEC | parameters
    lists = [content_words(example.text) for example in examples]
    documents = [TaggedDocument(words, [at]) for at, words in enumerate(lists)]
    model = Doc2Vec(workers=1, seed=seed, hashfxn=_seed_of, **settings)
    model.build_vocab(documents)
    if not len(model.wv):
        raise CorpusError("No word stands often enough in the texts for Doc2Vec. Choose a larger file.")
    told = [_epochs_told(on_step)]
    model.train(documents, total_examples=model.corpus_count, epochs=model.epochs, callbacks=told)

    def infer(words: list[str]) -> Vectors:
        # gensim's infer_vector starts from Python's own hash, which differs from process to process.
        start = np.random.default_rng([seed, _seed_of(" ".join(words))])
        vector = ((start.random((1, model.vector_size)) - 0.5) / model.vector_size).astype(np.float32)
        model.random.seed(seed)
        locks, work = np.ones(1, dtype=np.float32), np.zeros(model.layer1_size, dtype=np.float32)
        for alpha in np.linspace(settings["alpha"], _LAST_ALPHA, model.epochs):
            train_document_dbow(
                model,
                words,
                [0],
                float(alpha),
                work,
                learn_words=False,
                learn_hidden=False,
                doctag_vectors=vector,
                doctags_lockf=locks,
            )
        return np.asarray(vector[0]) if any(word in model.wv for word in words) else np.zeros_like(vector[0])

    def embed_many(texts: Sequence[str]) -> Vectors:
        return _unit([infer(content_words(text)) for text in texts])

    # A text without a known word keeps the random vector it started from, which means nothing.
    known = np.array([[any(word in model.wv for word in words)] for words in lists])
    return Embeddings("doc2vec", _unit(model.dv.vectors * known), embed_many)


METHODS: dict[str, Callable[..., Embeddings]] = {
    "doc2vec": fit_doc2vec,
    "fasttext": fit_fasttext,
    "tfidf": fit_tfidf,
}


def recipe_of(method: str) -> str:
    """Name all that the vectors of the same examples depend on: the method, its parameters, the packages it uses."""
    packages = {"gensim": "gensim", "sklearn": "scikit-learn", "fasttext": "fasttext-community", "numpy": "numpy"}
    versions = [version(package) for module, package in packages.items() if find_spec(module)]
    return repr((method, sorted(DOC2VEC.items()), SVD_DIM, versions))
