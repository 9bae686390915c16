"""How late an answer is, judged by the reigns of the versions."""

import math

import pytest

from benchmarks.soak_registry import Reign, lateness, reigns_of

# Version 1 until second 10, version 2 until 20, then version 1 again.
REIGNS = reigns_of([(1, 0.0), (2, 10.0), (1, 20.0)])


def test_each_change_of_champion_ends_the_reign_before():
    assert [Reign(1, 0.0, 10.0), Reign(2, 10.0, 20.0), Reign(1, 20.0, math.inf)] == REIGNS


@pytest.mark.parametrize(
    ("number", "start", "end"),
    [(1, 3.0, 4.0), (2, 12.0, 13.0), (1, 9.9, 11.0), (2, 9.9, 11.0), (1, 500.0, 501.0), (2, 10.0, 10.0)],
)
def test_an_answer_of_a_version_that_was_champion_during_the_request_is_not_late(number, start, end):
    assert lateness(number, start, end, REIGNS) == 0


@pytest.mark.parametrize(
    ("number", "start", "end", "seconds"), [(1, 10.5, 11.0, 1.0), (1, 16.0, 17.0, 7.0), (2, 26.0, 26.5, 6.5)]
)
def test_an_answer_is_as_late_as_its_end_is_after_the_last_reign_of_its_version(number, start, end, seconds):
    assert lateness(number, start, end, REIGNS) == pytest.approx(seconds)


@pytest.mark.parametrize("number", [2, 3, None])
def test_an_answer_of_a_version_that_was_not_champion_yet_or_of_none_is_infinitely_late(number):
    assert lateness(number, 8.0, 9.0, REIGNS) == math.inf
