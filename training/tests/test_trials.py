"""Runs stand side by side in tables."""

from classifier.core.model import GenreScore, Prediction
from training.core.trials import answers_table, parallel_table, varied

ROWS = [
    {"run": "a", "lr": 0.1, "loss": "softmax", "epoch": 5, "accuracy": 0.5},
    {"run": "b", "lr": 0.4, "loss": "ova", "epoch": 5, "accuracy": 0.75},
    {"run": "c", "lr": 0.2, "loss": "ova", "epoch": 5, "accuracy": 1.0},
]


def test_only_what_differs_counts_as_varied():
    assert varied(ROWS, ["epoch", "lr", "loss", "absent"]) == ["lr", "loss"]
    assert varied([], ["lr"]) == []


def test_an_axis_runs_from_its_lowest_to_its_highest_value():
    table = parallel_table(ROWS, ["lr", "loss", "epoch", "accuracy"])
    heights = {axis: part["height"].round(3).tolist() for axis, part in table.groupby("axis", sort=False)}
    assert heights == {"lr": [0, 1, 0.333], "loss": [1, 0, 0], "epoch": [0.5] * 3, "accuracy": [0, 0.5, 1]}
    assert table["run"].tolist() == list("abc") * 4
    assert table["value"].tolist()[:4] == ["0.1", "0.4", "0.2", "softmax"]


def test_without_rows_the_tables_are_empty_and_keep_their_columns():
    assert parallel_table([], ["lr"]).columns.tolist() == ["run", "axis", "value", "height"]
    assert answers_table({}, {}).columns.tolist() == ["model", "1st", "2nd", "3rd", "abstained"]


def test_each_model_says_its_best_genres_or_why_it_says_none():
    scores = (GenreScore("fantasy", 0.8), GenreScore("cooking", 0.1))
    said = {"one": Prediction(scores, 4, 4), "two": Prediction((), 0, 0, "no-words")}
    table = answers_table(said, {"fantasy": "Fantasy"})
    assert table.values.tolist() == [
        ["one", "Fantasy 0.80", "cooking 0.10", "", ""],
        ["two", "", "", "", "no-words"],
    ]
