"""``make bench-baselines``: fastText beside TF-IDF + LinearSVC and the majority, cross-validated by book."""

import sys
from pathlib import Path

from benchmarks.report import QUICK, publish
from classifier.core.genres import canonical_genres
from training.core.corpora import STARTER_FILE, read_corpus
from training.core.evaluation import TITLES, cross_validate
from training.core.fit import FitParameters

SHOWN = ("accuracy", "precision_at_1", "recall_at_3", "f1_doc_avg", "f1_subj_avg", "ndcg")


def main() -> None:
    """Measure the file named on the command line, or the starter corpus, and publish."""
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else STARTER_FILE
    corpus = read_corpus(path, canonical_genres())
    parameters = FitParameters(epoch=10) if QUICK else FitParameters()
    evaluation = cross_validate(corpus.examples, parameters, n_folds=2 if QUICK else 5)
    rows = [
        {"method": TITLES[name], **{key: scores[key] for key in SHOWN}} for name, scores in evaluation.scores.items()
    ]
    publish(
        "baselines",
        rows,
        data=corpus.name,
        sha256=corpus.sha256,
        examples=len(corpus.examples),
        folds=evaluation.n_folds,
    )


if __name__ == "__main__":
    main()
