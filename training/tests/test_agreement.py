import random

import pytest
from scipy import stats

from training.core.agreement import N_STRATA, Answers, asked_accuracy, audit_accuracy, expected_accuracy, proportion
from training.core.profile import Profile
from training.core.shadowing import NEEDS_OF_A_KIND, Pairs, challenger_accuracy, loss_by_challenger


def answers_of(*groups, share=0.05):
    """Answers from (score, yes, no)."""
    answers = Answers()
    for score, yes, no in groups:
        for is_right in [True] * yes + [False] * no:
            answers.add(score=score, share=share, is_right=is_right)
    return answers


def texts_of(**counts):
    """Answered texts by the tenth of their score, as in ``at_3=100``."""
    texts = [0] * N_STRATA
    for name, count in counts.items():
        texts[int(name.removeprefix("at_"))] = count
    return texts


def test_a_proportion_has_wilsons_interval():
    found = proportion(8, 40, needs=30)
    # Newcombe (1998), "Two-sided confidence intervals for the single proportion", gives the formula worked here.
    z = stats.norm.ppf(0.975)
    middle = (8 + z**2 / 2) / (40 + z**2)
    margin = z / (40 + z**2) * (8 * 32 / 40 + z**2 / 4) ** 0.5
    assert found.as_json() == pytest.approx({"value": 0.2, "low": middle - margin, "high": middle + margin, "n": 40})


@pytest.mark.parametrize("n", [0, 29])
def test_too_few_observations_make_no_number(n):
    assert proportion(n // 2, n, needs=30).as_json() == {"value": None, "n": n, "needs": 30}


def test_nothing_observed_is_never_enough():
    assert proportion(0, 0, needs=0).value is None


def test_the_expected_accuracy_is_the_mean_score_and_its_interval_comes_from_each_texts_variance():
    profile = Profile()
    for score in [0.9] * 50 + [0.5] * 50:
        profile.add(n_words=10, n_known=10, n_chars=60, abstained="", first=("fantasy", score))
    found = expected_accuracy(profile)
    margin = 1.959964 * (50 * 0.09 + 50 * 0.25) ** 0.5 / 100
    assert found.as_json() == pytest.approx({"value": 0.7, "low": 0.7 - margin, "high": 0.7 + margin, "n": 100})
    assert expected_accuracy(Profile()).as_json() == {"value": None, "n": 0, "needs": 100}


def test_each_audit_answer_stands_for_the_texts_of_its_stratum():
    # Sure answers are right and answered often, unsure ones wrong and rarely answered: plainly counted 60 of 80 are right.
    answers = answers_of((0.95, 54, 6), (0.15, 6, 14))
    found = audit_accuracy(texts_of(at_9=1000, at_1=1000), answers)
    assert found.value == pytest.approx((54 / 60 + 6 / 20) / 2)
    assert found.low < found.value < found.high
    assert found.n == 80


def test_an_answer_asked_for_with_half_the_chance_weighs_double():
    answers = answers_of((0.95, 20, 0), share=0.1)
    answers.merge(answers_of((0.95, 0, 20), share=0.05))
    found = audit_accuracy(texts_of(at_9=600), answers)
    assert found.value == pytest.approx(20 * 10 / (20 * 10 + 20 * 20))
    assert found.effective < 40


def test_the_accuracy_of_a_genre_weighs_an_answer_by_its_chance_to_be_asked():
    few_days, one_day = Answers(), Answers()
    for at in range(20):
        few_days.add(score=0.5, share=0.05, is_right=at < 16)
    for _ in range(20):
        one_day.add(score=0.9, share=1.0, is_right=False)
    assert asked_accuracy(few_days).value == pytest.approx(0.8)
    few_days.merge(one_day)
    both = asked_accuracy(few_days)
    # 16 · 20 of 20 · 20 + 20 · 1.
    assert both.value == pytest.approx(320 / 420)
    assert both.effective == pytest.approx(420**2 / (20 * 400 + 20))
    assert both.low < both.value < both.high and both.n == 40


def test_equal_chances_give_the_interval_of_clopper_and_pearson():
    answers = Answers()
    for at in range(10):
        answers.add(score=0.3, share=0.2, is_right=at < 10)
    found = asked_accuracy(answers)
    # All of 10: the lower end is .025 to the power of 1/10.
    assert (found.value, found.high, found.low) == (1.0, 1.0, pytest.approx(0.025**0.1))
    assert asked_accuracy(Answers()).needs == 10


def test_strata_with_few_answers_join_their_neighbour():
    answers = answers_of((0.15, 3, 0), (0.25, 0, 12), (0.95, 15, 0), (0.35, 1, 1))
    found = audit_accuracy(texts_of(at_1=100, at_2=100, at_9=100, at_3=100), answers)
    # 0.15 waits for 0.25 (3 of 15 right), 0.35 for 0.95 (16 of 17).
    assert found.value == pytest.approx((3 / 15 + 16 / 17) / 2)


def test_all_yes_is_not_certain():
    found = audit_accuracy(texts_of(at_9=1000), answers_of((0.95, 30, 0)))
    assert found.value == 1
    assert found.high == 1
    # Clopper and Pearson: 0.025 ** (1 / 30).
    assert found.low == pytest.approx(0.025 ** (1 / 30))


def test_an_audit_with_too_few_answers_says_how_many_it_needs():
    found = audit_accuracy(texts_of(at_9=1000), answers_of((0.95, 29, 0)))
    assert found.as_json() == {"value": None, "n": 29, "needs": 30}


@pytest.mark.functional
def test_the_audits_interval_holds_the_truth_about_as_often_as_it_says():
    rng = random.Random(5)
    held = 0
    for _ in range(100):
        answers, texts = Answers(), [0] * N_STRATA
        n_right = 0
        for _ in range(2500):
            score = rng.betavariate(2, 2)
            is_right = rng.random() < score
            texts[int(score * 10)] += 1
            n_right += is_right
            if rng.random() < 0.1 * score:
                answers.add(score=score, share=0.1, is_right=is_right)
        found = audit_accuracy(texts, answers)
        held += found.low <= n_right / 2500 <= found.high
    assert 90 <= held <= 100


CHAMPION = proportion(70, 100, needs=30)


def test_the_challengers_accuracy_weighs_both_kinds_of_texts_as_the_audit_found_them():
    # Nearly all comments are about wrong answers; counted plainly the challenger would be right on 38 of 120.
    pairs = Pairs(n_right=20, n_kept=18, n_wrong=100, n_gained=20)
    found = challenger_accuracy(CHAMPION, pairs)
    assert found.value == pytest.approx(0.7 * 0.9 + 0.3 * 0.2)
    assert found.low < found.value < found.high
    assert found.n == 120


def test_a_challenger_that_loses_right_answers_is_worse_for_sure():
    loss, p = loss_by_challenger(CHAMPION, Pairs(n_right=40, n_kept=12, n_wrong=100, n_gained=3))
    assert loss == pytest.approx(0.7 * 0.7 - 0.3 * 0.03)
    assert p < 1e-6


def test_a_challenger_that_gains_as_much_as_it_loses_is_not_worse():
    loss, p = loss_by_challenger(CHAMPION, Pairs(n_right=100, n_kept=91, n_wrong=100, n_gained=21))
    assert loss == pytest.approx(0, abs=1e-9)
    assert p == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("champion", "pairs", "n", "needs"),
    [
        (CHAMPION, Pairs(n_right=14, n_kept=14, n_wrong=100), 14, NEEDS_OF_A_KIND),
        (proportion(1, 7, needs=30), Pairs(n_right=50, n_kept=14, n_wrong=100), 7, 30),
    ],
)
def test_without_enough_comments_or_audit_nothing_is_said_of_the_challenger(champion, pairs, n, needs):
    assert challenger_accuracy(champion, pairs).as_json() == {"value": None, "n": n, "needs": needs}
    assert loss_by_challenger(champion, pairs) is None
