"""A book, an e-book and a table in a real Chromium: with scripts, without, by keyboard alone."""

import csv

import pytest
from playwright.sync_api import expect

from classifier.tests.books import epub
from genre_site.tests.functional.test_looks import judge

FANTASY = "The wizard and the sorceress cast an old spell on the dragon that guards the kingdom. "
COOKING = "Whisk the butter and the flour with sugar, then bake the dough with garlic in the oven. "
LONG = FANTASY * 40 + "\n\n" + COOKING * 40
TABLE = f"title,blurb\nOne,{FANTASY}\nTwo,{COOKING.replace(',', ';')}\nThree,short\n"
WATCH_SHIFTS = """() => { window.shifts = 0; new PerformanceObserver(list => {
  for (const entry of list.getEntries()) window.shifts += entry.value;
}).observe({type: "layout-shift", buffered: true}); }"""


def send(page, text=LONG):
    page.get_by_label("Text", exact=True).fill(text)
    page.get_by_role("button", name="Show genres").click()
    expect(page.get_by_role("heading", name="How the genres rise and fall")).to_be_visible()


def send_table(page):
    page.set_input_files("#table", {"name": "t.csv", "mimeType": "text/csv", "buffer": TABLE.encode()})
    page.get_by_role("button", name="Show genres").click()
    expect(page.get_by_role("heading", name="3 texts, the least certain first")).to_be_visible()


@pytest.mark.parametrize("scripts", [True, False])
def test_a_passage_is_read_by_following_the_chart(open_page, scripts):
    page = open_page(java_script_enabled=scripts)
    send(page)
    chart = page.locator("#arc .plot")
    chart.get_by_role("link", name="Passage 2: ").click()
    expect(page.get_by_role("region", name="Text of passage 2")).to_contain_text("The wizard and the sorceress")
    page.get_by_role("link", name="Passage 3 →").click()
    expect(page.get_by_role("region", name="Text of passage 3")).to_be_visible()
    expect(page.get_by_role("region", name="Text of passage 2")).to_be_hidden()
    page.get_by_role("link", name="Close").click()
    expect(page.get_by_role("region", name="Text of passage 3")).to_be_hidden()
    page.get_by_text("How the genres rise and fall as a table").click()
    page.get_by_role("table").get_by_role("link", name="Passage 6").click()
    expect(page.get_by_role("region", name="Text of passage 6")).to_contain_text("Whisk the butter")


def test_a_passage_is_read_by_keyboard_alone(open_page):
    page = open_page()
    send(page)
    page.get_by_role("region", name="How the genres rise and fall, chart").focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("region", name="Text of passage 2")).to_be_visible()
    page.keyboard.press("Tab")
    expect(page.get_by_role("region", name="Text of passage 2")).to_be_focused()


def test_a_very_long_text_is_seen_at_first_sight_and_then_read(open_page, monkeypatch):
    monkeypatch.setattr("classifier.forms.LOOK_FROM", 1000)
    page = open_page()
    posted = []
    page.on("request", lambda request: posted.append(request.url) if request.method == "POST" else None)
    send(page)
    assert len(posted) == 2
    expect(page.get_by_text("At first sight")).to_be_hidden()
    expect(page.get_by_text("Correct these genres")).to_be_visible()


def test_an_e_book_fills_the_box_and_is_read(open_page, monkeypatch):
    monkeypatch.setattr("classifier.forms.LOOK_FROM", 1000)
    page = open_page()
    page.set_input_files("#file", {"name": "b.epub", "mimeType": "application/epub+zip", "buffer": epub(LONG)})
    expect(page.get_by_role("heading", name="How the genres rise and fall")).to_be_visible()
    assert "The wizard and the sorceress" in page.get_by_label("Text", exact=True).input_value()


@pytest.mark.parametrize("scripts", [True, False])
def test_a_table_comes_back_with_genres(open_page, tmp_path, scripts):
    page = open_page("/several/", java_script_enabled=scripts)
    send_table(page)
    with page.expect_download() as waiting:
        page.get_by_role("link", name="Download the table").click()
    waiting.value.save_as(tmp_path / "genres.csv")
    with (tmp_path / "genres.csv").open(encoding="utf-8-sig", newline="") as stream:
        assert [row["predicted_genre"] for row in csv.DictReader(stream)] == ["Fantasy", "Cooking", ""]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390, 320])
@pytest.mark.parametrize("state", ["arc", "several"])
def test_they_look_right(open_page, state, theme, width):
    page = open_page("/several/" if state == "several" else "/", color_scheme=theme, reduced_motion="reduce")
    page.set_viewport_size({"width": width, "height": 900})
    if state == "several":
        send_table(page)
    else:
        send(page)
        page.locator("#arc .plot").get_by_role("link", name="Passage 2: ").click()
        expect(page.get_by_role("region", name="Text of passage 2")).to_be_visible()
    judge(open_page, page, f"{state}-{width}-{theme}")


def test_nothing_moves_when_results_arrive(open_page, monkeypatch):
    monkeypatch.setattr("classifier.forms.LOOK_FROM", 1000)
    page = open_page()
    page.evaluate(WATCH_SHIFTS)
    send(page)
    page.wait_for_timeout(300)
    assert page.evaluate("window.shifts") < 0.02
