"""Sentences leave out what is not there, and count as people do."""

import pandas as pd
import pytest

from explore.model_charts import winner_bars
from explore.wording import measured_on
from training.core.seen import FairTexts


@pytest.mark.parametrize(
    ("counts", "said"),
    [
        ((10, 0, 0), "The test side of this data has 10 texts."),
        ((1, 0, 0), "The test side of this data has 1 text."),
        (
            (2000, 1, 3),
            "The test side of this data has 2,000 texts. 1 is left out because this model was trained on the same "
            "book, or on nearly the same text. 3 are left out for repeating another.",
        ),
    ],
)
def test_it_tells_what_is_measured_on_and_no_zeros(counts, said):
    n_test, n_left_out, n_repeated = counts
    fair = FairTexts([], n_test=n_test, n_overlapping=0, n_left_out=n_left_out, n_repeated=n_repeated)
    assert measured_on(fair, "this model") == said


def test_only_genres_on_which_exactly_one_model_is_right_are_drawn():
    columns = ["genre", "texts", "both", "only_first", "only_second", "neither", "lead"]
    table = pd.DataFrame([["fantasy", 3, 1, 1, 1, 0, 0], ["cooking", 2, 1, 0, 0, 1, 0]], columns=columns)
    assert set(winner_bars(table).data["genre"]) == {"Fantasy"}
