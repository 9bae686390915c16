"""``make bench-predict``: what our cleaning and care cost on top of fastText's own predict call.

Both sides answer the same texts of about 100 words with the same model, in turn, several rounds; the
peer gets text that is ready for it. The figure is the ratio of the medians.
"""

import statistics
import time

from benchmarks.report import QUICK, publish
from classifier.core.genres import canonical_genres
from classifier.core.model import to_line
from classifier.core.text import content_words
from training.core.corpora import STARTER_FILE, read_corpus
from training.core.fit import FitParameters, fit

ROUNDS = 3 if QUICK else 15


def main() -> None:
    """Measure and publish."""
    examples = read_corpus(STARTER_FILE, canonical_genres()).examples
    model = fit(examples, FitParameters(epoch=5))
    texts = [example.text for example in examples]
    lines = [to_line(content_words(text)) for text in texts]
    engine = model._engine  # noqa: SLF001  (the peer is the bare engine)

    def ours() -> None:
        model.predict_many(texts)

    def bare() -> None:
        for line in lines:
            engine.f.predict(line, -1, 0.0, "strict")

    times: dict[str, list[float]] = {"ours": [], "fasttext": []}
    for _ in range(ROUNDS):
        for name, call in (("ours", ours), ("fasttext", bare)):
            start = time.perf_counter()
            call()
            times[name].append((time.perf_counter() - start) / len(texts) * 1e6)
    medians = {name: statistics.median(values) for name, values in times.items()}
    rows = [
        {"method": name, "microseconds_per_text": medians[name], "min": min(times[name]), "max": max(times[name])}
        for name in times
    ]
    words = statistics.mean(len(text.split()) for text in texts)
    publish(
        "predict",
        rows,
        ratio=round(medians["ours"] / medians["fasttext"], 2),
        texts=len(texts),
        words_per_text=round(words),
    )


if __name__ == "__main__":
    main()
