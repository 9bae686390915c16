"""Fit a model's calibration out of fold, and measure how well calibrated scores are."""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import log_softmax, logit
from sklearn.linear_model import LogisticRegression

from classifier.core.calibrate import SMALLEST, Calibration
from classifier.core.errors import CorpusError
from classifier.core.model import GenreModel, Prediction
from training.core.baselines import known_slugs, label_matrix, primary_columns
from training.core.books import Example
from training.core.fit import FEW_EXAMPLES, FitParameters, fit, recommended
from training.core.held import Held, Matrix, join
from training.core.split import stratified_folds, text_key
from training.core.vectors import MIN_DOCUMENTS, TEACHER_C, WordVectors, teach

# A few hundred examples lack each one that is left out; thousands do not.
N_FOLDS, N_FOLDS_FEW = 3, 5
# A genre of so many texts is believed half: its own curve and that of all genres together weigh the same.
HALF_BELIEVED = 100
# The genres the page shows at least; with all of them the first score was off by .06 in place of .03 on held-back texts.
N_FITTED = 3
# With fewer texts of a genre a threshold of its own would follow chance.
MIN_POSITIVES = 30
# Texts of a source whose scores are kept with word vectors: calibration needs no more.
N_TEXTS_ACROSS = 2000
# Under this many texts nothing is fitted.
MIN_TEXTS = 50


def out_of_fold(
    examples: Sequence[Example],
    parameters: FitParameters,
    *,
    vectors: WordVectors | None = None,
    background: Sequence[Example] = (),
    n_folds: int = 0,
    on_progress: Callable[[float], None] | None = None,
) -> Held | None:
    """Score the texts of a training side by models trained on parts of it, and on all of ``background``.

    Each text is scored by a model that never saw its book, and texts that the word vectors learned from
    are left out: their scores would look better than those of new texts. None when too few texts are left.
    ``n_folds`` of 0 means what suits the number of examples.
    """
    seen = vectors.seen if vectors else frozenset()
    fresh = np.array([text_key(example.text) not in seen for example in examples], dtype=bool)
    if fresh.sum() < MIN_TEXTS:
        return None
    slugs = known_slugs(examples, background)
    n_folds = n_folds or (N_FOLDS_FEW if len(examples) < FEW_EXAMPLES else N_FOLDS)
    try:
        folds = stratified_folds(examples, slugs, n_folds=n_folds, seed=parameters.seed)
    except CorpusError:
        return None
    parts = []
    for fold in range(n_folds):
        if on_progress:
            on_progress(fold / n_folds)
        train = [example for example, at in zip(examples, folds, strict=True) if at != fold]
        if len(known_slugs(train, background)) < 2:
            return None
        model = fit(train, parameters, vectors=vectors, background=background)
        part = score_all(model, [examples[int(at)] for at in np.flatnonzero((folds == fold) & fresh)], slugs)
        parts.append(part)
    held = replace(join(parts), sources=np.zeros(0, dtype=np.intp))
    return held if len(held.raw) >= MIN_TEXTS else None


def across_sources(
    sources: Mapping[str, Sequence[Example]],
    base: Sequence[Example],
    *,
    c: float = TEACHER_C,
    min_documents: int = MIN_DOCUMENTS,
    n_texts: int = N_TEXTS_ACROSS,
    on_progress: Callable[[float], None] | None = None,
) -> Held | None:
    """Score each source's texts by a model of ``base`` whose word vectors come from ``base`` and the other sources.

    That is how a model of ``base`` meets texts from elsewhere: clearer texts than those to come, such as the
    starter corpus, would make its scores too sure. At most ``n_texts`` of a source, the same ones every time.
    None when there are no two sources.
    """
    if len(sources) < 2:
        return None
    slugs, parts = known_slugs(base), []
    for done, (name, texts) in enumerate(sources.items()):
        if on_progress:
            on_progress(done / len(sources))
        others = [example for other, examples in sources.items() if other != name for example in examples]
        vectors = teach([*base, *others], c=c, min_documents=min_documents)
        model = fit(base, recommended(len(base), with_vectors=True), vectors=vectors)
        some = [text for text in texts if text.genres[0] in slugs]
        random.Random(0).shuffle(some)
        parts.append(score_all(model, some[:n_texts], slugs))
    return join(parts)


def held_scores(
    examples: Sequence[Example],
    parameters: FitParameters,
    *,
    starter: str = "",
    vectors: WordVectors | None = None,
    background: Sequence[Example] = (),
    on_progress: Callable[[float], None] | None = None,
) -> Held | None:
    """Return the scores that calibration and thresholds are found on.

    The examples' own, out of fold. But those of the source named ``starter`` are clearer than the texts to come, so
    that scores found on them would be too sure: where most examples are of it, the word vectors tell how such
    a model fares on texts from elsewhere (``across_sources``), and the other examples count as one source more.
    """
    own = [example for example in examples if example.source != starter]
    rest = [example for example in examples if example.source == starter]
    across = vectors.across if vectors else None
    if not rest or len(own) >= FEW_EXAMPLES:
        background = [*background, *rest]
    elif across and (across.slugs, across.loss) == (known_slugs(examples), parameters.loss):
        held = out_of_fold(own, parameters, vectors=vectors, background=rest, on_progress=on_progress)
        return join([across, held]) if held else across
    else:
        own = list(examples)
    return out_of_fold(own, parameters, vectors=vectors, background=background, on_progress=on_progress)


def score_all(model: GenreModel, examples: Sequence[Example], slugs: tuple[str, ...]) -> Held:
    """Return the model's scores before calibration of those ``examples`` that it answers."""
    raw = np.zeros((len(examples), len(slugs)))
    n_words = np.ones(len(examples))
    for at, example in enumerate(examples):
        prediction = model.predict(example.text, calibrated=False)
        scores = {genre.slug: genre.score for genre in prediction.scores}
        raw[at], n_words[at] = [scores.get(slug, 0.0) for slug in slugs], prediction.n_words
    answered = raw.max(axis=1, initial=0) > 0
    primary = primary_columns(examples, slugs)
    truth = label_matrix(examples, slugs)
    return Held(raw[answered], n_words[answered], truth[answered], primary[answered], slugs, model.loss)


def fit_scores(held: Held) -> Calibration | None:
    """Fit both steps of the calibration; the length step's likelihood is about the primary genre.

    Only the best scores of each text are fitted: the many small ones would decide the curves, and nobody sees them.
    A genre's curve is the mean over the sources, so that no collection's mix of genres decides alone; each
    source's is pulled towards the curve of all genres together, the more the fewer texts have the genre.

    Returns
    -------
    Calibration or None
        None when no text was scored.
    """
    if not len(held.raw):
        return None
    cut = np.clip(held.raw, SMALLEST, 1 - SMALLEST)
    logits = logit(cut) if held.loss == "ova" else np.log(cut)
    log_words = np.log(np.maximum(held.n_words, 1))
    rows = np.arange(len(held.raw))

    def loss(point: Matrix) -> float:
        factors = np.exp(point[0] + point[1] * log_words)[:, None]
        # A little pull towards "as it is" keeps tiny sets from running away.
        return float(-log_softmax(logits * factors, axis=1)[rows, held.primary].mean() + 1e-3 * (point**2).sum())

    best = minimize(loss, np.zeros(2), method="Nelder-Mead")
    scale, power = float(np.exp(best.x[0])), float(best.x[1])
    length_step = Calibration(scale, power, {}, held.loss)
    odds = np.array([length_step.odds(row, int(n)) for row, n in zip(held.raw.tolist(), held.n_words, strict=True)])
    shown = (-odds).argsort(axis=1).argsort(axis=1) < N_FITTED
    pooled = np.array(_platt(odds[shown], held.truth[shown]))
    platt = {}
    for at, slug in enumerate(held.slugs):
        curves = []
        for source in np.unique(held.sources):
            inside = (held.sources == source) & shown[:, at]
            n_texts = int(held.truth[inside, at].sum())
            own = np.array(_platt(odds[inside, at], held.truth[inside, at])) if n_texts else pooled
            weight = n_texts / (n_texts + HALF_BELIEVED)
            curves.append(weight * own + (1 - weight) * pooled)
        slope, intercept = np.mean(curves, axis=0)
        platt[slug] = (float(slope), float(intercept))
    return Calibration(scale, power, platt, held.loss)


def _platt(odds: Matrix, truth: NDArray[np.bool_]) -> tuple[float, float]:
    if truth.all() or not truth.any():
        return 1.0, 0.0
    curve = LogisticRegression(C=1.0).fit(odds.reshape(-1, 1), truth)
    # A falling curve would turn the order of scores round; that is chance, not calibration.
    return max(0.05, float(curve.coef_[0, 0])), float(curve.intercept_[0])


def calibration_error(scores: NDArray[np.float64], correct: NDArray[np.bool_], *, n_bins: int = 10) -> float:
    """Return the expected calibration error over ``n_bins`` bins of equal mass; 0 is perfect.

    Parameters
    ----------
    scores : ndarray of shape (n_texts,)
        The score of the genre shown first.
    correct : ndarray of shape (n_texts,), dtype=bool
        Whether that genre is right.

    References
    ----------
    Naeini, Cooper, Hauskrecht, "Obtaining well calibrated probabilities using Bayesian binning", AAAI 2015;
    bins of equal mass as in Nguyen and O'Connor, EMNLP 2015.
    """
    if not len(scores):
        return 0.0
    order = np.argsort(scores, kind="stable")
    bins = np.array_split(order, min(n_bins, len(scores)))
    gaps = [abs(scores[at].mean() - correct[at].mean()) * len(at) for at in bins]
    return float(sum(gaps) / len(scores))


def first_score_error(predictions: Sequence[Prediction], examples: Sequence[Example]) -> float:
    """Return the calibration error of the first genre of each answered prediction, right when the text has it."""
    answered = [(p.scores[0], e.genres) for p, e in zip(predictions, examples, strict=True) if p.scores]
    scores = np.array([first.score for first, _ in answered])
    correct = np.array([first.slug in genres for first, genres in answered], dtype=bool)
    return round(calibration_error(scores, correct), 4)


def error_across_sources(held: Held) -> dict[str, float]:
    """Return the calibration error before and after, each source's measured by a calibration of the others; the means.

    What people who bring texts from yet another place may expect of a calibration fitted on all of ``held``.
    """
    before: list[float] = []
    after: list[float] = []
    for source in np.unique(held.sources):
        inside = held.sources == source
        rest, part = _part(held, ~inside), _part(held, inside)
        calibration = fit_scores(rest)
        assert calibration is not None
        for scores, errors in ((part.raw, before), (part.calibrated(calibration), after)):
            best = scores.argmax(axis=1)
            errors.append(calibration_error(scores.max(axis=1), part.truth[np.arange(len(best)), best]))
    return {"before": round(float(np.mean(before)), 4), "after": round(float(np.mean(after)), 4)}


def _part(held: Held, inside: NDArray[np.bool_]) -> Held:
    return replace(
        held,
        raw=held.raw[inside],
        n_words=held.n_words[inside],
        truth=held.truth[inside],
        primary=held.primary[inside],
        sources=held.sources[inside],
    )


def expected_error_by_chance(
    scores: NDArray[np.float64], *, n_bins: int = 10, n_draws: int = 2000, seed: int = 0
) -> float:
    """Return the 95th percentile of the calibration error that perfectly calibrated scores would show by chance."""
    generator = np.random.default_rng(seed)
    draws = generator.random((n_draws, len(scores))) < scores
    return float(np.quantile([calibration_error(scores, draw, n_bins=n_bins) for draw in draws], 0.95))
