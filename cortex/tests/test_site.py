"""The prediction service and the site together: what it answers is counted here, and can be corrected here."""

import json
import logging
from datetime import timedelta
from io import BytesIO

import pytest
from django.conf import settings
from django.utils import timezone
from django.utils.crypto import salted_hmac

from classifier.core.naming import hash_line, new_id, text_key
from classifier.core.text import one_line
from classifier.models import Prediction
from classifier.predictions import hash_text
from classifier.registry import shadow
from classifier.tests.programs import problem
from cortex.logs import Line
from cortex.tests.asking import TEXT, call, serve
from feedback.models import Correction, ReviewEvent
from feedback.production import import_predictions
from training.monitor.look import take_look
from training.monitor.traffic import count_traffic
from training.monitor.watch import watch
from training.tests.monitoring import store_shadow, store_traffic

FEEDBACK = "/api/v1/feedback"
UNKNOWN = "xyzzy plugh frotz gnusto rezrov"
SOON = timedelta(seconds=10)


@pytest.fixture
def service(champion, model_folder):
    """The service, with the champion's model and the site's key."""
    return serve(model_folder, hash_key=text_key(settings.SECRET_KEY))


@pytest.fixture
def import_log(caplog):
    """Import what the service logged so far."""
    caplog.set_level(logging.INFO)

    def run():
        written = "\n".join(Line().format(record) for record in caplog.records if record.name.startswith("cortex"))
        return import_predictions([("log", BytesIO(written.encode()))])

    return run


def test_site_and_service_hash_a_text_alike(service):
    line = one_line(TEXT)
    old = salted_hmac("classifier.text", line, secret=settings.SECRET_KEY, algorithm="sha256").hexdigest()
    assert hash_text(TEXT) == hash_line(line, text_key(settings.SECRET_KEY)) == old


def test_what_the_service_answered_is_a_row_like_the_sites_own_and_only_once(service, import_log, champion):
    answers = call(service, "POST", "/", [TEXT, UNKNOWN, "short"])[1]["predictions"]
    found = import_log()
    assert (found.n_new, found.n_known, found.n_bad) == (2, 0, 0)
    row = Prediction.objects.get(uid=answers[0]["prediction_id"])
    assert (row.version, row.source, row.shown[0][0], row.abstained) == (champion, "service", "fantasy", "")
    assert (row.n_chars, row.text_hash, row.asked) == (len(TEXT), hash_text(TEXT), 0.0)
    assert timezone.now() - row.at < SOON
    assert Prediction.objects.get(uid=answers[1]["prediction_id"]).abstained == "nothing-known"
    again = import_log()
    assert (again.n_new, again.n_known, Prediction.objects.count()) == (0, 2, 2)


def test_the_monitor_counts_it_as_traffic_of_its_version(service, import_log):
    call(service, "POST", "/", [TEXT, TEXT, UNKNOWN])
    import_log()
    [version] = watch(timezone.now() + SOON)["versions"]
    assert (version["n"], version["n_answered"], version["role"]) == (3, 2, "shown")
    import_log()
    assert watch(timezone.now() + SOON)["versions"][0]["n"] == 3


def test_a_challenger_is_not_held_against_texts_that_it_did_not_read(champion, make_version):
    challenger = make_version()
    shadow(challenger.number, share=1.0, by="tests")
    start = timezone.now()
    on_site = store_traffic(champion, 10, start=start, hours=0.01)
    store_traffic(champion, 20, start=start, hours=0.01, source="service", abstained="not-english")
    store_shadow(challenger, on_site)
    count_traffic(start + timedelta(hours=1))
    look = take_look(start + timedelta(hours=1))
    assert look.recent.window.profile.n == 30
    assert (look.shadow.challenger.n, look.shadow.champion.profile.n) == (10, 10)


def test_a_correction_after_the_import_knows_what_was_shown(service, import_log, api, champion):
    uid = call(service, "POST", "/", {"text": TEXT})[1]["prediction_id"]
    import_log()
    assert api.post(FEEDBACK, {"text": TEXT, "prediction_id": uid, "genres": ["cooking"]}).status_code == 201
    row = Correction.objects.get()
    assert (str(row.prediction_uid), row.version, row.source) == (uid, champion, "service")
    assert row.shown[0][0] == "fantasy"


def test_a_correction_before_the_import_is_accepted_and_tied_by_it(service, import_log, api, champion):
    uid = call(service, "POST", "/", {"text": TEXT})[1]["prediction_id"]
    sent = {"text": TEXT, "prediction_id": uid, "genres": ["cooking"]}
    first, second = (api.post(FEEDBACK, sent) for _ in range(2))
    assert (first.status_code, first.json()) == (201, second.json())
    row = Correction.objects.get()
    assert (row.version, row.shown, row.source) == (None, [], "service")
    assert "not known here yet" in api.get(f"/corrections/{row.receipt}/").content.decode()
    assert watch(timezone.now() + SOON)["versions"] == []
    assert import_log().n_tied == 1
    row.refresh_from_db()
    assert (row.version, row.shown[0][0]) == (champion, "fantasy")
    assert ReviewEvent.objects.filter(correction=row, action="tied", by="import_predictions").exists()
    assert watch(timezone.now() + SOON)["versions"][0]["naive_accuracy"]["n"] == 1
    assert import_log().n_tied == 0


def test_an_id_that_the_service_did_not_give_to_this_text_is_unknown(service, api):
    uid = call(service, "POST", "/", {"text": TEXT})[1]["prediction_id"]
    made_up = new_id(hash_text(TEXT), bytes(32))
    for text, name in ((f"{TEXT} And more.", uid), (TEXT, made_up)):
        sent = api.post(FEEDBACK, {"text": text, "prediction_id": name, "genres": ["cooking"]})
        problem(sent, "unknown-prediction")
    assert not Correction.objects.exists()


def test_a_service_goes_on_with_the_key_of_before_while_the_secret_is_changed(
    champion, model_folder, api, settings, import_log
):
    service = serve(model_folder, hash_key=text_key("the secret of before"))
    settings.SECRET_KEY_FALLBACKS = ["the secret of before"]
    early, late = (call(service, "POST", "/", {"text": TEXT})[1]["prediction_id"] for _ in range(2))
    for uid in (early, late):
        assert api.post(FEEDBACK, {"text": TEXT, "prediction_id": uid, "none_fits": True}).status_code == 201
        import_log()
    assert Correction.objects.filter(version=champion).count() == 2


def test_a_service_without_the_key_is_watched_and_not_corrected_by_id(champion, model_folder, import_log, api):
    assert call(serve(model_folder), "POST", "/", {"text": TEXT})[1]["prediction_id"] is None
    assert import_log().n_new == 1
    uid = str(Prediction.objects.get().uid)
    problem(api.post(FEEDBACK, {"text": TEXT, "prediction_id": uid, "genres": ["cooking"]}), "unknown-prediction")


def test_no_text_is_in_what_is_logged_and_stored(service, import_log, caplog):
    call(service, "POST", "/", {"text": TEXT})
    import_log()
    stored = json.dumps(list(Prediction.objects.values()), default=str)
    assert "wizard" not in stored
    assert "wizard" not in str([record.__dict__ for record in caplog.records])
