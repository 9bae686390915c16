from dataclasses import replace

import pytest

from training.core.agreement import Answers
from training.core.checks import Check, Window
from training.core.judge import ALARMS, KEYS, judge, problems
from training.core.profile import Profile
from training.core.shadow_checks import Shadow
from training.core.shadowing import Pairs


def window(
    n=1000, *, genres=("fantasy", "cooking"), score=0.6, n_wrong=0, n_right=0, yes=0, no=0, milliseconds=0.5, **text
):
    """A window of ``n`` answers, so many of them reported, confirmed, or judged right and wrong by the audit."""
    profile, answers = Profile(), Answers()
    facts = {"n_words": 60, "n_known": 55, "n_chars": 400, "abstained": ""} | text
    for at in range(n):
        profile.add(**facts, first=(genres[at % len(genres)], score), milliseconds=milliseconds)
    for is_right in [True] * yes + [False] * no:
        answers.add(score=score, share=0.05, is_right=is_right)
    return Window(profile, n_wrong + n_right, n_right, answers)


def keys(recent, before, **others):
    return set(problems(judge(recent, before, **others)))


def test_equal_traffic_raises_nothing():
    same = {"n_wrong": 40, "n_right": 5, "yes": 30, "no": 20}
    assert keys(window(**same), window(5000, n_wrong=200, n_right=25, yes=150, no=100)) == set()


def test_too_little_traffic_is_not_judged():
    assert judge(window(150, score=0.2, n_wrong=100), window(5000)) == []


@pytest.mark.parametrize(
    ("recent", "before", "raised"),
    [
        ({"n_wrong": 100}, {"n_wrong": 200}, {"reported-wrong"}),
        ({"yes": 10, "no": 40}, {"yes": 150, "no": 100}, {"audit-accuracy", "calibration"}),
        ({"score": 0.5}, {"score": 0.6}, {"drift:confidence", "expected-accuracy"}),
        ({"genres": ("cooking",)}, {}, {"drift:genres", "missing-genre"}),
        ({"milliseconds": 30.0}, {}, {"latency"}),
        ({"n_known": 20}, {}, {"drift:unknown"}),
    ],
    ids="reports audit confidence genres latency vocabulary".split(),
)
def test_each_damage_is_named_by_what_it_shows(recent, before, raised):
    assert keys(window(**recent), window(5000, **before)) == raised


@pytest.mark.parametrize(
    ("recent", "before"),
    [
        ({"n_wrong": 10}, {"n_wrong": 250}),
        ({"yes": 40, "no": 5}, {"yes": 150, "no": 100}),
        ({"milliseconds": 0.1}, {}),
    ],
)
def test_what_gets_better_raises_nothing(recent, before):
    assert keys(window(**recent), window(5000, **before)) == set()


@pytest.mark.functional
def test_a_rise_of_reports_that_is_surely_no_chance_must_also_be_large():
    assert keys(window(50_000, n_wrong=2800), window(50_000, n_wrong=2400)) == set()


def test_scores_that_promise_more_than_the_audit_finds_are_noticed_without_any_baseline():
    assert keys(window(score=0.8, yes=20, no=40), Window()) == {"calibration"}


def test_other_texts_than_the_test_sides_are_a_notice_from_a_larger_drift_on():
    reference = window(400, genres=("fantasy", "cooking")).profile
    assert keys(window(genres=("fantasy", "cooking", "cooking")), Window(), reference=reference) == set()
    assert keys(window(genres=("fantasy", *["cooking"] * 4)), Window(), reference=reference) == {"reference"}
    assert "reference" not in ALARMS


def test_of_many_genres_the_one_that_is_gone_is_named():
    genres = tuple(f"genre-{number}" for number in range(30))
    recent = window(1500, genres=genres[1:])
    [check] = [check for check in judge(recent, window(6000, genres=genres)) if check.key == "missing-genre"]
    assert check.holds()
    assert check.said == "genre-0 is named for 0.0% of texts, before 3.3%"


def test_the_p_values_of_a_look_are_corrected_together():
    before = window(5000, n_wrong=200, yes=150, no=100)
    alone = judge(window(n_wrong=80), before)
    assert all(check.q >= check.p for check in alone)
    [one] = [check for check in alone if check.key == "reported-wrong"]
    more = judge(window(n_wrong=80), before, reference=before.profile)
    [other] = [check for check in more if check.key == "reported-wrong"]
    assert other.p == one.p
    assert other.q > one.q


def test_an_open_alert_stays_on_weaker_evidence_than_opens_it():
    check = Check("drift:genres", "genres", p=0.0, effect=0.1, least=0.1, said="", n_now=1, n_before=1, q=0.0009)
    assert check.holds()
    for weaker in (replace(check, q=0.009), replace(check, effect=0.06)):
        assert not weaker.holds()
        assert weaker.holds(is_open=True)
        assert problems([weaker]) == {}
        assert problems([weaker], {"drift:genres"}) == {"drift:genres": [weaker]}
    assert not replace(check, q=0.02).holds(is_open=True)


def beside(champion, challenger, **shadow):
    """A look at a challenger; the champion's own traffic is as ever."""
    return keys(Window(), Window(), shadow=Shadow(challenger.profile, champion, **shadow))


def test_a_challenger_like_the_champion_raises_nothing():
    assert beside(window(), window(300)) == set()


@pytest.mark.parametrize(
    "worse",
    [{"score": 0.5}, {"n_known": 20}, {"abstained": "no-genre"}],
    ids=lambda value: next(iter(value)),
)
def test_a_worse_challenger_must_not_be_promoted(worse):
    assert beside(window(), window(300, **worse)) == {"shadow-worse"}


def test_a_challenger_that_lost_a_genre_is_worse_and_differs():
    assert beside(window(), window(300, genres=("cooking",))) == {"shadow-worse", "shadow-differs"}


def test_a_challenger_with_another_mix_of_genres_is_a_notice():
    assert beside(window(), window(300, genres=("cooking", "cooking", "fantasy", "fantasy", "history"))) == {
        "shadow-differs"
    }


def test_a_surer_challenger_that_knows_more_raises_nothing():
    assert beside(window(n_known=30), window(300, score=0.7, n_known=55)) == set()


def test_a_challenger_that_loses_right_answers_is_found_by_what_people_said():
    audited = window(yes=60, no=40)
    assert beside(audited, window(300), pairs=Pairs(n_right=40, n_kept=15, n_wrong=60, n_gained=2)) == {"shadow-worse"}
    assert beside(audited, window(300), pairs=Pairs(n_right=40, n_kept=35, n_wrong=60, n_gained=10)) == set()


def test_a_challenger_that_answers_otherwise_is_a_notice():
    challenger = window(300)
    challenger.profile.n_pairs, challenger.profile.n_agree = 300, 150
    assert beside(window(), challenger) == {"shadow-differs"}
    challenger.profile.n_agree = 250
    assert beside(window(), challenger) == set()


def test_every_key_has_a_place_among_the_keys():
    everything = judge(
        window(yes=50, no=50),
        window(5000, yes=50, no=50),
        reference=window().profile,
        shadow=Shadow(window(300).profile, window(yes=60, no=40), Pairs(20, 10, 20, 10)),
    )
    assert {check.key for check in everything} <= KEYS
    assert ALARMS < KEYS
