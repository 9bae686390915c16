"""What is older than the site keeps it goes, and nothing else."""

import io
from datetime import timedelta

import pytest
from axes.models import AccessAttempt
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.utils import timezone

from classifier.models import IdempotentAnswer, ModelVersion, Prediction
from feedback.models import AuditCount, Correction, SharedResult
from training import retention
from training.models import TrafficHour
from training.retention import prune

pytestmark = pytest.mark.django_db
DAYS = {"predictions": 400, "rejected": 90, "visitors": 3}


@pytest.fixture(autouse=True)
def kept(settings):
    settings.GENRE_KEEP_PREDICTIONS_DAYS = DAYS["predictions"]
    settings.GENRE_KEEP_REJECTED_DAYS = DAYS["rejected"]
    settings.GENRE_KEEP_VISITORS_DAYS = DAYS["visitors"]
    return settings


@pytest.fixture
def now():
    return timezone.now()


@pytest.fixture
def version():
    return ModelVersion.objects.create(number=7, folder="m", sha256="0")


@pytest.fixture
def predicted(version, now):
    """Return a function that stores a prediction of so many days ago."""

    def predict(days, **fields):
        values = {"source": "page", "shown": [["fantasy", 0.8]], "n_words": 9, "milliseconds": 1.0, "text_hash": "0"}
        return Prediction.objects.create(version=version, at=now - timedelta(days=days), **values | fields)

    return predict


@pytest.fixture
def correct(now):
    """Return a function that stores a correction of so many days ago."""

    def correct(days, **fields):
        at = now - timedelta(days=days)
        values = {"text": "a dragon", "note": "n", "source": "page", "text_hash": "0", "verdict": "unsure"}
        return Correction.objects.create(created_at=at, visitor="v", **values | fields)

    return correct


def counts(**options):
    return {done.what: done.n for done in prune(**options)}


def test_predictions_go_when_they_are_too_old_and_stay_in_the_hourly_counts(predicted):
    old, young = predicted(DAYS["predictions"] + 1), predicted(DAYS["predictions"] - 1)
    assert counts()["predictions"] == 1
    assert list(Prediction.objects.values_list("uid", flat=True)) == [young.uid]
    assert [row.profile["n"] for row in TrafficHour.objects.order_by("hour")] == [1, 1]
    assert TrafficHour.objects.filter(hour__lte=old.at).exists()


def test_the_prediction_of_a_correction_stays_as_long_as_its_text(predicted, correct):
    kept, gone = (predicted(500) for _ in range(2))
    correct(500, prediction_uid=kept.uid, status="approved")
    correct(500, prediction_uid=gone.uid, status="withdrawn", text="")
    assert counts()["predictions"] == 1
    assert Prediction.objects.get().uid == kept.uid


def test_rejected_texts_go_so_long_after_the_decision(correct, now):
    old = correct(200, status="rejected", reviewed_at=now - timedelta(days=DAYS["rejected"] + 1))
    young = correct(200, status="rejected", reviewed_at=now - timedelta(days=DAYS["rejected"] - 1))
    imported = correct(200, status="rejected")
    others = [correct(200, status=status) for status in ("pending", "approved")]
    assert counts()["texts of rejected corrections"] == 2
    assert set(Correction.objects.erased()) == {old, imported}
    old.refresh_from_db()
    assert (old.status, old.text, old.note) == ("rejected", "", "")
    assert [(event.action, event.by) for event in old.events.all()] == [("erased", "retention")]
    assert all(Correction.objects.get(pk=row.pk).text for row in [young, *others])


def test_visitors_are_forgotten_after_some_days_and_corrections_stay(correct, now):
    old, young = correct(DAYS["visitors"] + 1), correct(DAYS["visitors"] - 1)
    AuditCount.objects.create(visitor="a", day=(now - timedelta(days=1)).date(), n=3)
    AuditCount.objects.create(visitor="b", day=now.date(), n=3)
    found = counts()
    assert (found["visitors of corrections"], found["visitors of the audit"]) == (1, 1)
    assert [Correction.objects.get(pk=row.pk).visitor for row in (old, young)] == ["", "v"]
    assert AuditCount.objects.get().visitor == "b"


def test_shared_results_go_when_they_expire_and_their_visitors_before(version, now):
    def share(days, left):
        expires_at = now + timedelta(days=left)
        return SharedResult.objects.create(
            text="a dragon", visitor="v", created_at=now - timedelta(days=days), expires_at=expires_at
        )

    share(30, 0)
    old, young = share(DAYS["visitors"] + 1, 20), share(DAYS["visitors"] - 1, 28)
    found = counts()
    assert (found["shared results"], found["visitors of shared results"]) == (1, 1)
    assert dict(SharedResult.objects.values_list("pk", "visitor")) == {old.pk: "", young.pk: "v"}


def test_sessions_go_when_they_are_over(now):
    for key, days in (("over", -1), ("open", 1)):
        Session.objects.create(session_key=key, session_data="", expire_date=now + timedelta(days=days))
    assert counts()["sessions of the staff"] == 1
    assert Session.objects.get().session_key == "open"


def test_answers_to_programs_and_failed_attempts_to_sign_in_go_when_nobody_needs_them(now, settings):
    lock = settings.AXES_COOLOFF_TIME
    for name, age in (("old", timedelta(days=1, minutes=1)), ("new", timedelta(hours=23))):
        IdempotentAnswer.objects.create(digest=name, request="r", at=now - age)
    for name, age in (("old", lock + timedelta(minutes=1)), ("new", timedelta(0))):
        row = AccessAttempt.objects.create(username=name, ip_address="192.0.2.1", failures_since_start=1)
        AccessAttempt.objects.filter(pk=row.pk).update(attempt_time=now - age)
    found = counts()
    assert (found["answers to repeated API requests"], found["failed attempts to sign in"]) == (1, 1)
    assert IdempotentAnswer.objects.get().digest == AccessAttempt.objects.get().username == "new"


def test_zero_keeps_for_ever(kept, predicted, correct):
    kept.GENRE_KEEP_PREDICTIONS_DAYS = kept.GENRE_KEEP_REJECTED_DAYS = kept.GENRE_KEEP_VISITORS_DAYS = 0
    predicted(5000)
    correct(5000, status="rejected")
    assert set(counts().values()) == {0}


def test_a_dry_run_says_the_same_and_deletes_nothing(predicted, correct):
    predicted(500)
    correct(200, status="rejected")
    said = counts(dry_run=True)
    assert (Prediction.objects.count(), Correction.objects.erased().count(), TrafficHour.objects.count()) == (1, 0, 0)
    assert counts() == said
    assert set(counts().values()) == {0}, "the second time nothing is due"


def test_it_works_in_short_steps_and_goes_on_after_an_interruption(predicted, monkeypatch):
    monkeypatch.setattr(retention, "BATCH", 2)
    for _ in range(5):
        predicted(500)
    steps, remove = [], retention._delete

    def remove_until(kind, keys):
        if len(steps) == 2:
            raise KeyboardInterrupt
        steps.append(len(keys))
        return remove(kind, keys)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(retention, "_delete", remove_until)
        prune()
    assert (steps, Prediction.objects.count()) == ([2, 2], 1)
    assert counts()["predictions"] == 1


def test_the_command_shows_what_it_did(predicted):
    predicted(500)
    said = [io.StringIO(), io.StringIO()]
    call_command("prune", "--dry-run", stdout=said[0])
    call_command("prune", stdout=said[1])
    dry, done = (text.getvalue() for text in said)
    assert "would be deleted" in dry
    assert "would be" not in done
    for text in (dry, done):
        (line,) = [line for line in text.splitlines() if "predictions" in line]
        assert "400 days" in line
        assert "1" in line.split("days")[1]
