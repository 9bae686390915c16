"""Long work on a page: it is told of, "Stop" ends it, and it is done once for all who ask for the same."""

import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from threading import Lock, Thread
from typing import Any, TypeVar

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from training.core.progress import OnStep

T = TypeVar("T")
# How soon "Stop" is seen; work that takes less shows no bar.
LOOK_SECONDS = 0.3
# From so many books on, comparing all of them takes seconds: it waits to be asked.
BOOKS_AT_ONCE = 5_000
# In the session: the work whose "Stop" was pressed.
STOPPED = "stopped"
_lock = Lock()


class Stopped(Exception):
    """Nobody waits for this work any more."""


def once(what: str, key: object, work: Callable[[OnStep], T], *, most: int = 4) -> T:
    """Return what ``work`` makes of ``key``, made now or kept from before; the last ``most`` of a kind are kept.

    Streamlit's own caches would show every step of the progress again whenever they answer.
    """
    # Drawn in any case: what comes after must not move when there is nothing to wait for.
    place, kept, name = st.empty(), _kept(what), repr(key)
    with _lock:
        if name in kept:
            kept.move_to_end(name)
            found: T = kept[name]
            return found
    if st.session_state.get(STOPPED) == (what, name):
        del st.session_state[STOPPED]
        st.info("Stopped. Choose something else, or ask for the same again.")
        st.stop()
    made = patiently(what, work, lambda: _draw(place, what, name))
    place.empty()
    with _lock:
        kept[name] = made
        while len(kept) > most:
            kept.popitem(last=False)
    return made


def _draw(place: DeltaGenerator, what: str, name: str) -> DeltaGenerator:
    """Draw a bar and a button that ends the work, and return the bar."""
    with place.container():
        bar, button = st.columns([6, 1])
        # Streamlit's own "Stop" is no part of a minimal toolbar.
        button.button("Stop", key=f"stop {what} {name}", on_click=_stop, args=(what, name))
        return bar.progress(0.0)


def _stop(what: str, name: str) -> None:
    st.session_state[STOPPED] = (what, name)


@contextmanager
def wanted(name: str, key: object, *, asked: bool) -> Iterator[bool]:
    """Yield whether long work is wanted: it is asked for now, or was for the same ``key`` and has been done.

    A request that was stopped or failed is forgotten: the next click anywhere would start it again.
    """
    is_wanted = asked or (name in st.session_state and st.session_state[name] == key)
    if is_wanted:
        st.session_state.pop(name, None)
    if asked:
        st.session_state.pop(STOPPED, None)
    yield is_wanted
    if is_wanted:
        st.session_state[name] = key


@contextmanager
def wanted_of_many(name: str, key: object, n_books: int, button: str) -> Iterator[bool]:
    """Yield whether work on ``n_books`` is wanted: on few it always is; on many it waits for a click on ``button``."""
    if n_books < BOOKS_AT_ONCE:
        yield True
        return
    with wanted(name, key, asked=st.button(button, key=f"{name}_button")) as is_wanted:
        if not is_wanted:
            st.info(f"{n_books:,} books are many to compare with each other: ask for it when you have some seconds.")
        yield is_wanted


@st.cache_resource(show_spinner=False)
def _kept(what: str) -> OrderedDict[str, Any]:
    return OrderedDict()


def patiently(what: str, work: Callable[[OnStep], T], draw: Callable[[], DeltaGenerator]) -> T:
    """Do ``work`` beside the page, which shows how far it is on the bar of ``draw`` and can so end at any moment.

    Work for which nobody waits any more ends at its next step.
    """
    step, is_stopped = ("", 0.0), False

    def on_step(name: str, done: float) -> None:
        nonlocal step
        if is_stopped:
            raise Stopped
        step = (name, min(max(done, 0.0), 1.0))

    result, bar, began = _beside(lambda: work(on_step)), None, time.monotonic()
    try:
        while not _is_done(result):
            bar = bar or draw()
            bar.progress(step[1], f"{what}: {step[0] or 'working'}, {time.monotonic() - began:.0f} s")
    finally:
        is_stopped = True
    return result.result()


def _beside(work: Callable[[], T]) -> Future[T]:
    """Start ``work`` in a thread, which does not keep a lab that is ended from ending."""
    result: Future[T] = Future()

    def run() -> None:
        try:
            result.set_result(work())
        except BaseException as error:  # noqa: BLE001  (who waits for it gets it)
            result.set_exception(error)

    Thread(target=run, daemon=True).start()
    return result


def _is_done(result: Future[Any]) -> bool:
    """Wait a little for the result; return whether it is there."""
    try:
        result.exception(LOOK_SECONDS)
    except TimeoutError:
        return False
    return True
