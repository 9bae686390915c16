import json
from pathlib import Path

import pytest

from classifier.core.errors import CorpusError, TrainingError
from conftest import make_examples
from training.core import search as search_module
from training.core.fit import FEW_EXAMPLES, MANY_EXAMPLES, FitParameters, recommended
from training.core.search import METRICS, RECOMMENDED, Variant, search, variants
from training.core.split import frozen_split, text_key
from training.core.vectors import teach
from training.management.commands import search as search_command
from training.tests.helpers import refused, run, write_books

TINY = FitParameters(epoch=20, lr=1.0, dim=4)
PLAIN, PEER = Variant("plain", TINY), Variant("linear_svc", None)


def by_name(n_train, has_vectors):
    return {variant.name: variant for variant in variants(n_train, has_vectors)}


@pytest.fixture
def books(tmp_path):
    """The small corpus as CSV."""
    return write_books(tmp_path / "books.csv")


@pytest.fixture
def quick(fit_here, monkeypatch):
    """Two variants that train quickly in place of all."""
    found = [Variant(RECOMMENDED, TINY), PEER]
    monkeypatch.setattr(search_command, "variants", lambda n_train, has_vectors: found)


@pytest.mark.parametrize("n_train", [FEW_EXAMPLES - 1, FEW_EXAMPLES, MANY_EXAMPLES])
@pytest.mark.parametrize("has_vectors", [True, False])
def test_the_recommended_recipe_comes_first_and_no_name_twice(n_train, has_vectors):
    found = variants(n_train, has_vectors)
    assert (found[0].name, found[0].parameters) == (RECOMMENDED, recommended(n_train, with_vectors=has_vectors))
    assert len({variant.name for variant in found}) == len(found)


def test_a_variant_changes_one_thing():
    found = variants(200, True)
    for variant in found[1:]:
        if variant.with_vectors and variant.with_background and variant.n_seeds == 1:
            base, changed = found[0].parameters, variant.parameters
            assert sum(getattr(base, name) != getattr(changed, name) for name in vars(base)) == 1


def test_the_background_is_tried_only_where_training_would_use_it():
    assert {"no background", "repeat 4"} <= by_name(FEW_EXAMPLES - 1, True).keys()
    for found in (by_name(FEW_EXAMPLES, True), by_name(FEW_EXAMPLES - 1, False)):
        assert not any("background" in name or "repeat" in name for name in found)
        assert not any(variant.with_background for variant in found.values())


def test_without_vectors_no_variant_needs_any():
    found = by_name(200, False)
    assert not any(variant.with_vectors or "vectors_deviation" in variant.name for variant in found.values())
    assert found["linear_svc"].parameters is None


@pytest.mark.functional
def test_variants_are_scored_on_the_same_folds_in_the_order_given(fit_here):
    steps = []
    results = search(make_examples(), [PLAIN, PEER], n_folds=2, on_step=lambda what, done: steps.append((what, done)))
    assert [result.variant for result in results] == [PLAIN, PEER]
    for result in results:
        assert tuple(result.metrics) == METRICS
        assert result.metrics["accuracy"] > 0.8
        assert result.seconds >= 0
    assert steps[0] == ("fold 1 of 2: plain", 0.0)
    assert [done for _, done in steps] == sorted(done for _, done in steps)


def test_the_scores_of_several_seeds_are_averaged(model, monkeypatch):
    seeds = []
    monkeypatch.setattr(search_module, "fit", lambda _, parameters, **__: seeds.append(parameters.seed) or model)
    examples = make_examples(4)
    two, one = search(examples, [Variant("two", TINY, n_seeds=2), PLAIN], n_folds=2, seed=5)
    assert seeds == [5, 6, 5] * 2
    assert two.metrics == one.metrics  # Of the same model: the mean is what each says.


def test_autotune_sees_the_folds_training_part_alone(model, monkeypatch):
    jobs = []

    def tune(job, on_progress):
        sides = (job["input"], job["arguments"]["autotuneValidationFile"])
        jobs.append([set(Path(side).read_text().splitlines()) for side in sides])
        model._engine.save_model(job["output"])

    monkeypatch.setattr(search_module, "run_worker", tune)
    examples = make_examples(6)
    search(examples, [Variant("autotune", TINY, autotune_seconds=1)], n_folds=3)
    assert len(jobs) == 3
    for learned, checked in jobs:
        assert not learned & checked
        assert len(learned | checked) == len(examples) * 2 // 3


def test_vectors_and_a_background_are_used_by_the_variants_that_name_them(model, monkeypatch):
    used = []

    def spy(examples, parameters, *, vectors, background):
        used.append((vectors is not None, len(background) > 0))
        return model

    monkeypatch.setattr(search_module, "fit", spy)
    monkeypatch.setattr(search_module, "background_for", lambda train, starter, *, beside: list(starter))
    tried = [Variant("both", TINY, True, True), Variant("vectors", TINY, True), PLAIN]
    search(make_examples(4), tried, vectors=teach(make_examples()), starter=make_examples(3), n_folds=2)
    assert used == [(True, True), (True, False), (False, False)] * 2


def test_what_cannot_be_searched_is_refused():
    with pytest.raises(TrainingError, match="there are none"):
        search(make_examples(4), [Variant("v", TINY, with_vectors=True)])
    with pytest.raises(CorpusError, match="50 folds need"):
        search(make_examples(4), [PLAIN], n_folds=50)


@pytest.mark.functional
def test_the_command_shows_the_best_first_and_marks_the_recommended(books, quick, tmp_path):
    said = run("search", "--data", books, "--folds", 2, "--vectors", "none", "-M", tmp_path / "found.json")
    assert "books.csv, training side only: 2-fold cross-validation by book" in said
    assert "recommended *" in said and "linear_svc" in said
    assert "The test side was not used" in said
    found = json.loads((tmp_path / "found.json").read_text())["results"]
    reached = [result["metrics"]["accuracy"] for result in found]
    assert reached == sorted(reached, reverse=True)
    assert {result["variant"]["name"] for result in found} == {RECOMMENDED, "linear_svc"}


def test_the_command_never_looks_at_the_test_side(books, quick, monkeypatch):
    seen = []
    monkeypatch.setattr(search_command, "search", lambda examples, *_, **__: seen.extend(examples) or [])
    run("search", "--data", books, "--folds", 2, "--vectors", "none")
    examples = make_examples()
    split = frozen_split(examples)
    assert {text_key(example.text) for example in seen} == {text_key(examples[at].text) for at in split.train}
    assert len(split.test) > 0


def test_only_the_named_variants_are_tried(books, quick):
    said = run("search", "--data", books, "--folds", 2, "--vectors", "none", "--only", "linear_svc")
    assert "linear_svc" in said
    assert "recommended" not in said.split("One example")[0]


def test_wrong_usage_exits_with_2(books, quick):
    assert refused("search", "--data", books, "--folds", 1) == (2, "--folds needs at least 2.")
    code, said = refused("search", "--data", books, "--vectors", "none", "--only", "magic")
    assert code == 2
    assert "'magic' is no variant" in said and "'linear_svc'" in said


def test_a_metrics_file_that_cannot_be_written_is_an_error(books, quick, tmp_path):
    (tmp_path / "file").write_text("")
    arguments = ("--data", books, "--folds", 2, "--vectors", "none", "--only", "linear_svc")
    code, said = refused("search", *arguments, "-M", tmp_path / "file" / "found.json")
    assert code == 1
    assert "can't be written" in said
