"""What counts as lost, and as stored twice."""

import pytest

from benchmarks.soak_corrections import Sent, what_is_wrong

NOTHING = {"lost": 0, "under_another_receipt": 0, "stored_twice": 0}


@pytest.mark.parametrize(
    ("stored", "wrong"),
    [
        ([("r1", "one"), ("r2", "two")], {}),
        # Stored, and the answer did not arrive.
        ([("r1", "one"), ("r2", "two"), ("r3", "three")], {}),
        ([("r1", "one")], {"lost": 1, "under_another_receipt": 1}),
        ([("r1", "one"), ("r9", "two")], {"under_another_receipt": 1}),
        ([("r1", "one"), ("r2", "two"), ("r3", "two")], {"stored_twice": 1}),
        ([], {"lost": 2, "under_another_receipt": 2}),
    ],
)
def test_what_was_acknowledged_must_be_stored_once_under_its_receipt(stored, wrong):
    sent = [Sent("t1", "one", "r1"), Sent("t2", "two", "r2")]
    assert what_is_wrong(sent, stored) == NOTHING | wrong
