"""gunicorn for the service: the model is loaded once, before the workers fork, and they share its memory.

After SIGTERM ``/ready`` says no at once, in every worker, while requests are answered for ``DRAIN_SECONDS`` more, so that
whoever asks it can send them elsewhere; then what is under way is finished (30 seconds at most).
"""

import os
import shutil
import tempfile
import time
from typing import Any

from cortex import draining, logs
from cortex.settings import Settings
from cortex.store import SHARED_MEMORY

# Before anything loads prometheus_client, which looks for it once.
_OWN_FOLDER = ""
if not os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
    _OWN_FOLDER = tempfile.mkdtemp(prefix="genre-metrics-", dir=SHARED_MEMORY if SHARED_MEMORY.is_dir() else None)
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = _OWN_FOLDER

_SETTINGS = Settings.from_environ()

wsgi_app = "cortex.service:create()"
bind = f"0.0.0.0:{_SETTINGS.port}"
preload_app = True
workers = _SETTINGS.workers
# Connections that proxies keep open would each hold a whole worker of the class sync.
worker_class = "gthread"
threads = _SETTINGS.threads
timeout = 60
graceful_timeout = 30
# Workers show that they live by touching a file, which must not wait for a disk, and the root may be read-only.
worker_tmp_dir = str(SHARED_MEMORY) if SHARED_MEMORY.is_dir() else None
accesslog = None
logconfig_dict = logs.config(_SETTINGS.log_level)
control_socket_disable = True


def when_ready(server: Any) -> None:
    """Put the draining before gunicorn's own end."""
    end = server.handle_term

    def drain_and_end() -> None:
        draining.begin()
        # The workers go on meanwhile. SIGINT and SIGQUIT wait as well; SIGKILL does not.
        time.sleep(_SETTINGS.drain_seconds)
        end()

    server.handle_term = drain_and_end


def on_exit(server: Any) -> None:
    """Leave no files behind."""
    if _OWN_FOLDER:
        shutil.rmtree(_OWN_FOLDER, ignore_errors=True)
