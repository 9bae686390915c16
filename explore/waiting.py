"""Long work on a page: it is told of, Streamlit's "Stop" ends it, and it is done once for all who ask for the same."""

import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from threading import Lock, Thread
from typing import Any, TypeVar

import streamlit as st

from training.core.progress import OnStep

T = TypeVar("T")
# How soon "Stop" is seen; work that takes less shows no bar.
LOOK_SECONDS = 0.3
_lock = Lock()


class Stopped(Exception):
    """Nobody waits for this work any more."""


def once(what: str, key: object, work: Callable[[OnStep], T], *, most: int = 4) -> T:
    """Return what ``work`` makes of ``key``, made now or kept from before; the last ``most`` of a kind are kept.

    Streamlit's own caches would show every step of the progress again whenever they answer.
    """
    kept, name = _kept(what), repr(key)
    with _lock:
        if name in kept:
            kept.move_to_end(name)
            found: T = kept[name]
            return found
    made = patiently(what, work)
    with _lock:
        kept[name] = made
        while len(kept) > most:
            kept.popitem(last=False)
    return made


@contextmanager
def wanted(name: str, key: object, *, asked: bool) -> Iterator[bool]:
    """Yield whether long work is wanted: it is asked for now, or was for the same ``key`` and has been done.

    A request that was stopped or failed is forgotten: the next click anywhere would start it again.
    """
    is_wanted = asked or (name in st.session_state and st.session_state[name] == key)
    if is_wanted:
        st.session_state.pop(name, None)
    yield is_wanted
    if is_wanted:
        st.session_state[name] = key


@st.cache_resource(show_spinner=False)
def _kept(what: str) -> OrderedDict[str, Any]:
    return OrderedDict()


def patiently(what: str, work: Callable[[OnStep], T]) -> T:
    """Do ``work`` beside the page, which shows how far it is and can so be stopped at any moment.

    Work that was stopped ends at its next step.
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
            bar = bar or st.progress(0.0)
            bar.progress(step[1], f"{what}: {step[0] or 'working'}, {time.monotonic() - began:.0f} s")
    finally:
        is_stopped = True
        if bar:
            bar.empty()
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
