"""Charts: coordinates worked by hand, nothing outside the drawing, no label over another, the same numbers as a table."""

import re
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from classifier.charts import drawing as charts
from classifier.charts import parts
from classifier.charts.parts import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH, Axis, Event, Series

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
PLOT_HEIGHT, PLOT_WIDTH = HEIGHT - BOTTOM - TOP, WIDTH - LEFT - RIGHT


def make_axis(n_buckets=4, hours=6):
    edges = [NOON + timedelta(hours=hours * step) for step in range(n_buckets + 1)]
    return Axis(edges, [f"bucket {at}" for at in range(n_buckets)], [(edges[0], "4 May")])


def box(d):
    """Return left, top, right and bottom of a bar's path."""
    x, y, width, height, back = map(float, re.fullmatch(r"M(\S+) (\S+)h(\S+)v(\S+)h-(\S+)z", d).groups())
    assert back == width
    return x, y, x + width, y + height


def test_bars_of_one_bucket_stand_on_each_other_in_proportion():
    series = [Series("version 1", "s0", [10, 0]), Series("version 2", "s1", [30, 20])]
    chart = charts.stacked_bars("requests", "Requests", axis=make_axis(2), series=series)
    # The axis ends at 40, the height of the first bucket's bars together.
    first, second, alone = (box(shape.d) for shape in chart.shapes)
    ground = HEIGHT - BOTTOM
    assert first[3] == ground
    assert round(first[3] - first[1], 1) == round(PLOT_HEIGHT * 10 / 40, 1)
    assert (second[3], second[1]) == (first[1], TOP)
    assert (alone[3], round(alone[1], 1)) == (ground, round(ground - PLOT_HEIGHT / 2, 1))
    assert alone[0] > first[2]
    assert [shape.style for shape in chart.shapes] == ["s0", "s1", "s1"]
    assert chart.shapes[0].title == "bucket 0, version 1: 10"


def test_the_description_says_how_many_and_when_most():
    chart = charts.stacked_bars("r", "R", axis=make_axis(2), series=[Series("version 1", "s0", [1200, 300])])
    assert chart.desc == "1,500 in all; most, 1,200, bucket 0."


def test_a_line_breaks_where_there_is_no_value():
    values = [0.5, None, 0.25, 1.0]
    chart = charts.lines("c", "C", axis=make_axis(), series=[Series("version 1", "s0", values)], top=1.0)
    middles = [round(LEFT + PLOT_WIDTH * share, 1) for share in (1 / 8, 3 / 8, 5 / 8, 7 / 8)]
    heights = [round(HEIGHT - BOTTOM - PLOT_HEIGHT * share, 1) for share in (0.5, 0.25, 1.0)]
    assert chart.lines[0].d == f"M{middles[0]} {heights[0]}M{middles[2]} {heights[1]}L{middles[3]} {heights[2]}"
    assert len(chart.shapes) == 3
    assert chart.rows == [
        ("bucket 0", ["50%"]),
        ("bucket 1", ["–"]),
        ("bucket 2", ["25%"]),
        ("bucket 3", ["100%"]),
    ]
    assert chart.desc == "version 1: between 25% and 100%, last 100%."


def test_a_chart_without_a_value_is_empty_and_says_so():
    chart = charts.lines("c", "C", axis=make_axis(), series=[Series("version 1", "s0", [None] * 4)])
    assert (chart.is_empty, chart.desc) == (True, "No value.")
    assert charts.stacked_bars("r", "R", axis=make_axis(), series=[]).is_empty
    assert charts.paired_rows("g", "G", names=[], series=[]).is_empty


def test_the_lines_of_versions_differ_in_shape_not_only_in_colour():
    series = [Series(f"version {at}", style, [0.5] * 4) for at, style in enumerate(parts.STYLES)]
    chart = charts.lines("c", "C", axis=make_axis(), series=series)
    assert len({key.shape for key in chart.legend}) == len(parts.STYLES)
    points = {re.sub(r"^M\S+ [\d.]+", "", shape.d) for shape in chart.shapes}
    assert points == {key.shape for key in chart.legend}


def test_a_marker_stands_at_its_moment_and_one_outside_the_axis_is_left_out():
    events = [
        Event(NOON + timedelta(hours=12), "v2", "version 2 promoted"),
        Event(NOON - timedelta(seconds=1), "v1", "before"),
        Event(NOON + timedelta(days=2), "v3", "after"),
    ]
    chart = charts.lines("c", "C", axis=make_axis(), series=[Series("v", "s0", [0.5] * 4)], events=events)
    (marker,) = chart.markers
    assert (float(marker.at), marker.text, marker.title) == (LEFT + PLOT_WIDTH / 2, "v2", "version 2 promoted")


def spans(markers):
    """Return the lines above the plot, each with the spans that its labels take."""
    taken = {}
    for marker in markers:
        if marker.text:
            wide, at = len(marker.text) * parts.LETTER, float(marker.at)
            start = at - wide if marker.anchor == "end" else at
            taken.setdefault(marker.y, []).append((start, start + wide))
    return taken


@given(st.lists(st.integers(0, 24 * 60), max_size=30))
def test_labels_of_markers_never_cover_each_other_or_leave_the_drawing(minutes):
    events = [Event(NOON + timedelta(minutes=minute), f"back to v{at}", "") for at, minute in enumerate(minutes)]
    chart = charts.lines("c", "C", axis=make_axis(), series=[Series("v", "s0", [0.5] * 4)], events=events)
    assert len(chart.markers) == len(events)
    for line in spans(chart.markers).values():
        assert all(end <= start for (_, end), (start, _) in pairwise(line))
        assert all(start >= 0 and end <= WIDTH for start, end in line)
    lowest = min((float(marker.y) for marker in chart.markers if marker.text), default=TOP)
    assert lowest - parts.MARKER_LINE + 4 >= chart.cut


def test_of_many_changes_at_once_some_labels_are_left_out_but_no_line():
    events = [Event(NOON + timedelta(hours=12, seconds=at), f"v{at}", f"version {at}") for at in range(5)]
    chart = charts.lines("c", "C", axis=make_axis(), series=[Series("v", "s0", [0.5] * 4)], events=events)
    assert [marker.text for marker in chart.markers] == ["v0", "v1", "v2", "", ""]
    assert [marker.title for marker in chart.markers] == [f"version {at}" for at in range(5)]


def y_ticks(series, **options):
    chart = charts.lines("c", "C", axis=make_axis(1), series=[Series("v", "s0", [series])], **options)
    return [label.text for label in chart.y_labels]


def test_axes_have_round_steps():
    assert y_ticks(0.31) == ["0%", "10%", "20%", "30%", "40%"]
    assert y_ticks(0.02, top=0.1) == ["0%", "5%", "10%"]
    assert y_ticks(0.5, top=1.0) == ["0%", "50%", "100%"]
    assert y_ticks(7.2, unit=parts.TIMES) == ["0 ms", "2 ms", "4 ms", "6 ms", "8 ms"]
    bars = charts.stacked_bars("r", "R", axis=make_axis(1), series=[Series("v", "s0", [3])])
    assert [label.text for label in bars.y_labels] == ["0", "1", "2", "3"]


@given(st.lists(st.one_of(st.none(), st.floats(0, 1e9)), min_size=4, max_size=4))
def test_every_point_is_inside_the_plot(values):
    chart = charts.lines("c", "C", axis=make_axis(), series=[Series("v", "s0", values)], unit=parts.COUNTS)
    places = [tuple(map(float, re.match(r"M(\S+) ([\d.]+)", shape.d).groups())) for shape in chart.shapes]
    assert len(places) == sum(value is not None for value in values)
    assert all(LEFT <= x <= WIDTH - RIGHT and TOP <= y <= HEIGHT - BOTTOM for x, y in places)
    assert 2 <= len(chart.y_labels) <= 6


@given(st.lists(st.lists(st.integers(0, 10**7), min_size=4, max_size=4), min_size=1, max_size=6))
def test_every_bar_is_inside_the_plot_and_every_count_is_in_the_table(counts):
    series = [Series(f"version {at}", "s0", values) for at, values in enumerate(counts)]
    chart = charts.stacked_bars("r", "R", axis=make_axis(), series=series)
    for left, top, right, bottom in (box(shape.d) for shape in chart.shapes):
        assert LEFT <= left < right <= WIDTH - RIGHT + 0.1
        # A sliver is drawn somewhat thicker than it is.
        assert TOP - 0.7 <= top < bottom <= HEIGHT - BOTTOM + 0.7
    assert [[int(cell.replace(",", "")) for cell in cells] for _, cells in chart.rows] == [
        list(column) for column in zip(*counts, strict=True)
    ]


def test_the_genre_mix_compares_two_bars_a_genre():
    chart = charts.paired_rows(
        "genres",
        "Genres",
        names=["Fantasy", "Cooking"],
        series=[Series("recent", "recent", [0.4, 0.1]), Series("before", "before", [0.2, None])],
    )
    recent, before, cooking = (box(shape.d) for shape in chart.shapes)
    assert round((recent[2] - recent[0]) / (before[2] - before[0]), 1) == 2.0
    assert recent[3] <= before[1] < cooking[1]
    assert [shape.style for shape in chart.shapes] == ["recent", "before", "recent"]
    assert chart.rows == [("Fantasy", ["40%", "20%"]), ("Cooking", ["10%", "–"])]
    assert chart.desc == "recent: most in Fantasy, 40%. before: most in Fantasy, 20%."


def test_the_histogram_names_its_bins():
    series = [Series("recent", "recent", [0.25, 0.75]), Series("before", "before", [None, None])]
    chart = charts.histogram("scores", "Scores", bounds=["0%", "50%", "100%"], series=series)
    assert [shape.title for shape in chart.shapes] == ["0% to 50%, recent: 25%", "50% to 100%, recent: 75%"]
    low, high = (box(shape.d) for shape in chart.shapes)
    assert round((high[3] - high[1]) / (low[3] - low[1]), 1) == 3.0
    assert [label.text for label in chart.x_labels] == ["0%", "50%", "100%"]
    assert chart.rows == [("0% to 50%", ["25%", "–"]), ("50% to 100%", ["75%", "–"])]


def test_values_are_written_as_people_read_them():
    assert [parts.percent(value) for value in (0, 0.031, 0.31, 1)] == ["0%", "3.1%", "31%", "100%"]
    assert [parts.milliseconds(value) for value in (0.16, 6.3, 1000)] == ["0.16 ms", "6.3 ms", "1,000 ms"]
    assert parts.whole(1234567) == "1,234,567"
