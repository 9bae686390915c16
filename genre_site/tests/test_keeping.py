"""Which numbers of days a setting may have."""

import pytest
from environs import ValidationError

from genre_site.keeping import days_or_for_ever


@pytest.mark.parametrize(("days", "is_fine"), [(0, True), (31, True), (30, False), (-1, False)])
def test_what_the_monitor_still_reads_can_not_be_set_to_be_deleted(days, is_fine):
    check = days_or_for_ever(31)
    if is_fine:
        check(days)
    else:
        with pytest.raises(ValidationError):
            check(days)
