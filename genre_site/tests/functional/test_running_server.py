"""Damage to the champion's files while the real gunicorn serves it: no hang, no wrong answer, an alarm.

fastText would hang for ever on some of these files, so every wait here ends.
"""

import json
import shutil
import time

import pytest

from classifier.core.model import GenreModel
from classifier.core.shown import choose_shown
from classifier.tests.damage import DAMAGES
from genre_site.tests.running import Site, Visitor

TEXTS = (
    "The wizard and the sorceress cast an old spell on the dragon that guards the kingdom.",
    "Whisk the butter and the flour in the kitchen, then bake the dough with garlic in the oven.",
    "The company and the customer: a new strategy for the market of every investor and manager.",
)
# An answer may take this long, and so may an alarm to open and to close.
SECONDS = 5
# Both workers look at the files this often, so that each damage takes a moment and not a second.
RECHECK_SECONDS = 0.1
# The others of DAMAGES are tried in classifier/tests/test_registry.py, without a server.
TRIED = (
    "cut to 2%",
    "cut to 99.99%",
    "bytes flipped",
    "another model.bin",
    "another folder",
    "meta edited",
    "model deleted",
)
OPEN_ALERTS = "SELECT key, severity, title, detail, next_step FROM classifier_alert WHERE closed_at IS NULL"
LAST_ANSWER = """
    SELECT number, shown FROM classifier_prediction JOIN classifier_modelversion AS version ON version.id = version_id
    ORDER BY classifier_prediction.id DESC LIMIT 1
"""


class Damaged(Site):
    """A site whose second version is champion; its files are damaged and restored."""

    def __init__(self, root, folders):
        super().__init__(root, folders, promoted=(1, 2))
        self.good, self.bad = (self.models / name for name in ("m1", "m2"))
        self._backup = folders[1]

    def damage(self, name):
        do_damage, _ = DAMAGES[name]
        do_damage(self.bad, self.good)

    def restore(self):
        shutil.rmtree(self.bad, ignore_errors=True)
        shutil.copytree(self._backup, self.bad)

    def answers(self, visitor):
        """Return what a visitor is told of each text: the version, and the genres with their scores."""
        said = []
        for text in TEXTS:
            number = visitor.ask(text).number
            (row,) = self.rows(LAST_ANSWER)
            assert row["number"] == number
            said.append((number, json.loads(row["shown"])))
        return said

    def alarm(self):
        """Return the only open alert, or None."""
        found = self.rows(OPEN_ALERTS)
        assert [(row["key"], row["severity"]) for row in found] in ([], [("champion-files", "alarm")])
        return found[0] if found else None

    def _says(self, words):
        alarm = self.alarm()
        return alarm is None if words is None else alarm is not None and words in alarm["detail"]

    def ask_until_alarm(self, words, visitor, answers):
        """Ask until the alarm says these words, or with None is over; every answer must be the one expected."""
        deadline = time.monotonic() + SECONDS
        while not self._says(words):
            assert time.monotonic() < deadline, f"not within {SECONDS} s"
            assert self.answers(visitor) == answers
        # Whichever worker answers now.
        for _ in range(2):
            assert self.answers(visitor) == answers


def expected(number, folder):
    model = GenreModel.load(folder)
    shown = [choose_shown(model.predict(text))[0] for text in TEXTS]
    return [(number, [list(genre) for genre in genres]) for genres in shown]


@pytest.fixture
def site(tmp_path, model_folder, other_model_folder):
    return Damaged(tmp_path, [model_folder, other_model_folder])


def test_whatever_happens_to_the_files_of_a_champion_visitors_get_its_answers_and_an_alarm_is_raised(site, subtests):
    answers = expected(2, site.bad)
    with site.serving(recheck_seconds=RECHECK_SECONDS) as address:
        visitor = Visitor(address, timeout=SECONDS)
        assert site.answers(visitor) == answers
        for name in TRIED:
            words = DAMAGES[name][1]
            with subtests.test(damage=name):
                site.damage(name)
                site.ask_until_alarm(words, visitor, answers)
                alarm = site.alarm()
                assert alarm["title"] == "The champion, version 2, can't be loaded from its files"
                assert "Version 2 answers" in alarm["detail"]
                assert "Restore the folder" in alarm["next_step"]
                site.restore()
                site.ask_until_alarm(None, visitor, answers)
    log = site.log.read_text()
    assert "Traceback" not in log
    assert "CRITICAL" not in log


def test_a_server_that_starts_with_a_damaged_champion_answers_with_the_one_before_until_it_is_restored(site):
    second, first = expected(2, site.bad), expected(1, site.good)
    site.damage("cut to 2%")
    with site.serving(recheck_seconds=RECHECK_SECONDS) as address:
        visitor = Visitor(address, timeout=SECONDS)
        assert "Version 1 answers" in site.alarm()["detail"]
        for _ in range(3):
            assert site.answers(visitor) == first
        site.restore()
        deadline = time.monotonic() + SECONDS
        while site.answers(visitor) != second or site.alarm() is not None:
            assert time.monotonic() < deadline
