"""The lab in a real Chromium: runs are started, watched, compared and kept; the map tells of its points."""

from contextlib import suppress

import pytest
from playwright.sync_api import TimeoutError as TookTooLong
from playwright.sync_api import expect

from conftest import make_examples
from explore.site import names_of
from explore.tests.functional.conftest import SECONDS, cells, choose_data, settle, tables
from explore.tests.running import Lab
from training.tests.helpers import write_books

TEXT = "The wizard and the sorceress cast an old spell on the dragon that guards the kingdom."

# Streamlit's own code warns about its dependencies now and then.
pytestmark = [pytest.mark.functional, pytest.mark.filterwarnings("default")]


@pytest.fixture(scope="module")
def lab(tmp_path_factory, model_folder):
    """A lab with one version, which answers on the site."""
    return Lab(tmp_path_factory.mktemp("lab"), [model_folder])


@pytest.fixture(scope="module")
def address(lab):
    with lab.serving() as address:
        yield address


@pytest.fixture(scope="module")
def books(lab):
    return write_books(lab.root / "books.csv")


def test_two_runs_are_trained_watched_compared_tried_and_one_is_kept_as_a_candidate(open_lab, lab, books):
    # Wide enough for all columns of the runs.
    page = open_lab("train", width=2560)
    choose_data(page, books)
    start_two_runs(page)
    expect(page.get_by_role("heading", name="Going on")).to_be_visible()
    expect(page.get_by_test_id("stProgress").first).to_contain_text("Run ", timeout=SECONDS)
    # Nobody reloads the page: it sees by itself that a run has ended.
    expect(page.get_by_role("heading", name="Going on")).to_have_count(0, timeout=SECONDS)
    settle(page)
    header, *rows = cells(tables(page).first)
    assert [row[header.index("state")] for row in rows] == ["done", "done"]
    assert {row[header.index("epoch")] for row in rows} == {"8000", "10000"}
    assert all(row[header.index("accuracy")] for row in rows)

    choose_runs(page)
    page.get_by_role("textbox", name="Text", exact=True).fill(TEXT)
    page.get_by_role("textbox", name="Text", exact=True).press("Control+Enter")
    expect(tables(page)).to_have_count(2)
    settle(page)
    header, *answers = cells(tables(page).last)
    assert sorted(answer[0].split(" ")[0] for answer in answers) == ["Run", "Run", "version"]
    assert all(answer[header.index("1st")] for answer in answers)

    page.get_by_role("button", name="Keep as a candidate").click()
    page.get_by_role("button", name="Yes, keep it").click()
    expect(page.get_by_text("Version 2 is a candidate. Next: ")).to_be_visible()
    versions = lab.rows("SELECT number, state FROM classifier_modelversion ORDER BY number")
    assert versions == [{"number": 1, "state": "champion"}, {"number": 2, "state": "candidate"}]


def start_two_runs(page):
    """Start two runs that last long enough to be watched, without word vectors, as a small file allows."""
    page.get_by_role("button", name="Remove").first.click()
    settle(page)
    page.get_by_role("combobox", name="Word vectors to start from").click()
    page.get_by_role("option", name="none").click()
    page.keyboard.press("Escape")
    settle(page)
    for name, values in (("epoch", "8000, 10000"), ("dim", "40")):
        page.get_by_role("textbox", name=name, exact=True).fill(values)
        page.get_by_role("textbox", name=name, exact=True).press("Enter")
        settle(page)
    page.get_by_role("button", name="Start 2 runs").click()


def choose_runs(page):
    """Choose both runs, where they are not chosen, beside the version."""
    box = page.get_by_test_id("stMultiSelect").filter(has_text="Runs and versions")
    for _ in range(5):
        if box.inner_text().count(", accuracy") == 2:
            return
        box.get_by_role("combobox").fill("accuracy")
        # All that match, or the one that is left. The list closes by itself when the page is drawn anew.
        with suppress(TookTooLong):
            page.get_by_role("option").first.click(timeout=3000)
        page.keyboard.press("Escape")
        settle(page)


def test_the_map_is_drawn_and_a_point_under_the_pointer_tells_its_book(open_lab, books):
    page = open_lab("clusters")
    choose_data(page, books)
    page.get_by_role("button", name="Find clusters").click()
    expect(page.get_by_role("heading", name="Map")).to_be_visible(timeout=SECONDS)
    settle(page)
    points = page.get_by_test_id("stVegaLiteChart").last.locator(".mark-symbol.role-mark path")
    expect(points).to_have_count(36)
    # Another point may lie upon it: what is asked is what the pointer finds there.
    points.last.hover(force=True)
    tooltip = page.locator("#vg-tooltip-element")
    expect(tooltip).to_be_visible()
    title = tooltip.get_by_role("heading").inner_text()
    genres = tooltip.get_by_role("row", name="genres").get_by_role("cell").last.inner_text()
    assert (title, genres) in {(each.title, names_of(each.genres)) for each in make_examples()}


def test_the_chosen_data_stays_chosen_from_page_to_page(open_lab, books):
    page = open_lab("dataset")
    choose_data(page, books)
    figure = page.get_by_test_id("stMetric").filter(has_text="Books or texts")
    expect(figure).to_contain_text("36")
    # The model page asks for no data.
    for name in ("Cleaning", "Model", "Train", "Similar texts", "Dataset"):
        page.get_by_role("link", name=name, exact=True).click()
        expect(page.get_by_role("heading", level=1, name=name, exact=True)).to_be_visible()
        settle(page)
        if name != "Model":
            expect(page.get_by_role("textbox", name="Or its path")).to_have_value(str(books))
    expect(figure).to_contain_text("36")


def test_a_table_offers_no_csv_of_its_own_whose_cells_would_run_as_formulas(open_lab, books):
    page = open_lab("dataset")
    choose_data(page, books)
    tables(page).first.hover()
    expect(page.get_by_role("button", name="Search").first).to_be_visible()
    unguarded = page.get_by_role("button", name="Download as CSV", include_hidden=True).first
    expect(unguarded).to_be_attached()
    expect(unguarded).to_be_hidden()
    expect(page.get_by_role("button", name="Download these books as CSV")).to_be_visible()
