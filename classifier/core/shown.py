"""Which genres of a prediction are worth showing, and worth keeping of it."""

from classifier.core.model import Prediction

LIMIT = 5
MINIMUM = 3
THRESHOLD = 0.1


def choose_shown(prediction: Prediction) -> tuple[list[tuple[str, float]], int]:
    """Return the genres worth showing, and how many of them the model chose; these come first.

    At least three, at most five; one that is not chosen is beyond the third only above 10%.
    """
    chosen = prediction.chosen[:LIMIT]
    others = [genre for genre in prediction.scores if genre not in chosen][: LIMIT - len(chosen)]
    kept = [
        *chosen,
        *(genre for rank, genre in enumerate(others, start=len(chosen)) if rank < MINIMUM or genre.score >= THRESHOLD),
    ]
    return [(genre.slug, round(genre.score, 4)) for genre in kept], len(chosen)
