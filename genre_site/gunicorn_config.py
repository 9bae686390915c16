"""gunicorn: the model is loaded once, before the workers fork, and they share its memory. One monitor runs beside them."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "genre_site.settings")
preload_app = True
worker_class = "sync"
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


def when_ready(server: Any) -> None:
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
