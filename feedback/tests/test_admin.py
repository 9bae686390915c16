import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, User
from django.urls import reverse

from classifier.genre_table import current_genres
from classifier.models import Genre, ModelVersion
from feedback.actions import review, withdraw
from feedback.apps import REVIEWER_GROUP, REVIEWER_RIGHTS
from feedback.tests.browser import form_of
from feedback.tests.conftest import DRAGON, trail

LIST = "/admin/feedback/correction/"
OVEN = "Whisk the butter with sugar and flour, then bake the dough"


def change_page(correction):
    return f"{LIST}{correction.pk}/change/"


def listed(response):
    return {correction.pk for correction in response.context["cl"].queryset}


def messages(response):
    return [str(message) for message in response.context["messages"]]


def act(browser, action, corrections, **fields):
    """Tick corrections in the list and choose an action."""
    selected = [correction.pk for correction in corrections]
    return browser.post(LIST, {"action": action, "_selected_action": selected, **fields}, follow=True)


def edit(browser, correction, **changes):
    """Open a correction, change some fields of its form, save."""
    fields = form_of(browser.get(change_page(correction)), "") | changes
    return browser.post(change_page(correction), fields, follow=True)


def pks(*slugs):
    return [Genre.objects.get(slug=slug).pk for slug in slugs]


def test_the_list_shows_the_text_what_was_shown_and_what_was_chosen(desk, send):
    send(DRAGON, genres=("cooking",))
    send(OVEN, none_fits=True, proposal="Bakery noir")
    page = desk.get(LIST).content.decode()
    for piece in (DRAGON, OVEN, "fantasy ", "%", "cooking", "proposes “Bakery noir”", "Pending", "version 1"):
        assert piece in page


def test_markup_in_a_text_is_shown_and_never_run(desk, send):
    correction = send(
        "<script>alert(1)</script> and the dragon of the castle", note="<img src=x onerror=alert(2)>", not_sure=True
    )
    for address in (LIST, change_page(correction)):
        page = desk.get(address).content.decode()
        assert "&lt;script&gt;alert(1)" in page
        assert "<script>alert(1)" not in page
        assert "<img src=x" not in page


@pytest.mark.functional
def test_the_list_is_filtered_by_status_verdict_genre_version_and_source(desk, send, make_correction, reviewer):
    first, second = send(DRAGON, genres=("fantasy", "cooking")), send(OVEN, none_fits=True)
    third = make_correction("An imported line about the market", genres=("cooking",), source="import")
    review(corrections=[third.pk], status="approved", by=reviewer)
    for query, expected in {
        "status__exact=pending": {first.pk, second.pk},
        "status__exact=approved": {third.pk},
        "verdict__exact=none": {second.pk},
        "genre=cooking": {first.pk, third.pk},
        "genre=romance": set(),
        f"version__id__exact={first.version_id}": {first.pk, second.pk},
        "source__exact=import": {third.pk},
        "genre=cooking&status__exact=pending": {first.pk},
    }.items():
        response = desk.get(f"{LIST}?{query}")
        assert response.status_code == 200
        assert listed(response) == expected, query


@pytest.mark.functional
def test_the_list_is_searched_by_text_note_and_proposal(desk, send):
    first = send(DRAGON, genres=("fantasy",), note="Smells of garlic")
    second = send(OVEN, none_fits=True, proposal="Bakery noir")
    for words, expected in {"wizard": {first.pk}, "GARLIC": {first.pk}, "noir": {second.pk}, "walrus": set()}.items():
        assert listed(desk.get(LIST, {"q": words})) == expected, words


@pytest.mark.functional
def test_corrections_are_approved_rejected_and_reopened_in_bulk(desk, send):
    several = [send(), send(), send()]
    for action, status in (("approve", "approved"), ("reject", "rejected"), ("reopen", "pending")):
        response = act(desk, action, several)
        assert messages(response) == ["3 changed."]
        for correction in several:
            correction.refresh_from_db()
            assert correction.status == status
    name = response.context["user"].get_username()
    assert trail(several[0])[1:] == [("approved", name), ("rejected", name), ("pending", name)]


def test_a_bulk_decision_says_what_it_left_alone_and_why(desk, send):
    fine, unsure, gone = send(), send(not_sure=True), send()
    withdraw(correction=gone)
    response = act(desk, "approve", [fine, unsure, gone])
    assert sorted(messages(response)) == [
        "1 changed.",
        "1 left alone: no genre chosen: set genres first, or reject it.",
        "1 left alone: withdrawn by its author.",
    ]


def test_all_corrections_of_a_filtered_list_are_decided_at_once(desk, send, settings):
    two, other = [send(genres=("cooking",)), send(genres=("cooking",))], send(genres=("fantasy",))
    fields = {"action": "approve", "_selected_action": [two[0].pk], "select_across": "1"}
    assert messages(desk.post(f"{LIST}?genre=cooking", fields, follow=True)) == ["2 changed."]
    other.refresh_from_db()
    assert other.status == "pending"


def test_other_genres_are_set_in_bulk_through_a_page_of_their_own(desk, send):
    several = [send(), send(not_sure=True)]
    asked = act(desk, "change_genres", several)
    assert asked.templates[0].name == "admin/feedback/change_genres.html"
    fields = form_of(asked, "")
    assert fields["action"] == ["change_genres"]
    assert sorted(fields["_selected_action"]) == sorted(str(correction.pk) for correction in several)
    assert "genres" not in fields, "nothing may be ticked in advance"
    page = asked.content.decode()
    assert all(f'value="{genre.slug}"' in page for genre in Genre.objects.all())
    assert several[0].slugs() == ("fantasy",)
    sent = fields | {"genres": ["cooking", "romance"], "reason": ["a cookbook"], "apply": ["1"]}
    assert messages(desk.post(LIST, sent, follow=True)) == ["2 changed."]
    for correction in several:
        correction.refresh_from_db()
        assert correction.slugs() == ("cooking", "romance")
        assert correction.events.get(action="edited").reason == "a cookbook"
    assert [each.chosen for each in several] == [["fantasy"], []]


def test_setting_no_genre_in_bulk_asks_again(desk, send):
    correction = send()
    response = act(desk, "change_genres", [correction], apply="1", reason="")
    assert messages(response) == ["Tick at least one genre."]
    assert form_of(response, "")["_selected_action"] == [str(correction.pk)]
    assert correction.slugs() == ("fantasy",)


def test_setting_a_genre_that_does_not_exist_asks_again(desk, send):
    correction = send()
    response = act(desk, "change_genres", [correction], apply="1", genres=["no-such-genre"])
    assert messages(response) == ["There is no genre “no-such-genre”."]
    assert correction.slugs() == ("fantasy",)


@pytest.mark.functional
def test_one_page_sets_genres_decides_and_keeps_the_reason(desk, send):
    correction = send(genres=("fantasy",))
    page = desk.get(change_page(correction))
    assert form_of(page, "")["genres"] == [str(pk) for pk in pks("fantasy")]
    response = edit(desk, correction, genres=pks("cooking"), decision="approved", reason="plainly a recipe")
    assert response.status_code == 200
    assert response.redirect_chain, response.context and response.context.get("errors")
    correction.refresh_from_db()
    assert (correction.status, correction.slugs(), correction.chosen) == ("approved", ("cooking",), ["fantasy"])
    actions = list(correction.events.order_by("pk").values_list("action", "reason"))
    assert actions == [("submitted", ""), ("edited", "plainly a recipe"), ("approved", "plainly a recipe")]
    assert LogEntry.objects.filter(object_id=str(correction.pk)).count() == 1


@pytest.mark.functional
def test_the_page_of_a_correction_shows_its_history(desk, send):
    correction = send(genres=("fantasy",))
    edit(desk, correction, genres=pks("cooking"), decision="rejected", reason="A riddle, no recipe")
    page = desk.get(change_page(correction)).content.decode()
    for piece in ("submitted", "fantasy → cooking", "pending → rejected", "A riddle, no recipe"):
        assert piece in page


@pytest.mark.functional
def test_the_text_and_what_the_person_chose_cannot_be_edited(desk, send):
    correction = send()
    forged = {"text": "forged", "chosen": '["cooking"]', "note": "forged", "status": "approved", "verdict": "none"}
    edit(desk, correction, **forged)
    correction.refresh_from_db()
    assert (correction.text, correction.chosen, correction.note) == (DRAGON, ["fantasy"], "")
    assert (correction.status, correction.verdict) == ("pending", "genres")


@pytest.mark.functional
def test_approving_without_a_genre_is_an_error_on_the_page(desk, send):
    correction = send(not_sure=True)
    response = edit(desk, correction, decision="approved")
    assert "Tick the genres first" in response.content.decode()
    correction.refresh_from_db()
    assert correction.status == "pending"
    assert trail(correction) == [("submitted", "visitor")]


@pytest.mark.functional
def test_saving_without_a_change_leaves_no_trace_in_the_history(desk, send):
    correction = send()
    edit(desk, correction)
    assert trail(correction) == [("submitted", "visitor")]


@pytest.mark.functional
def test_a_withdrawn_correction_cannot_be_brought_back(desk, send):
    correction = withdraw(correction=send())
    response = edit(desk, correction, genres=pks("cooking"), decision="approved")
    assert "1 left alone: withdrawn by its author." in messages(response)
    correction.refresh_from_db()
    assert (correction.status, correction.slugs()) == ("withdrawn", ("fantasy",))


def test_the_reviewer_group_has_just_the_rights_it_needs(db):
    group = Group.objects.get(name=REVIEWER_GROUP)
    rights = set(group.permissions.values_list("content_type__app_label", "codename"))
    assert rights == set(REVIEWER_RIGHTS)
    assert {codename for _, codename in rights if not codename.startswith("view_")} == {
        "change_correction",
        "change_sharedresult",
    }


@pytest.mark.functional
def test_nobody_can_add_or_delete_a_correction(desk, send):
    correction = send()
    assert desk.get(f"{LIST}add/").status_code == 403
    assert desk.post(f"{LIST}add/", {}).status_code == 403
    assert desk.post(f"{LIST}{correction.pk}/delete/", {"post": "yes"}).status_code == 403
    act(desk, "delete_selected", [correction], post="yes")
    correction.refresh_from_db()
    assert correction.status == "pending"
    assert "delete_selected" not in desk.get(LIST).content.decode()


def test_a_reviewer_sees_genres_and_cannot_change_them(reviewer_client):
    genre = Genre.objects.get(slug="fantasy")
    address = reverse("admin:classifier_genre_change", args=[genre.pk])
    assert reviewer_client.get(address).status_code == 200
    assert reviewer_client.post(address, {"name": "Dragons", "aliases": "", "headings": ""}).status_code == 403
    assert reviewer_client.get(reverse("admin:classifier_genre_add")).status_code == 403
    reviewer_client.post("/admin/classifier/genre/", {"action": "retire", "_selected_action": [genre.pk]})
    genre.refresh_from_db()
    assert (genre.name, genre.retired) == ("Fantasy", False)


def test_a_reviewer_cannot_manage_people(reviewer_client):
    for name in ("auth_user", "auth_group"):
        assert reviewer_client.get(reverse(f"admin:{name}_changelist")).status_code == 403


@pytest.mark.parametrize("table", ["modelversion", "prediction"])
def test_versions_and_predictions_are_read_only_also_for_a_superuser(desk, send, table):
    row = send().version if table == "modelversion" else send().version.predictions.first()
    assert desk.get(f"/admin/classifier/{table}/").status_code == 200
    address = f"/admin/classifier/{table}/{row.pk}/"
    assert desk.get(f"{address}change/").status_code == 200
    assert desk.post(f"{address}change/", {"number": 99, "state": "retired"}).status_code == 403
    assert desk.post(f"{address}delete/", {"post": "yes"}).status_code == 403
    assert desk.get(f"/admin/classifier/{table}/add/").status_code == 403
    assert ModelVersion.objects.get().state == "champion"


@pytest.mark.parametrize("address", ["/admin/", LIST, f"{LIST}1/change/", "/admin/classifier/genre/"])
def test_a_stranger_is_sent_to_the_login(client, db, address):
    response = client.get(address)
    assert response.status_code == 302
    assert response["Location"] == f"/admin/login/?next={address}"


def test_a_stranger_cannot_decide(client, send):
    correction = send()
    response = client.post(LIST, {"action": "approve", "_selected_action": [correction.pk]})
    assert response["Location"].startswith("/admin/login/")
    correction.refresh_from_db()
    assert correction.status == "pending"


def test_staff_outside_the_reviewer_group_see_no_corrections(client, send):
    send()
    client.force_login(User.objects.create_user("otto", is_staff=True))
    assert client.get(LIST).status_code == 403


def test_a_reviewer_who_is_no_staff_is_not_let_in(reviewer, client, db):
    reviewer.is_staff = False
    reviewer.save()
    client.force_login(reviewer)
    assert client.get(LIST)["Location"].startswith("/admin/login/")


def test_somebody_who_may_only_look_is_offered_no_decision(client, send):
    correction = send()
    user = User.objects.create_user("vera", is_staff=True)
    user.user_permissions.add(Group.objects.get(name=REVIEWER_GROUP).permissions.get(codename="view_correction"))
    client.force_login(user)
    assert 'value="approve"' not in client.get(LIST).content.decode()
    act(client, "approve", [correction])
    assert client.post(change_page(correction), {"decision": "approved"}).status_code == 403
    correction.refresh_from_db()
    assert correction.status == "pending"


def test_a_renamed_genre_keeps_its_old_name_as_an_alias(admin_client):
    genre = Genre.objects.get(slug="fantasy")
    address = reverse("admin:classifier_genre_change", args=[genre.pk])
    fields = form_of(admin_client.get(address), "")
    assert admin_client.post(address, fields | {"name": ["Wonder Tales"]}).status_code == 302
    genre.refresh_from_db()
    assert genre.name == "Wonder Tales"
    assert "Fantasy" in genre.aliases.splitlines()
    assert current_genres().find("FANTASY") == current_genres().find("wonder tales") == current_genres()["fantasy"]


def test_the_slug_of_a_genre_never_changes_and_genres_are_never_deleted(admin_client):
    genre = Genre.objects.get(slug="fantasy")
    address = reverse("admin:classifier_genre_change", args=[genre.pk])
    fields = form_of(admin_client.get(address), "") | {"slug": ["dragons"], "description": ["Wonders."]}
    assert admin_client.post(address, fields).status_code == 302
    genre.refresh_from_db()
    assert (genre.slug, genre.description) == ("fantasy", "Wonders.")
    assert (
        admin_client.post(reverse("admin:classifier_genre_delete", args=[genre.pk]), {"post": "yes"}).status_code == 403
    )


@pytest.mark.functional
def test_a_new_genre_is_offered_to_people_and_a_retired_one_no_longer(admin_client, champion):
    address = reverse("admin:classifier_genre_add")
    fields = form_of(admin_client.get(address), "") | {"name": ["Bakery Noir"], "slug": ["bakery-noir"]}
    assert admin_client.post(address, fields).status_code == 302
    offered = {genre.slug for genre in admin_client.post("/", {"text": DRAGON}).context["all_genres"]}
    assert "bakery-noir" in offered
    new = Genre.objects.get(slug="bakery-noir")
    for action, there in (("retire", False), ("bring_back", True)):
        admin_client.post("/admin/classifier/genre/", {"action": action, "_selected_action": [new.pk]})
        offered = {genre.slug for genre in admin_client.post("/", {"text": DRAGON}).context["all_genres"]}
        assert ("bakery-noir" in offered) is there


def test_a_genre_whose_name_is_taken_stays_retired(admin_client):
    Genre.objects.filter(slug="drama").update(retired=True)
    Genre.objects.filter(slug="poetry").update(aliases="Drama")
    data = {"action": "bring_back", "_selected_action": [Genre.objects.get(slug="drama").pk]}
    response = admin_client.post("/admin/classifier/genre/", data, follow=True)
    assert "Drama stays retired" in response.content.decode()
    assert Genre.objects.get(slug="drama").retired
    Genre.objects.filter(slug="poetry").update(aliases="")
    admin_client.post("/admin/classifier/genre/", data)
    assert not Genre.objects.get(slug="drama").retired
