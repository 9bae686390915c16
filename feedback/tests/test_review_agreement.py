"""Krippendorff's alpha with the MASI distance: NLTK's figures, and where it is not defined."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedback.review.agreement import krippendorff_alpha, masi_distance

labels = st.frozensets(st.sampled_from("abcd"), min_size=1, max_size=3)
tables = st.lists(st.lists(labels, min_size=1, max_size=3), min_size=2, max_size=8)


@pytest.fixture(scope="module")
def nltk():
    """NLTK's own functions, of two small modules: the package as a whole imports for a second."""
    pytest.importorskip("nltk")
    from nltk.metrics.agreement import AnnotationTask
    from nltk.metrics.distance import masi_distance

    return AnnotationTask, masi_distance


def answers_of(table):
    return [(item, label) for item, row in enumerate(table) for label in row]


@pytest.mark.functional
@given(left=labels, right=labels)
def test_the_distance_is_nltks(nltk, left, right):
    assert masi_distance(left, right) == pytest.approx(nltk[1](left, right))


@pytest.mark.functional
@given(table=tables)
def test_alpha_is_nltks(nltk, table):
    ours = krippendorff_alpha(answers_of(table))
    data = [(f"reviewer {who}", str(item), label) for item, row in enumerate(table) for who, label in enumerate(row)]
    try:
        theirs = nltk[0](data, distance=nltk[1]).alpha()
    except (ZeroDivisionError, ValueError):
        assert ours is None
    else:
        if ours is None:
            # No item with two answers, or one label alone: NLTK then calls it full agreement, or none.
            assert theirs in (0, 1)
        else:
            assert ours == pytest.approx(theirs)


def test_by_hand():
    a, b, ab = frozenset("a"), frozenset("b"), frozenset("ab")
    assert (masi_distance(a, a), masi_distance(a, b)) == (0, 1)
    assert masi_distance(a, ab) == pytest.approx(1 - 0.5 * 2 / 3)
    # Two items, one agreed on. Observed 1/2; expected: of a, a, a, b drawn two at a time, 6 of 12 differ.
    assert krippendorff_alpha([(1, a), (1, a), (2, a), (2, b)]) == pytest.approx(1 - 0.5 / 0.5)


@pytest.mark.parametrize("answers", [[], [(1, frozenset("a"))], [(1, frozenset("a")), (1, frozenset("a"))]])
def test_without_anything_to_compare_it_is_not_defined(answers):
    assert krippendorff_alpha(answers) is None
