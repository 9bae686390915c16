"""``import_predictions`` reads logs of any kind, stores what it can and says what it could not."""

import gzip
import io
import json
import uuid
from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.utils import timezone

from classifier.models import Prediction
from classifier.service_log import MAX_LINE
from feedback import production
from feedback.production import import_predictions

UNKNOWN = "e" * 64


@pytest.fixture
def line(champion):
    """Make a line as the service logs it, of ``n`` predictions; ``item`` changes them, other fields the line."""

    def make(n=1, *, item=None, **fields):
        values = {
            "shown": [["fantasy", 0.9], ["cooking", 0.05]],
            "abstained": "",
            "words": 9,
            "known": 8,
            "chars": 60,
            "milliseconds": 0.2,
            "text_hash": "a" * 64,
        }
        items = [{"id": str(uuid.uuid4())} | values | (item or {}) for _ in range(n)]
        at = timezone.now().isoformat().replace("+00:00", "Z")
        said = {"timestamp": at, "event": "request", "model_sha256": champion.sha256, "predictions": items}
        return (json.dumps(said | fields) + "\n").encode()

    return make


@pytest.fixture
def run(capsys):
    def run(*paths):
        call_command("import_predictions", *map(str, paths))
        return capsys.readouterr().out

    return run


def test_plain_and_gzip_files_are_read_whatever_their_names(line, run, tmp_path):
    plain, packed = tmp_path / "service.gz", tmp_path / "service.log"
    plain.write_bytes(line(2) + b'{"event": "request", "route": "live"}\n\n')
    packed.write_bytes(gzip.compress(line(3)))
    assert run(plain, packed) == "5 predictions imported.\n"
    assert run(plain, packed) == "0 predictions imported.\n5 were here already.\n"
    assert Prediction.objects.count() == 5


def test_a_log_may_come_from_standard_input_with_what_a_log_driver_writes_before(line, run, monkeypatch):
    read = io.BytesIO(b"2026-11-25T10:00:00.1Z stderr F " + line() + b"[pod/genre-1/api] " + line())
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=read))
    assert run("-") == "2 predictions imported.\n"


@pytest.mark.parametrize(
    "change",
    [
        {"id": "no-id"},
        {"shown": [["fantasy", 1.5]]},
        {"shown": [["fantasy", float("nan")]]},
        {"shown": [["<b>", 0.5]]},
        {"shown": [["fantasy", 0.5]] * 6},
        {"shown": 3},
        {"abstained": "x" * 31},
        {"words": -1},
        {"known": 2**31},
        {"chars": True},
        {"milliseconds": float("inf")},
        {"text_hash": "short"},
        {"text_hash": None},
    ],
    ids=str,
)
def test_a_prediction_that_cannot_be_one_is_left_and_the_others_are_stored(line, change):
    found = import_predictions([("log", io.BytesIO(line(item=change) + line()))])
    assert (found.n_new, found.n_bad) == (1, 1)
    assert found.bad[0].startswith("log, line 1 has ")


def test_lines_that_cannot_be_read_are_counted_and_not_quoted(line, run, tmp_path):
    log = tmp_path / "log"
    future = (timezone.now() + timedelta(days=1)).isoformat()
    lines = [
        b"secret words\n",
        b"[" * 50_000 + b"\n",
        b'{"predictions": ' + b"x" * MAX_LINE + b"\n",
        b"\xff{\n",
        b"[1]\n",
    ]
    lines += [
        line(timestamp=future),
        line(timestamp="soon"),
        line(model_sha256=7),
        line(predictions={}),
        line(predictions=[3]),
    ]
    log.write_bytes(b"".join(lines) + line() + line()[:-30])
    said = run(log)
    assert said.startswith("1 predictions imported.\n11 could not be read.\n")
    assert f"{log}, line 6 is of the future" in said
    assert "secret" not in said


def test_models_that_are_not_here_are_named_and_their_predictions_come_once_they_are(line, run, make_version, tmp_path):
    log = tmp_path / "log"
    log.write_bytes(line(2) + line(3, model_sha256=UNKNOWN))
    said = run(log)
    assert "3 are of models that this site does not have.\n" in said
    assert f"3 of {UNKNOWN}" in said
    version = make_version()
    type(version).objects.filter(pk=version.pk).update(sha256=UNKNOWN)
    assert run(log) == "3 predictions imported.\n2 were here already.\n"
    assert version.predictions.count() == 3


def test_what_is_older_than_the_site_keeps_does_not_come_back(line, run, settings, tmp_path):
    log = tmp_path / "log"
    log.write_bytes(line(timestamp=(timezone.now() - timedelta(days=40)).isoformat()))
    settings.GENRE_KEEP_PREDICTIONS_DAYS = 31
    assert "1 are older than GENRE_KEEP_PREDICTIONS_DAYS.\n" in run(log)
    settings.GENRE_KEEP_PREDICTIONS_DAYS = 0
    assert "1 predictions imported.\n" in run(log)


def test_a_file_that_is_cut_gives_what_it_has_and_the_command_says_so(line, run, tmp_path):
    log = tmp_path / "log.gz"
    whole = gzip.compress(line() + b"".join(line(20) for _ in range(50)))
    log.write_bytes(whole[: len(whole) - 200])
    with pytest.raises(CommandError, match="could not be read to its end"):
        run(log)
    assert Prediction.objects.count() > 500


def test_an_import_that_is_stopped_leaves_whole_batches_and_is_simply_done_again(line, monkeypatch):
    monkeypatch.setattr(production, "AT_ONCE", 4)
    content = line(3) + line(3) + line(3) + line(1)

    def stop(found, file):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        import_predictions([("log", io.BytesIO(content))], on_batch=stop)
    assert Prediction.objects.count() == 6
    found = import_predictions([("log", io.BytesIO(content))])
    assert (found.n_new, found.n_known, Prediction.objects.count()) == (4, 6, 10)


def test_a_service_that_logs_no_predictions_is_asked_about(champion, run, tmp_path):
    log = tmp_path / "log"
    log.write_bytes(b'{"event": "request", "route": "predict", "texts": 1}\n')
    assert "Does the service log at INFO" in run(log)


def test_the_key_of_the_service_is_not_the_secret(capsys, settings):
    call_command("service_key")
    key = capsys.readouterr().out.strip()
    assert len(bytes.fromhex(key)) == 32
    assert key != settings.SECRET_KEY
