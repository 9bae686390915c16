"""/metrics: who may read it, the same figures as the page, and rules and dashboards that name only what is there."""

import json
import re
from datetime import timedelta
from pathlib import Path

import pytest
import yaml
from django.contrib.auth.models import User
from django.urls import reverse
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from classifier.models import Alert
from training.core.profile import Profile
from training.models import MonitorState, TrafficHour
from training.monitor.prometheus import forget_settled, scrape
from training.tests.story import enough, make_hours, tell_story

pytestmark = pytest.mark.django_db
METRICS = reverse("training:metrics-read")
MONITORING = Path(__file__).resolve().parents[2] / "docs" / "monitoring"
TOKEN = "a token of a fair length"


@pytest.fixture(autouse=True)
def _nothing_settled():
    forget_settled()
    yield
    forget_settled()


@pytest.fixture
def now():
    return timezone.now()


def parse(text):
    """Return a scrape as a dict from (name, labels) to value."""
    samples = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            key = (sample.name, frozenset(sample.labels.items()))
            assert key not in samples, f"{key} is there twice"
            samples[key] = sample.value
    return samples


def scraped(now=None):
    return parse(scrape(now=now).decode())


def value(samples, name, **labels):
    return samples.get((name, frozenset(labels.items())))


def test_it_is_refused_with_an_explanation_to_whoever_has_no_right(client, settings):
    settings.GENRE_METRICS_TOKEN = TOKEN
    eve = User.objects.create_user("eve")
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": TOKEN}, {"Authorization": "Bearer "}):
        response = client.get(METRICS, headers=headers)
        assert (response.status_code, response["WWW-Authenticate"]) == (401, 'Bearer realm="metrics"')
        assert "GENRE_METRICS_TOKEN" in response.content.decode()
        assert "genre_" not in response.content.decode()
    client.force_login(eve)
    assert client.get(METRICS).status_code == 401


def test_without_a_token_of_its_own_no_token_opens_it(client, settings):
    settings.GENRE_METRICS_TOKEN = ""
    assert client.get(METRICS, headers={"Authorization": "Bearer "}).status_code == 401
    assert client.get(METRICS, headers={"Authorization": "Bearer"}).status_code == 401


def test_the_token_and_staff_may_read_it_and_nobody_may_post(client, settings):
    settings.GENRE_METRICS_TOKEN = TOKEN
    response = client.get(METRICS, headers={"Authorization": f"Bearer {TOKEN}"})
    assert response.status_code == 200
    assert response["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert "no-store" in response["Cache-Control"]
    assert client.post(METRICS, headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 405
    client.force_login(User.objects.create_user("ada", is_staff=True))
    assert client.get(METRICS).status_code == 200


def test_before_anything_happened_a_scrape_is_empty_and_valid():
    assert scraped() == {}


@pytest.mark.functional
def test_counters_and_histograms_add_up_all_hours_by_version_and_role(champion, make_version, now):
    other = make_version()
    make_hours(champion, now - timedelta(days=40), now, at_noon=3)
    make_hours(other, now - timedelta(hours=5), now, is_shadow=True)
    samples = scraped(now)
    whole = Profile()
    for row in TrafficHour.objects.filter(version=champion):
        whole.merge(Profile.from_json(row.profile))
    labels = {"version": "1", "role": "shown"}
    assert value(samples, "genre_predictions_total", **labels) == whole.n > 100
    assert value(samples, "genre_abstained_total", **labels, reason="no-genre") == whole.abstained["no-genre"] > 0
    assert value(samples, "genre_confidence_count", **labels) == whole.n_answered
    assert value(samples, "genre_confidence_sum", **labels) == pytest.approx(whole.sums["confidence"])
    assert value(samples, "genre_confidence_bucket", **labels, le="0.5") == sum(whole.bins["confidence"][:5])
    assert value(samples, "genre_milliseconds_bucket", **labels, le="+Inf") == whole.n
    genre, count = whole.genres.most_common(1)[0]
    assert value(samples, "genre_answers_total", **labels, genre=genre) == count > 0
    assert value(samples, "genre_predictions_total", version="2", role="shadow") > 0


def test_a_counter_never_falls_not_even_when_an_hour_is_counted_late(champion, now):
    make_hours(champion, now - timedelta(days=9), now - timedelta(days=5))
    before = value(scraped(now), "genre_predictions_total", version="1", role="shown")
    late = Profile()
    late.add(n_words=9, n_known=9, n_chars=50, abstained="", first=("fantasy", 0.9), milliseconds=1.0)
    TrafficHour.objects.create(version=champion, hour=now - timedelta(days=3), profile=late.as_json())
    assert value(scraped(now), "genre_predictions_total", version="1", role="shown") == before + 1
    tomorrow = now + timedelta(days=1)
    assert value(scraped(tomorrow), "genre_predictions_total", version="1", role="shown") == before + 1


def test_an_hour_long_past_that_is_still_being_counted_is_read_again(champion, now):
    state = MonitorState.objects.create(counted_up_to=5)
    make_hours(champion, now - timedelta(days=4), now - timedelta(days=3))
    before = value(scraped(now), "genre_predictions_total", version="1", role="shown")
    row = TrafficHour.objects.order_by("hour").last()
    grown = Profile.from_json(row.profile)
    grown.add(n_words=9, n_known=9, n_chars=50, abstained="", first=("fantasy", 0.9), milliseconds=1.0)
    row.profile = grown.as_json()
    row.save()
    state.counted_up_to = 6
    state.save()
    assert value(scraped(now), "genre_predictions_total", version="1", role="shown") == before + 1


@pytest.mark.functional
def test_hours_long_past_are_not_read_again_at_each_scrape(champion, now, django_assert_num_queries):
    make_hours(champion, now - timedelta(days=20), now)
    TrafficHour.objects.filter(hour__lt=now - timedelta(days=5)).update(profile=Profile().as_json())
    scrape(now=now)
    # Were they read again, the damage would show.
    TrafficHour.objects.filter(hour__lt=now - timedelta(days=5)).update(profile={})
    assert value(scraped(now), "genre_predictions_total", version="1", role="shown") > 0


def test_figures_of_the_last_look_are_there_and_those_without_enough_data_are_absent(now):
    tell_story(now)
    samples = scraped(now + timedelta(seconds=90))
    assert value(samples, "genre_monitor_age_seconds") == pytest.approx(90)
    assert value(samples, "genre_expected_accuracy", version="2", role="shown") == 0.52
    assert value(samples, "genre_audit_accuracy", version="1", role="shown") == 0.77
    assert value(samples, "genre_audit_accuracy_low", version="1", role="shown") == 0.73
    assert value(samples, "genre_audit_accuracy_high", version="1", role="shown") == 0.81
    assert value(samples, "genre_audit_accuracy", version="2", role="shown") is None
    assert value(samples, "genre_audit_accuracy_low", version="2", role="shown") is None
    assert value(samples, "genre_reported_wrong_ratio", version="2", role="shown") == 0.14
    assert value(samples, "genre_drift_psi", signal="words", against="reference") == 0.31
    assert value(samples, "genre_drift_detected", signal="words", against="reference") == 1
    assert value(samples, "genre_drift_detected", signal="words", against="baseline") == 0
    assert value(samples, "genre_shadow_agreement_ratio", version="3") == 0.83
    assert value(samples, "genre_shadow_accuracy", version="3") is None
    assert value(samples, "genre_audit_accuracy_by_genre", version="1", genre="fantasy") == 0.81
    assert value(samples, "genre_audit_accuracy_by_genre_low", version="1", genre="fantasy") == pytest.approx(0.71)
    assert value(samples, "genre_audit_accuracy_by_genre", version="2", genre="fantasy") is None


def test_champion_challenger_and_open_alerts_are_those_of_this_moment(now, make_version):
    good, bad, _ = tell_story(now)
    samples = scraped(now)
    assert value(samples, "genre_champion_info", version="1", sabotage="") == 1
    assert value(samples, "genre_challenger_info", version="3", sabotage="") == 1
    assert value(samples, "genre_alerts_open", severity="notice", key="drift-words") == 1
    assert [name for name, _ in samples if name == "genre_alerts_open"] == ["genre_alerts_open"]
    Alert.objects.update(closed_at=now)
    for version, state in ((good, "retired"), (bad, "champion")):
        version.state = state
        version.save()
    samples = scraped(now)
    assert value(samples, "genre_champion_info", version="2", sabotage="swap-genres 0.5") == 1
    assert value(samples, "genre_champion_info", version="1", sabotage="") is None
    assert [name for name, _ in samples if name == "genre_alerts_open"] == []


def test_a_monitor_that_never_looked_has_no_age(champion):
    MonitorState.objects.create(counted_up_to=5)
    assert value(scraped(), "genre_monitor_age_seconds") is None
    assert value(scraped(), "genre_champion_info", version="1", sabotage="") == 1


def test_every_metric_is_documented_and_every_documented_one_is_there(now):
    tell_story(now)
    state = MonitorState.objects.get()
    state.figures["shadow"]["challenger_accuracy"] = enough(0.7, 200, 0.1)
    state.save()
    ends = re.compile(r"(_bucket|_count|_sum|_low|_high)$")
    there = {ends.sub("", name) for name, _ in scraped(now)}
    operations = (MONITORING.parent / "operations.md").read_text()
    rows = re.findall(r"^\| (`genre_.*?) \|", operations, flags=re.MULTILINE)
    assert set(re.findall(r"genre_[a-z_]+", " ".join(rows))) == there


# Names of ours in an expression of PromQL; what stands in braces are labels, and quoted texts are no names.
NAMES = re.compile(r"\bgenre_[a-z_]+")


def expressions():
    """Return every expression of the rule file and of the dashboard, with where it is."""
    rules = yaml.safe_load((MONITORING / "alerts.yml").read_text())
    for group in rules["groups"]:
        for rule in group["rules"]:
            yield f"rule {rule['alert']}", rule["expr"]
    dashboard = json.loads((MONITORING / "grafana.json").read_text())
    for panel in dashboard["panels"]:
        for target in panel.get("targets", ()):
            yield f"panel {panel['title']}", target["expr"]
    for annotation in dashboard["annotations"]["list"]:
        yield f"annotation {annotation['name']}", annotation["expr"]
    for variable in dashboard["templating"]["list"]:
        if variable["type"] == "query":
            yield f"variable {variable['name']}", variable["definition"]


def test_rules_and_dashboard_name_only_metrics_and_labels_that_a_scrape_has(now):
    tell_story(now)
    samples = scraped(now)
    labels = {}
    for name, pairs in samples:
        labels.setdefault(name, set()).update(label for label, _ in pairs)
    found = list(expressions())
    assert len(found) >= 15
    for where, expression in found:
        bare = re.sub(r'"[^"]*"', '""', expression)
        names = set(NAMES.findall(bare))
        assert names, f"{where} names no metric"
        assert names <= set(labels), f"{where} names {names - set(labels)}"
        for name, selector in re.findall(r"\b(genre_[a-z_]+)\{([^}]*)\}", bare):
            used = set(re.findall(r"([a-z_]+)\s*(?:=~|!~|!=|=)", selector))
            assert used <= labels[name], f"{where}: {name} has no label {used - labels[name]}"


def test_every_rule_says_what_is_wrong_and_what_to_do():
    rules = yaml.safe_load((MONITORING / "alerts.yml").read_text())
    for group in rules["groups"]:
        for rule in group["rules"]:
            assert {"summary", "description"} <= set(rule["annotations"]), rule["alert"]
            assert rule["labels"]["severity"] in ("alarm", "notice"), rule["alert"]


def test_every_panel_of_the_dashboard_has_a_place_of_its_own():
    dashboard = json.loads((MONITORING / "grafana.json").read_text())
    taken = set()
    for panel in dashboard["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert max(x for x, _ in cells) < 24, panel["title"]
        assert not cells & taken, panel["title"]
        taken |= cells
    assert len({panel["id"] for panel in dashboard["panels"]}) == len(dashboard["panels"])
