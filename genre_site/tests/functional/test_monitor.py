"""The monitor in a real Chromium: its charts, tables and periods, in both widths and both themes."""

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from playwright.sync_api import expect

from classifier.alerts import Finding, raise_alert
from genre_site.tests.functional.test_looks import judge
from training.tests.story import tell_story

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def site(transactional_db, live_server):
    """The address of the running site, with a member of the staff."""
    User.objects.create_user("ada", password="a long pass phrase", is_staff=True)
    return live_server.url


def open_monitor(open_page, address="/monitor/", **options):
    """Sign in as a member of the staff and open the page."""
    page = open_page(address, **options)
    page.get_by_label("Username").fill("ada")
    page.get_by_label("Password").fill("a long pass phrase")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", name="Monitor", level=1)).to_be_visible()
    return page


def alarm():
    raise_alert(
        Finding(
            key="accuracy-1",
            title="Version 1 is right less often than it was",
            detail="Audited accuracy 61% (52% to 69%) over 140 answers; 77% in the week before.",
            next_step="Look at the genres below. If one genre fell, run `manage.py rollback`.",
        )
    )


def test_staff_see_the_damage_of_a_bad_version_and_choose_a_period(open_page):
    tell_story(timezone.now())
    page = open_monitor(open_page)
    chart = page.locator("#chart-confidence")
    expect(chart.get_by_role("img", name="Right, by the scores")).to_be_visible()
    expect(chart.locator(".marker-name.bad")).to_contain_text("v2 (bad)")
    chart.get_by_text("Right, by the scores as a table").click()
    expect(chart.get_by_role("columnheader", name="version 2 (bad on purpose: swap-genres 0.5)")).to_be_visible()
    expect(chart.locator("tbody tr")).to_have_count(28)
    page.get_by_role("link", name="Last 30 days").click()
    expect(page.get_by_role("link", name="Last 30 days")).to_have_attribute("aria-current", "true")
    expect(page.locator("#chart-confidence tbody tr")).to_have_count(30)


def test_the_bars_of_a_version_have_its_colour_and_its_pattern(open_page):
    tell_story(timezone.now())
    page = open_monitor(open_page)
    bars = page.locator("#chart-requests .plot .bar-shape")
    looks = bars.evaluate_all(
        "bars => [...new Set(bars.map(bar => getComputedStyle(bar).fill + getComputedStyle(bar).stroke))]"
    )
    assert len(looks) == 2
    assert len({look.split(")")[0] for look in looks}) == 2
    page.emulate_media(color_scheme="dark")
    dark = bars.first.evaluate("bar => getComputedStyle(bar).stroke")
    assert dark not in looks[0]


LOOKS = {
    "story": lambda: (tell_story(timezone.now(), days=30, at_noon=40), alarm()),
    "young": lambda: tell_story(timezone.now(), days=3, at_noon=2),
    "empty": lambda: None,
}


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("state", LOOKS)
def test_it_looks_right(open_page, state, theme, width):
    LOOKS[state]()
    page = open_monitor(open_page, color_scheme=theme, reduced_motion="reduce")
    page.set_viewport_size({"width": width, "height": 900})
    judge(open_page, page, f"monitor-{state}-{width}-{theme}")
