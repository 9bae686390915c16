"""Settings for tests: the real ones, apart from the developer's own ``.env`` and slow password hashing."""

import os
import tempfile
from pathlib import Path

# Every worker of pytest-xdist has a core of its own; numpy's threads would only take turns on it.
os.environ |= {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
# Set before the real settings read the environment; a variable that is set wins over `.env`.
for name in [name for name in os.environ if name.startswith("GENRE_")]:
    if name != "GENRE_DATA_DIR":
        del os.environ[name]
os.environ |= {
    "SECRET_KEY": "only-for-tests-" + "0123456789abcdefghijklmnopqrstuvwxyz" * 2,
    "DEBUG": "false",
    "ALLOWED_HOSTS": "testserver,localhost,127.0.0.1",
    "CSRF_TRUSTED_ORIGINS": "",
    "GENRE_HTTPS": "false",
    "GENRE_MODEL_DIR": str(Path(tempfile.gettempdir()) / "genre-detector-no-models"),
    "GENRE_LAB_DIR": str(Path(tempfile.gettempdir()) / "genre-detector-no-lab"),
    "GENRE_TRUSTED_PROXIES": "0",
    "GENRE_RECORD_SECONDS": "0",
    "GENRE_LIMITS_FILE": str(Path(tempfile.gettempdir()) / f"genre-detector-{os.getpid()}" / "limits.sqlite3"),
    # Reading the shipped vectors costs each training a second.
    "GENRE_VECTORS": "none",
    "DATABASE_URL": os.environ.get("TEST_DATABASE_URL", "sqlite://:memory:"),
    "LOG_LEVEL": "WARNING",
}

from genre_site.settings import *  # noqa: E402, F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = True
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
# Whom the audit asks is random; tests that want it ask for it.
GENRE_AUDIT_SHARE = 0.0
# Nor which corrections go to a second reviewer.
GENRE_REVIEW_SECOND_SHARE = 0.0
