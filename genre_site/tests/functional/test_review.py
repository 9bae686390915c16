"""The review queue in Chromium: how it looks, and a reviewer's session without a mouse through a restart."""

import pytest
from django.conf import settings
from django.contrib.auth.models import Group, User
from playwright.sync_api import expect

from feedback.models import Opinion, Suspect
from feedback.review.deciding import Said, answer
from feedback.review.queue import CORRECTIONS, next_card
from feedback.tests.conftest import make_correction  # noqa: F401  (a fixture)
from genre_site.tests.functional.test_looks import judge

TEXT = (
    "The wizard and the sorceress cast an old spell on the dragon that guards the kingdom.\n\n"
    "Nobody in the valley had seen the tower by daylight. Those who climbed up to it came back with white hair, and "
    "said that the stairs went on where the roof should have been. "
)


def member(name):
    user = User.objects.create_user(name, password="a long pass phrase", is_staff=True)
    user.groups.add(Group.objects.get(name="Reviewer"))
    return user


@pytest.fixture
def sign_in(client):
    """Return a function that signs somebody in and returns what the browser must know of it."""

    def sign(user, site):
        client.force_login(user)
        name = settings.SESSION_COOKIE_NAME
        cookie = {"name": name, "value": client.cookies[name].value, "url": site}
        return {"cookies": [cookie], "origins": []}

    return sign


def tick(page):
    page.keyboard.press("1")
    page.keyboard.press("?")
    expect(page.get_by_text("save, and on to the next")).to_be_visible()


def mistake(page):
    page.keyboard.press("Enter")
    expect(page.get_by_text("Nothing is ticked yet")).to_be_visible()


STATES = {
    "card": ("/review/", tick),
    "mistake": ("/review/", mistake),
    "nothing": ("/review/", None),
    "label": ("/review/labels/", None),
    "conflict": ("/review/conflicts/", None),
    "agreement": ("/review/agreement/", None),
}


@pytest.fixture
def full_desk(site, make_correction, settings):  # noqa: F811
    """Waiting corrections, a conflict and a suspected label; returns who has not answered yet."""
    settings.GENRE_REVIEW_SECOND_SHARE = 1.0
    shown = [["fantasy", 0.71], ["young-adult", 0.22], ["horror", 0.11]]
    make_correction(TEXT * 3, genres=("cooking",), shown=shown, note="Not a cook book, is it?")
    for name, slug in (("anna", "fantasy"), ("bob", "horror")):
        user = member(name)
        card = next_card(CORRECTIONS, user)
        answer(queue=CORRECTIONS, card=card.claim.correction_id, uid=card.claim.uid, said=Said((slug,)), by=user)
    make_correction(TEXT * 3, genres=("cooking",), shown=shown, note="Not a cook book, is it?")
    suggested = [["fantasy", 0.9], ["horror", 0.05]]
    Suspect.objects.create(
        key="k",
        source="books.csv",
        row=3,
        title="The Tower",
        text=TEXT,
        given=["cooking"],
        suggested=suggested,
        score=0.9,
    )
    return member("rita")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390, 320])
@pytest.mark.parametrize("state", STATES)
def test_it_looks_right(open_page, site, full_desk, sign_in, state, theme, width):
    path, act = STATES[state]
    who = User.objects.get(username="anna") if state == "nothing" else full_desk
    if state == "nothing":
        for correction in who.opinions.model.objects.none():
            correction.delete()
    page = open_page(path, color_scheme=theme, reduced_motion="reduce", storage_state=sign_in(who, site))
    page.set_viewport_size({"width": width, "height": 900})
    if act:
        act(page)
    judge(open_page, page, f"review-{state}-{width}-{theme}")
    assert Opinion.objects.count() == 2
