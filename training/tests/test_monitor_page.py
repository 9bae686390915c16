"""The monitor page: who sees it, what it says, and that it reads what the monitor left and computes nothing."""

import re
from datetime import UTC, datetime, timedelta
from html import unescape

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from classifier.alerts import Finding, raise_alert
from classifier.models import Alert, ModelVersion
from classifier.predictions import predict_text
from classifier.registry import promote
from conftest import make_examples
from training.core.profile import Profile
from training.models import MonitorState, TrafficHour
from training.monitor.drawing import PERIODS, time_axis
from training.monitor.reading import monitor_page
from training.monitor.traffic import hour_of
from training.monitor.watch import watch
from training.templatetags import figures as tags
from training.tests.story import move, tell_story

pytestmark = pytest.mark.django_db
PAGE = reverse("training:monitor-read")


@pytest.fixture
def now():
    return timezone.now()


@pytest.fixture
def staff(client):
    """A browser in which a member of the staff is signed in."""
    client.force_login(User.objects.create_user("ada", password="x", is_staff=True))
    return client


def body(response):
    assert response.status_code == 200
    return response.content.decode()


def words(response):
    """Return the page's words without its tags."""
    text = re.sub(r"<(svg|details).*?</\1>", " ", body(response), flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", text)).split())


def chart(page, key):
    """Return the chart ``key`` of a page's context."""
    return next(one for one in page["charts"] if one.key == key)


def test_visitors_and_people_who_are_no_staff_are_sent_to_the_admins_login(client):
    login = f"{reverse('admin:login')}?next={PAGE}"
    assert client.get(PAGE).headers["Location"] == login
    client.force_login(User.objects.create_user("eve", password="x"))
    assert client.get(PAGE).headers["Location"] == login


def test_staff_may_read_it_and_no_cache_keeps_it(staff):
    response = staff.get(PAGE)
    assert (response.status_code, "no-store" in response["Cache-Control"]) == (200, True)
    assert staff.post(PAGE).status_code == 405


def test_staff_find_it_from_every_page_and_from_the_admin(staff, client):
    link = f'href="{PAGE}"'
    assert link in body(staff.get(reverse("classifier:privacy-read")))
    assert link in body(staff.get(reverse("admin:index")))
    client.logout()
    assert link not in body(client.get(reverse("classifier:privacy-read")))


def test_before_the_first_look_it_says_what_to_do(staff):
    said = words(staff.get(PAGE))
    assert "The monitor has not looked yet" in said
    assert "manage.py monitor --every 60" in said
    assert "No alert is open." in said
    assert "None: nobody is answered. Run manage.py ensure_model" in said


@pytest.mark.functional
def test_it_says_how_fresh_the_figures_are_and_when_the_monitor_stopped(staff, now):
    tell_story(now)
    said = words(staff.get(PAGE))
    assert f"Figures as of {now:%H:%M} UTC" in said
    assert "stopped looking" not in said
    MonitorState.objects.update(watched_at=timezone.now() - timedelta(minutes=9, seconds=50))
    assert "stopped looking" not in words(staff.get(PAGE))
    MonitorState.objects.update(watched_at=timezone.now() - timedelta(minutes=10, seconds=1))
    said = words(staff.get(PAGE))
    assert "The monitor stopped looking Its last look was more than 10 minutes ago" in said
    assert "manage.py monitor --every 60" in said


@pytest.mark.functional
def test_open_alerts_come_first_with_what_to_do_next_and_closed_ones_in_the_history(staff, now):
    tell_story(now)
    response = staff.get(PAGE)
    said = words(response)
    notice = "Notice Texts are shorter than those the champion was tested on PSI 0.31 over 2,104 texts. Next: Look at"
    assert notice in said
    assert said.index(notice) < said.index("Models Champion")
    history = said[said.index("Last alerts") :]
    assert "open Notice Texts are shorter" in history
    assert re.search(r"\d\d:\d\d Alarm Version 2 expects to be right", history)
    assert "(1) Monitor" in said


def test_the_words_of_an_alert_are_escaped_and_its_commands_marked(staff):
    raise_alert(Finding(key="k", title="<b>bold</b>", detail="<script>", next_step="Run `manage.py x <y>`, then look."))
    page = body(staff.get(PAGE))
    assert "&lt;b&gt;bold&lt;/b&gt;" in page
    assert "Run <code>manage.py x &lt;y&gt;</code>, then look." in page
    assert "<script>" not in page


@pytest.mark.functional
def test_a_figure_without_enough_data_is_no_number(staff, now):
    tell_story(now)
    said = words(staff.get(PAGE))
    assert "Not enough data yet (31 of 50) 52 asked" in said
    assert "77% (73% to 81%) 740 asked" in said
    assert "Right, of the corrections" in said


@pytest.mark.functional
def test_a_model_that_is_bad_on_purpose_is_marked_wherever_it_is_named(staff, now):
    _, bad, _ = tell_story(now)
    response = staff.get(PAGE)
    mark = "bad on purpose: swap-genres 0.5"
    assert words(response).count(mark) >= 2
    assert "v2 (bad)" in body(response)
    for state, begins in (("champion", "Champion Version 2, since"), ("challenger", "Challenger Version 2, reads")):
        ModelVersion.objects.filter(state=state).update(state="retired")
        ModelVersion.objects.filter(pk=bad.pk).update(state=state)
        assert re.search(rf"{begins}[^.]*{mark}", words(staff.get(PAGE)))


@pytest.mark.functional
def test_a_promotion_since_the_last_look_is_said(staff, now):
    good, bad, _ = tell_story(now)
    said = "The champion changed since the monitor last looked"
    assert said not in words(staff.get(PAGE))
    move(good, "retired", "retire", now)
    move(bad, "champion", "promote", now)
    assert said in words(staff.get(PAGE))


@pytest.mark.parametrize(("asked", "n_buckets"), [("1", 24), ("7", 28), ("30", 30), ("", 28), ("8", 28), ("x", 28)])
def test_the_charts_reach_back_as_far_as_the_address_says(staff, now, asked, n_buckets):
    tell_story(now, days=2)
    response = staff.get(PAGE, {"days": asked})
    assert [len(one.rows) for one in response.context["charts"]][:5] == [n_buckets] * 5
    chosen = re.search(r'href="\?days=(\d+)#charts-heading" aria-current="true"', body(response))[1]
    assert chosen == (asked if asked in map(str, PERIODS) else "7")


def test_every_request_of_the_period_is_in_the_chart_and_in_its_table(now):
    tell_story(now)
    page = monitor_page(7, now=now)
    requests = chart(page, "requests")
    cells = [[int(cell.replace(",", "")) for cell in row] for _, row in requests.rows]
    first = time_axis(now, 7).edges[0]
    for column, number in enumerate((1, 2)):
        hours = TrafficHour.objects.filter(version__number=number, is_shadow=False, hour__gte=first)
        wanted = sum(Profile.from_json(hour.profile).n for hour in hours)
        assert sum(row[column] for row in cells) == wanted > 100
    assert [key.name for key in requests.legend] == ["version 1", "version 2 (bad on purpose: swap-genres 0.5)"]
    assert "version 3, shadow" in [key.name for key in chart(page, "confidence").legend]


@pytest.mark.functional
def test_the_damage_and_the_repair_show_in_the_charts(now):
    # At some hours of the day a bucket holds so few texts of the bad model that their mean is an accident.
    now = now.replace(hour=3, minute=41)
    tell_story(now)
    page = monitor_page(7, now=now)
    confidence = chart(page, "confidence")
    of_two = [cells[1] for _, cells in confidence.rows if cells[1] != "–"]
    of_one = [cells[0] for _, cells in confidence.rows if cells[0] != "–"]
    assert max(int(cell[:-1]) for cell in of_two) < 60 < min(int(cell[:-1]) for cell in of_one)
    assert [marker.text for marker in confidence.markers] == ["v2 (bad)", "back to v1"]
    assert [marker.is_bad for marker in confidence.markers] == [True, False]
    assert "although the gate blocked it" in confidence.markers[0].title


def test_a_point_that_few_texts_stand_for_is_left_out(champion, now):
    for ago, n in ((1, 9), (2, 10)):
        profile = Profile()
        for _ in range(n):
            profile.add(n_words=9, n_known=9, n_chars=50, abstained="", first=("fantasy", 0.9), milliseconds=1.5)
        TrafficHour.objects.create(
            version=champion, hour=hour_of(now) - timedelta(hours=ago), profile=profile.as_json()
        )
    rows = chart(monitor_page(1, now=now), "confidence").rows
    assert [cells for _, cells in rows[-3:-1]] == [["90%"], ["–"]]
    assert [cells for _, cells in chart(monitor_page(1, now=now), "latency").rows[-3:-1]] == [
        ["1.6 ms", "1.6 ms"],
        ["–", "–"],
    ]


def test_the_page_reads_what_is_stored_and_computes_nothing(staff, now):
    tell_story(now)
    with CaptureQueriesContext(
        connection,
    ) as captured:
        assert staff.get(PAGE).status_code == 200
    asked = [query["sql"] for query in captured]
    assert len(asked) <= 14
    for table in ("classifier_prediction", "feedback_correction", "feedback_auditanswer"):
        assert [sql for sql in asked if table in sql] == []


@pytest.mark.functional
def test_the_page_holds_no_inline_style_or_script(staff, now):
    tell_story(now)
    page = body(staff.get(PAGE))
    assert re.findall(r"\sstyle=|\son\w+=|<style", page) == []
    assert re.findall(r"<script(?![^>]*\ssrc=)", page) == []


@pytest.mark.functional
def test_each_chart_has_a_title_a_description_and_a_table(staff, now):
    tell_story(now)
    figures = re.findall(r"<figure.*?</figure>", body(staff.get(PAGE)), flags=re.DOTALL)
    assert len(figures) == 7
    for figure in figures:
        described = re.search(r'role="img" aria-labelledby="(\S+) (\S+)"', figure).groups()
        for name in described:
            assert re.search(rf'<(title|desc) id="{name}">[^<]+</', figure)
        assert "<details>" in figure
        assert figure.count('<th scope="row">') >= 8


def test_what_really_happened_reaches_the_page(staff, champion, now):
    """No made-up figures: real predictions, a real look."""
    at = hour_of(now)
    for number, example in enumerate(make_examples(20)):
        predict_text(example.text, source="page", at=at + timedelta(milliseconds=number))
    watch(now + timedelta(seconds=10))
    response = staff.get(PAGE, {"days": 1})
    said = words(response)
    assert f"Champion Version {champion.number}, since" in said
    assert "Texts read answered 60 60" in said
    assert "No alert is open." in said
    drawn = {one.key: one for one in response.context["charts"]}
    assert [cells for _, cells in drawn["requests"].rows if cells != ["0"]] == [["60"]]
    assert sum(float(cells[0][:-1]) for _, cells in drawn["genres"].rows) == pytest.approx(100, abs=1)
    assert not drawn["scores"].is_empty


def test_a_real_promotion_draws_its_line(champion, make_version):
    second = promote(make_version().number, by="tests", reason="newer")
    changes = monitor_page(7)["changes"]
    assert [change.label for change in changes] == [f"v{second.number}", f"v{champion.number}"]
    assert changes[0].title.endswith(f"version {second.number} promoted")


@pytest.mark.parametrize("zone", ["Europe/Berlin", "Asia/Kolkata", "America/St_Johns", "UTC"])
@pytest.mark.parametrize("days", PERIODS)
def test_every_moment_falls_into_one_bucket_also_when_the_clocks_change(settings, zone, days):
    settings.TIME_ZONE = zone
    # Two days after the end of summer time in Europe.
    now = datetime(2026, 10, 27, 9, 30, tzinfo=UTC)
    axis = time_axis(now, days)
    assert list(axis.edges) == sorted(set(axis.edges))
    assert axis.edges[-2] <= now < axis.edges[-1]
    spans = {(high - low) / timedelta(hours=1) for low, high in zip(axis.edges, axis.edges[1:], strict=False)}
    change = {7: {7.0}, 30: {25.0}}.get(days, set()) if zone == "Europe/Berlin" else set()
    assert spans == {float(PERIODS[days])} | change
    if days != 1:
        assert timezone.localtime(axis.edges[0]).hour % PERIODS[days] == 0
        assert len(set(axis.names)) == len(axis.names)
    assert 5 <= len(axis.ticks) <= 8


def test_figures_are_written_for_people():
    assert tags.estimate({"value": 0.77, "low": 0.73, "high": 0.81, "n": 412}) == "77% (73% to 81%)"
    assert tags.estimate({"value": 0.02, "low": 0.016, "high": 0.024, "n": 900}) == "2.0% (1.6% to 2.4%)"
    assert tags.estimate({"value": None, "n": 1200, "needs": 5000}) == "Not enough data yet (1,200 of 5,000)"
    assert (tags.percent(None), tags.milliseconds(None)) == ("–", "–")
    assert (tags.chance(0.0004), tags.chance(0.042)) == ("below 0.001", "0.042")
    assert tags.commands("a `b` & c `d`") == "a <code>b</code> &amp; c <code>d</code>"
    assert (tags.signal("unknown"), tags.signal("new")) == ("Unknown words", "new")


def test_old_alerts_leave_the_history(staff, now):
    for number in range(25):
        raise_alert(Finding(key=f"k{number}", title=f"alert {number:02}", detail="", next_step=""), at=now)
        Alert.objects.filter(key=f"k{number}").update(opened_at=now + timedelta(seconds=number), closed_at=now)
    history = words(staff.get(PAGE)).split("Last alerts")[1]
    assert re.findall(r"alert (\d\d)", history) == [f"{number:02}" for number in range(24, 4, -1)]
