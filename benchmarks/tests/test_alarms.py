import random

import pytest

from benchmarks.alarms import (
    AUDIT_REQUESTS,
    DAMAGES,
    after_promotion,
    audit_facts,
    audited,
    damaged_row,
    steady,
    undisturbed_row,
)
from benchmarks.pretend import Said, Visitors, play, together

GENRES = [f"genre-{number}" for number in range(15)]


@pytest.fixture(scope="module")
def pool():
    """Two made-up models whose scores mean what they say and who agree on most texts."""
    rng = random.Random(3)
    pool = []
    for _ in range(300):
        score, n_words = rng.betavariate(3, 2), rng.randint(8, 160)
        genre, other = rng.choices(GENRES, weights=range(1, 16), k=2)
        is_right = rng.random() < score
        same = rng.random() < 0.9
        pool.append(
            Said(
                n_words=n_words,
                n_known=round(n_words * rng.uniform(0.8, 1)),
                n_chars=6 * n_words,
                abstained="no-genre" if score < 0.2 else "",
                first=(genre, score),
                is_right=is_right,
                other=(genre if same else other, min(1.0, score * rng.uniform(0.9, 1.1))),
                other_is_right=is_right if same else rng.random() < 0.2,
            )
        )
    return pool


@pytest.mark.functional
@pytest.mark.parametrize("story", [after_promotion, steady])
def test_replays_of_undisturbed_traffic_raise_hardly_an_alert(pool, story):
    row = undisturbed_row("", [story(pool, seed) for seed in range(6)])
    assert row["replays"] == 6
    assert row["alerts"] <= 1, row["which"]


@pytest.mark.functional
@pytest.mark.parametrize("name", DAMAGES)
def test_each_damage_raises_an_alarm_within_2000_requests(pool, name):
    row = damaged_row(name, [after_promotion(DAMAGES[name](pool), 1, before=pool)])
    assert row["unheard"] == 0
    assert row["requests_to_alarm_worst"] <= 2000


@pytest.mark.functional
@pytest.mark.parametrize("first", [0, 10])
def test_the_audit_is_right_where_the_corrections_mislead(pool, first):
    facts = audit_facts([audited(pool, seed) for seed in range(first, first + 10)])
    assert facts["requests"] == AUDIT_REQUESTS
    assert facts["naive_misleads"] == 10
    assert facts["audit_within_3_points"] >= 9
    assert facts["mean_error_audit"] < facts["mean_error_naive"] / 10


def test_stretches_of_traffic_add_up(pool):
    rng = random.Random(1)
    visitors = Visitors(reports=0.5, confirms=0.2, answers_unsure=1.0, answers_sure=1.0)
    parts = [play(pool, visitors, rng, 300) for _ in range(2)]
    whole = together(parts)
    assert whole.window.profile.n == 600
    assert whole.window.n_corrected == sum(part.window.n_corrected for part in parts) > 0
    assert whole.challenger.n_pairs == sum(part.challenger.n_pairs for part in parts) > 0
    assert whole.pairs.n == sum(part.pairs.n for part in parts) > 0
    assert sum(whole.window.answers.n) <= whole.window.profile.n_asked
