"""The life of the models in the admin: who did what, when and why, to be read by reviewers and changed by nobody."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from django.utils import timezone

from classifier.alerts import Finding, close_alerts, raise_alert
from classifier.models import Alert, ModelEvent, ModelVersion
from classifier.registry import forget_champion, promote, roll_back, shadow
from feedback.models import AuditAnswer

EVENTS = "/admin/classifier/modelevent/"
VERSIONS = "/admin/classifier/modelversion/"
ALERTS = "/admin/classifier/alert/"
AUDIT = "/admin/feedback/auditanswer/"
GATE = {
    "passed": False,
    "blocked_by": ["accuracy", "genres"],
    "checks": [
        {"name": "accuracy", "passed": False, "value": 0.25, "limit": "-0.02", "detail": "it was 0.56"},
        {"name": "latency", "passed": True, "value": None, "limit": "2", "detail": ""},
    ],
}


@pytest.fixture
def story(champion, make_version):
    """A bad model is forced into service and rolled back; an honest one reads along."""
    bad = make_version(sabotage={"kind": "swap-genres", "strength": 0.5})
    promote(bad.number, by="ada", reason="to see what breaks", gate=GATE, forced=True)
    roll_back(by="eve", reason="seen enough")
    shadow(make_version().number, share=0.25, by="ada")


@pytest.fixture
def answer(champion):
    return AuditAnswer.objects.create(
        prediction_uid="6a1f0b8e-0000-4000-8000-000000000000",
        version=champion,
        genre="fantasy",
        score=0.7,
        share=0.05,
        answer="no",
        predicted_at=timezone.now(),
    )


def finding(key, title="The genres shown have changed"):
    return Finding(key=key, title=title, detail="More cooking.", next_step="Look at the monitor.")


def listed(response):
    return list(response.context["cl"].queryset)


def page(browser, address):
    response = browser.get(address)
    assert response.status_code == 200
    return response.content.decode()


def test_the_history_tells_who_did_what_when_and_why_and_what_the_gate_said(desk, story):
    said = page(desk, EVENTS)
    for piece in (
        "to see what breaks", "ada", "seen enough", "eve", "Promoted", "Rolled back", "Shadow", "Registered",
        "blocked: accuracy, genres", "forced", "retired → champion", "version 2 (bad on purpose: swap-genres 0.5)", "reads 25% of the traffic",
    ):  # fmt: skip
        assert piece in said
    assert len(listed(desk.get(EVENTS))) == ModelEvent.objects.count() == 9


def test_the_history_is_filtered_by_action_and_version(desk, story):
    rolled_back = listed(desk.get(f"{EVENTS}?action__exact=roll-back"))
    assert {event.version.number for event in rolled_back} == {1, 2}
    second = ModelVersion.objects.get(number=2)
    assert len(listed(desk.get(f"{EVENTS}?version__id__exact={second.pk}"))) == 3
    forced = listed(desk.get(f"{EVENTS}?forced__exact=1"))
    assert [(event.version.number, event.to_state) for event in forced] == [(2, "champion")]


def test_an_event_shows_each_check_of_the_gate(desk, story):
    said = page(desk, f"{EVENTS}{ModelEvent.objects.get(forced=True).pk}/change/")
    assert "<th scope=row>accuracy</th><td>no</td><td>0.25</td><td>-0.02</td><td>it was 0.56</td>" in said
    assert "<th scope=row>latency</th><td>yes</td><td>–</td>" in said
    assert "<table" not in page(desk, f"{EVENTS}{ModelEvent.objects.filter(gate__isnull=True).first().pk}/change/")


def test_versions_show_their_state_the_shadows_share_and_what_was_made_bad_on_purpose(desk, story):
    said = page(desk, VERSIONS)
    assert "<strong>swap-genres 0.5</strong>" in said
    assert "Challenger (shadow), reads 25% of the traffic" in said
    one = page(desk, f"{VERSIONS}{ModelVersion.objects.get(number=2).pk}/change/")
    for piece in (
        "<strong>swap-genres 0.5</strong>", "to see what breaks", "blocked: accuracy, genres", "forced", "ada", "eve",
    ):  # fmt: skip
        assert piece in one
    assert "swap-genres" not in page(desk, f"{VERSIONS}{ModelVersion.objects.get(number=1).pk}/change/")


@pytest.mark.functional
@pytest.mark.parametrize("table", ["modelevent", "alert", "auditanswer"])
def test_nothing_can_be_added_changed_or_deleted_by_any_screen_not_even_by_a_superuser(desk, story, answer, table):
    raise_alert(finding("drift"))
    model = {"modelevent": ModelEvent, "alert": Alert, "auditanswer": AuditAnswer}[table]
    before = list(model.objects.values())
    row = model.objects.first()
    home = f"/admin/{model._meta.app_label}/{table}/"
    forged = {"by": "nobody", "reason": "forged", "answer": "yes", "title": "forged", "post": "yes"}
    for address in (f"{home}add/", f"{home}{row.pk}/change/", f"{home}{row.pk}/delete/"):
        assert desk.post(address, forged).status_code == 403
    desk.post(home, {"action": "delete_selected", "_selected_action": [row.pk], "post": "yes"})
    assert "delete_selected" not in page(desk, home)
    assert "_save" not in page(desk, f"{home}{row.pk}/change/")
    assert list(model.objects.values()) == before


def test_the_history_inside_a_version_can_not_be_changed_either(desk, story):
    version = ModelVersion.objects.get(number=2)
    before = list(ModelEvent.objects.values())
    event = version.events.first()
    fields = {
        "events-TOTAL_FORMS": "1", "events-INITIAL_FORMS": "1", "events-0-id": event.pk, "events-0-version": version.pk,
        "events-0-by": "nobody", "events-0-reason": "forged", "events-0-DELETE": "on", "state": "champion",
    }  # fmt: skip
    assert desk.post(f"{VERSIONS}{version.pk}/change/", fields).status_code == 403
    assert desk.post(f"{VERSIONS}{version.pk}/delete/", {"post": "yes"}).status_code == 403
    assert list(ModelEvent.objects.values()) == before
    assert ModelVersion.objects.get(number=2).state == version.state == "retired"


def test_open_alerts_come_first_and_closed_ones_stay(desk, db):
    now = timezone.now()
    raise_alert(finding("old", "An old one"), at=now - timedelta(days=9))
    raise_alert(finding("done", "A closed one"), at=now - timedelta(days=1))
    raise_alert(finding("new", "A new one"), at=now)
    close_alerts(["done"])
    assert [alert.key for alert in listed(desk.get(ALERTS))] == ["new", "old", "done"]
    said = page(desk, ALERTS)
    assert said.count("still open") == 2
    assert "Look at the monitor." in said
    assert [alert.key for alert in listed(desk.get(f"{ALERTS}?open=no"))] == ["done"]
    assert {alert.key for alert in listed(desk.get(f"{ALERTS}?open=yes"))} == {"new", "old"}


def test_the_answers_of_the_audit_are_listed(desk, answer):
    said = page(desk, AUDIT)
    for piece in ("fantasy", "0.7", "0.05", "No", "version 1"):
        assert piece in said
    assert listed(desk.get(f"{AUDIT}?answer__exact=yes")) == []


def test_a_correction_of_what_a_bad_model_said_tells_so_in_the_desk_and_on_its_receipt(desk, make_version, send):
    bad = make_version(sabotage={"kind": "swap-genres", "strength": 0.5})
    promote(bad.number, by="ada", forced=True, reason="to see what breaks")
    forget_champion()
    correction = send()
    assert "version 2 (bad on purpose: swap-genres 0.5)" in page(desk, "/admin/feedback/correction/")
    receipt = page(desk, reverse("feedback:correction-read", args=[correction.receipt]))
    assert "(version 2, made bad on purpose: swap-genres 0.5)" in receipt


@pytest.mark.parametrize("address", [EVENTS, ALERTS, AUDIT])
def test_strangers_and_other_staff_see_none_of_it(client, db, address):
    assert client.get(address)["Location"].startswith(reverse("admin:login"))
    client.force_login(User.objects.create_user("otto", is_staff=True))
    assert client.get(address).status_code == 403
