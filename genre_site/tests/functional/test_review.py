"""The review queue in Chromium: how it looks, and a reviewer's session without a mouse through a restart."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.conf import settings
from django.contrib.auth.models import Group, User
from playwright.sync_api import expect

from feedback.actions import withdraw
from feedback.models import Correction, Opinion, Suspect
from feedback.review.deciding import Said, answer
from feedback.review.queue import CORRECTIONS, next_card
from genre_site.tests.functional.test_looks import judge
from genre_site.tests.running import Site

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
    expect(page.get_by_label("Fantasy")).to_be_checked()


def keys(page):
    page.keyboard.press("?")
    expect(page.get_by_text("save, and on to the next")).to_be_visible()


def mistake(page):
    page.keyboard.press("Enter")
    expect(page.get_by_text("Nothing is ticked yet")).to_be_visible()


def right(page):
    page.keyboard.press("r")
    expect(page.get_by_label("Cooking")).to_be_checked()


STATES = {
    "card": ("/review/", tick),
    "keys": ("/review/", keys),
    "mistake": ("/review/", mistake),
    "nothing": ("/review/", None),
    "label": ("/review/labels/", right),
    "conflict": ("/review/conflicts/", None),
    "agreement": ("/review/agreement/", None),
}


@pytest.fixture
def full_desk(site, make_correction, settings):
    """Waiting corrections, a conflict and a suspected label; returns who has not answered yet."""
    settings.GENRE_REVIEW_SECOND_SHARE = 1.0
    shown = [["fantasy", 0.71], ["young-adult", 0.22], ["horror", 0.11]]
    make_correction(TEXT * 3, genres=("cooking",), shown=shown, note="Not a cook book, is it?")
    rita = member("rita")
    for user, slug in ((member("anna"), "fantasy"), (member("bob"), "horror")):
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
    return rita


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("state", STATES)
def test_it_looks_right(open_page, site, full_desk, sign_in, state, theme):
    path, act = STATES[state]
    if state == "nothing":
        withdraw(correction=Correction.objects.get(opinions=None))
    page = open_page(path, color_scheme=theme, reduced_motion="reduce", storage_state=sign_in(full_desk, site))
    if act:
        act(page)
    for width in (1280, 390, 320):
        page.set_viewport_size({"width": width, "height": 900})
        judge(open_page, page, f"review-{state}-{width}-{theme}")
    assert Opinion.objects.count() == 2


REVIEWER = """
from django.contrib.auth.models import Group, User
from feedback.models import Correction

rita = User.objects.create_user("rita", password="a long pass phrase", is_staff=True)
rita.groups.add(Group.objects.get(name="Reviewer"))
for number in range({cards}):
    Correction.objects.create(
        text=f"The text with the number {{number}}.", text_hash=str(number), source="page", verdict="genres",
        chosen=["cooking"], shown=[["cooking", 0.6], ["fantasy", 0.3]],
    )
"""
CARDS = 100
SAID = """
SELECT c.text AS text, c.status AS status, group_concat(g.slug, ' ') AS genres, c.id AS id
FROM feedback_correction c LEFT JOIN feedback_correction_genres cg ON cg.correction_id = c.id
LEFT JOIN classifier_genre g ON g.id = cg.genre_id GROUP BY c.id
"""


REVIEW = """
from django.contrib.auth.models import User
from feedback.review.deciding import Said, answer
from feedback.review.queue import CORRECTIONS, next_card

by = User.objects.create_user("{name}")
while (card := next_card(CORRECTIONS, by)) is not None:
    answer(queue=CORRECTIONS, card=card.claim.correction_id, uid=card.claim.uid, said=Said(("cooking",)), by=by)
"""
ANSWERED = (
    "SELECT count(*) AS n, count(DISTINCT correction_id) AS cards, count(DISTINCT by) AS people FROM feedback_opinion"
)


@pytest.mark.django_db(databases=[])
def test_reviewers_who_work_at_the_same_time_never_answer_the_same_card(tmp_path, model_folder):
    site = Site(tmp_path, [model_folder])
    site.env["GENRE_REVIEW_SECOND_SHARE"] = "0"
    site.run(REVIEWER.format(cards=CARDS))
    names = ("anna", "bob", "eve")
    with ThreadPoolExecutor(len(names)) as pool:
        # A process each, as workers are.
        list(pool.map(site.run, [REVIEW.format(name=name) for name in names]))
    (answered,) = site.rows(ANSWERED)
    assert (answered["n"], answered["cards"]) == (CARDS, CARDS)
    assert answered["people"] > 1
    assert site.rows("SELECT * FROM feedback_claim") == []


class Session:
    """A reviewer with a keyboard and no mouse. What is ticked follows from the number in the text."""

    def __init__(self, page):
        self.page, self.press, self.type = page, page.keyboard.press, page.keyboard.type
        self.ticked = {}

    def sign_in(self, address):
        self.page.goto(f"{address}review/")
        expect(self.page.get_by_label("Username")).to_be_focused()
        self.type("rita")
        self.press("Tab")
        self.type("a long pass phrase")
        self.press("Enter")
        expect(self.page.locator("#card-heading")).to_be_visible()

    @property
    def text(self):
        return self.page.locator("#card .quoted").inner_text()

    def tick(self):
        """Tick what belongs to the card, by number or by name; return its text."""
        text = self.text
        number = int(text.split()[-1].rstrip("."))
        ticks = {"cooking"} if number % 3 == 1 else {"poetry"} if number % 3 == 0 else {"cooking", "poetry"}
        if "cooking" in ticks:
            self.press("1")
        if "poetry" in ticks:
            self.press("/")
            self.type("poet")
            self.press("Enter")
        boxes = self.page.locator("#card input[name=genres]:checked")
        assert {box.get_attribute("value") for box in boxes.all()} == ticks
        self.ticked[text] = ticks
        return text

    def save(self, text):
        self.press("Enter")
        expect(self.page.locator("#said")).to_contain_text("Saved")
        expect(self.page.locator("#card")).not_to_contain_text(text)

    def answer(self, cards):
        for _ in range(cards):
            self.save(self.tick())


@pytest.mark.django_db(databases=[])
def test_a_hundred_cards_without_a_mouse_and_a_restart_in_the_middle_lose_nothing(browser, tmp_path, model_folder):
    site = Site(tmp_path, [model_folder])
    site.run(REVIEWER.format(cards=CARDS))
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(10_000)
    page = context.new_page()
    session = Session(page)
    with site.serving() as address:
        session.sign_in(address)
        session.answer(CARDS // 2)
        # The last one, looked at again, and saved once more as it was ticked.
        last = list(session.ticked)[-1]
        page.keyboard.press("u")
        expect(page.locator("#card")).to_contain_text(last)
        session.save(last)
        skipped = session.text
        page.keyboard.press("s")
        expect(page.locator("#card")).not_to_contain_text(skipped)
        ticked = session.tick()
    # The server is gone: the answer does not arrive, and stays.
    page.keyboard.press("Enter")
    expect(page.get_by_text("It may not be saved. What you ticked is still here")).to_be_visible()
    boxes = page.locator("#card input[name=genres]:checked")
    assert {box.get_attribute("value") for box in boxes.all()} == session.ticked[ticked]
    with site.serving(port=int(address.rstrip("/").rpartition(":")[2])):
        session.save(ticked)
        # A server in the place of the other, while somebody ticks.
        ticked = session.tick()
        site.restart()
        session.save(ticked)
        session.answer(CARDS - CARDS // 2 - 3)
        assert session.text == skipped
        session.tick()
        page.keyboard.press("Enter")
        expect(page.get_by_text("Nothing waits for you")).to_be_visible()
    context.close()
    rows = site.rows(SAID)
    assert {row["status"] for row in rows} == {"approved"}
    assert {row["text"]: set(row["genres"].split()) for row in rows} == session.ticked
    stored = site.rows("SELECT kind, count(*) AS n FROM feedback_opinion GROUP BY kind")
    assert {row["kind"]: row["n"] for row in stored} == {"answer": CARDS + 1, "undo": 1, "skip": 1}
