"""gunicorn: the model is loaded once, before the workers fork, and they share its memory. One monitor runs beside them.

A restart without a failed request: ``kill -USR2 PID``. gunicorn then starts a second server, with the code and the
settings of now, on the same socket. Once all its workers answer it ends the first (SIGTERM: requests under way are
finished), whose monitor ends too, and then starts its own. A second server that can't start leaves the first as it is.
SIGHUP starts new workers of the code that is loaded, so it is no restart. As process 1 of a container the first server
can't be replaced: its end is the container's.
"""

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from gunicorn import systemd

# Before gunicorn loads the application, and from wherever it was started.
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "genre_site.settings")
from django.conf import settings

preload_app = True
workers = settings.GENRE_WORKERS
worker_class = settings.GENRE_WORKER_CLASS
threads = settings.GENRE_THREADS
timeout = 60
graceful_timeout = 30
max_requests = 10_000
max_requests_jitter = 1_000
# The line of each request is the site's own (genre_site/middleware.py), and gunicorn's lines look like the site's.
accesslog = None
logconfig_dict = settings.LOGGING
# Nobody steers it from outside, and two servers of one user would share the socket.
control_socket_disable = True
# Request heads only; the size of bodies is Django's to refuse.
limit_request_line = 8190

_MANAGE = Path(__file__).resolve().parent.parent / "manage.py"
# The monitor may be in the middle of a look; after this it is killed.
_MONITOR_SECONDS_TO_END = 10


def on_starting(server: Any) -> None:
    """Remember the environment as it was given: what ``.env`` adds must be read anew by the server after this one."""
    server.genre_environ = dict(server.cfg.env_orig)


def pre_exec(server: Any) -> None:
    """Give the next server that environment; after a SIGHUP gunicorn's own copy holds values of the old ``.env``."""
    server.cfg.env_orig = dict(server.genre_environ)


def when_ready(server: Any) -> None:
    """Start the monitor; beside an earlier server, which has one, only when that is gone."""
    if server.master_pid == 0:
        _start_monitor(server)
        return
    promote = server.maybe_promote_master

    def promote_and_watch() -> None:
        promote()
        if server.master_pid == 0:
            server.maybe_promote_master = promote
            _start_monitor(server)

    # gunicorn asks this once a second, and has no hook for the answer.
    server.maybe_promote_master = promote_and_watch


def _start_monitor(server: Any) -> None:
    """Start the monitor. It ends when its standard input closes, so also when this process is killed."""
    every = settings.GENRE_MONITOR_SECONDS
    if every <= 0:
        return
    # On the server, not in this module: a reload (SIGHUP) reads the module again. In a group of its own, so that
    # Ctrl-C reaches this process alone, which then ends the monitor.
    server.genre_monitor = subprocess.Popen(
        [sys.executable, str(_MANAGE), "monitor", "--every", str(every), "--until-stdin-closes"],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        cwd=_MANAGE.parent,
        process_group=0,
    )


def post_fork(server: Any, worker: Any) -> None:
    """Close a worker's copy of the pipe: the monitor must not outlive the server because a worker does."""
    if monitor := getattr(server, "genre_monitor", None):
        monitor.stdin.close()
    # Once there are as many workers as wanted, an earlier server is wanted no more.
    worker.genre_ends = server.master_pid if worker.age >= server.num_workers else 0


def post_worker_init(worker: Any) -> None:
    """End the earlier server once this one can answer in its place."""
    if worker.genre_ends:
        # systemd would take the end of the process it knows for the end of the service.
        systemd.sd_notify(f"MAINPID={worker.ppid}", worker.log)
        with contextlib.suppress(ProcessLookupError):
            os.kill(worker.genre_ends, signal.SIGTERM)


def on_exit(server: Any) -> None:
    """End the monitor with the server."""
    monitor = getattr(server, "genre_monitor", None)
    if monitor is None:
        return
    monitor.stdin.close()
    monitor.terminate()
    try:
        monitor.wait(_MONITOR_SECONDS_TO_END)
    except subprocess.TimeoutExpired:
        monitor.kill()
        monitor.wait()
