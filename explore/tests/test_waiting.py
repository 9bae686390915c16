"""Long work is shown, is ended by "Stop" at once, and is done once for all who ask for the same."""

import threading
import time

import pytest
import streamlit as st

from explore import waiting
from explore.waiting import once, patiently, wanted


class Bar:
    """What Streamlit draws: each look at it may end the run of the page."""

    def __init__(self, stops=False):
        self.said, self.stops = [], stops

    def progress(self, share, text=""):
        self.said.append((share, text))
        # Streamlit's own exception is none that `except Exception` catches.
        if self.stops:
            raise KeyboardInterrupt


@pytest.fixture(autouse=True)
def look_often(monkeypatch):
    monkeypatch.setattr(waiting, "LOOK_SECONDS", 0.02)


@pytest.mark.functional
def test_long_work_tells_its_step_and_how_far_it_is():
    bar, shown = Bar(), threading.Event()

    def work(on_step):
        on_step("the middle", 0.5)
        shown.wait(5)
        return 7

    threading.Timer(0.2, shown.set).start()
    assert patiently("Counting", work, lambda: bar) == 7
    share, text = bar.said[-1]
    assert (share, text.startswith("Counting: the middle, ")) == (0.5, True)


def test_work_that_is_stopped_ends_the_page_at_once_and_itself_at_its_next_step():
    ended = threading.Event()

    def work(on_step):
        try:
            while True:
                time.sleep(0.01)
                on_step("on and on", 0.1)
        finally:
            ended.set()

    with pytest.raises(KeyboardInterrupt):
        patiently("Counting", work, lambda: Bar(stops=True))
    assert ended.wait(5)


def page():
    import time

    import streamlit as st

    from explore.waiting import once

    def work(on_step):
        while True:
            time.sleep(0.01)
            on_step("on and on", 0.5)

    if st.toggle("Begin", key="begin"):
        once("Counting", 1, work)
    st.write("the end")


@pytest.mark.functional
@pytest.mark.filterwarnings("default")
def test_a_page_whose_work_was_stopped_does_not_begin_it_anew_by_itself():
    from streamlit.testing.v1 import AppTest

    app = AppTest.from_function(page, default_timeout=2).run()
    with pytest.raises(RuntimeError, match="timed out"):
        app.toggle(key="begin").set_value(True).run()
    # The test gave up waiting. What a click on "Stop" leaves is what the next run finds.
    app.session_state[waiting.STOPPED] = ("Counting", "1")
    app.run()
    assert not app.exception
    assert not app.markdown
    assert "Stopped" in app.info[0].value
    app.toggle(key="begin").set_value(False).run()
    assert app.markdown[0].value == "the end"


def test_the_error_of_the_work_is_that_of_the_page():
    def work(on_step):
        raise TimeoutError("its own")

    with pytest.raises(TimeoutError, match="its own"):
        patiently("Counting", work, Bar)


def test_the_same_is_done_once_and_the_oldest_is_forgotten():
    done = []
    for key in ("a", "b", "a", "c", "a", "b"):
        assert once("Learning", key, lambda _, key=key: done.append(key) or key.upper(), most=2) == key.upper()
    assert done == ["a", "b", "c", "b"]


def test_a_request_is_remembered_when_it_is_done_and_forgotten_when_it_was_stopped(monkeypatch):
    state = {waiting.STOPPED: ("Counting", "1")}
    monkeypatch.setattr(st, "session_state", state)
    with wanted("work", 1, asked=False) as is_wanted:
        assert not is_wanted
    # Who asks again is not told that it was stopped.
    with pytest.raises(KeyboardInterrupt), wanted("work", 1, asked=True):
        raise KeyboardInterrupt
    assert state == {}
    with wanted("work", 1, asked=True) as is_wanted:
        assert is_wanted
    with wanted("work", 1, asked=False) as is_wanted:
        assert is_wanted
    with wanted("work", 2, asked=False) as is_wanted:
        assert not is_wanted
