"""Settings: every one that an operator may change is read from the environment or ``.env``.

``.env.example`` lists them all; a test keeps the two in step.
"""

from datetime import timedelta
from pathlib import Path

from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from environs import Env, validate

from genre_site.keeping import days_or_for_ever
from genre_site.logs import FORMATS, logging_settings

BASE_DIR = Path(__file__).resolve().parent.parent
env = Env()
env.read_env(str(BASE_DIR / ".env"), recurse=False)

SECRET_KEY = env.str("SECRET_KEY", "")
if not SECRET_KEY:
    raise ImproperlyConfigured(
        "SECRET_KEY is not set. Run `make setup`, which writes one to .env, or set it in the environment."
    )
# Keys of before, which still hold while SECRET_KEY is being changed.
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", [])
DEBUG = env.bool("DEBUG", False)
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", ["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", [])
HTTPS = env.bool("GENRE_HTTPS", False)

# Ours
GENRE_MODEL_DIR = Path(env.str("GENRE_MODEL_DIR", "") or BASE_DIR / "models")
GENRE_DATA_DIR = Path(env.str("GENRE_DATA_DIR", "") or BASE_DIR / "data")
# Where the lab keeps its trainings, the data that is uploaded for them, and vectors that it has learned.
GENRE_LAB_DIR = Path(env.str("GENRE_LAB_DIR", "") or BASE_DIR / "var" / "lab")
# Word vectors training starts from: "book" (the shipped ones), "none", or a file of `build_vectors`.
GENRE_VECTORS = env.str("GENRE_VECTORS", "book")
GENRE_MAX_TEXT_BYTES = env.int("GENRE_MAX_TEXT_BYTES", 1_000_000)
# The largest file that is read on a page: a text, an e-book, a table of texts.
GENRE_MAX_UPLOAD_BYTES = env.int("GENRE_MAX_UPLOAD_BYTES", 10_000_000)
GENRE_CORRECTIONS_PER_MINUTE = env.int("GENRE_CORRECTIONS_PER_MINUTE", 10)
GENRE_CORRECTIONS_PER_DAY = env.int("GENRE_CORRECTIONS_PER_DAY", 200)
# The share of texts whose visitor is asked whether the first genre is right: the honest measure of accuracy.
GENRE_AUDIT_SHARE = env.float("GENRE_AUDIT_SHARE", 0.05, validate=validate.Range(0, 1))
# Answers to that question that are counted of one visitor.
GENRE_AUDIT_ANSWERS_PER_DAY = env.int("GENRE_AUDIT_ANSWERS_PER_DAY", 20)
# For how many days a link to a result shows it (0: nobody can make one), and how many links one visitor may make.
GENRE_SHARE_DAYS = env.int("GENRE_SHARE_DAYS", 30, validate=validate.Range(min=0))
GENRE_SHARES_PER_MINUTE = env.int("GENRE_SHARES_PER_MINUTE", 5)
GENRE_SHARES_PER_DAY = env.int("GENRE_SHARES_PER_DAY", 30)
# For how many days a browser remembers the receipts of what was sent from it; 0: not at all.
GENRE_REMEMBER_DAYS = env.int("GENRE_REMEMBER_DAYS", 90, validate=validate.Range(min=0))
# Review: the share of corrections that a second reviewer answers too, and for how many minutes a card is kept for its reviewer.
GENRE_REVIEW_SECOND_SHARE = env.float("GENRE_REVIEW_SECOND_SHARE", 0.1, validate=validate.Range(0, 1))
GENRE_REVIEW_CLAIM_MINUTES = env.int("GENRE_REVIEW_CLAIM_MINUTES", 10, validate=validate.Range(min=1))
# What the gate lets through at most: milliseconds for a text of 100 words, bytes of a model file.
GENRE_GATE_MILLISECONDS = env.float("GENRE_GATE_MILLISECONDS", 5.0)
GENRE_GATE_BYTES = env.int("GENRE_GATE_BYTES", 200_000_000)
# How gunicorn serves: worker processes, their class, and threads in each (gthread alone has more than one).
GENRE_WORKERS = env.int("GENRE_WORKERS", 2, validate=validate.Range(min=1))
GENRE_WORKER_CLASS = env.str("GENRE_WORKER_CLASS", "sync", validate=validate.OneOf(["sync", "gthread"]))
GENRE_THREADS = env.int("GENRE_THREADS", 1, validate=validate.Range(min=1))
# Seconds between two looks of the monitor that gunicorn starts beside its workers; 0 starts none.
GENRE_MONITOR_SECONDS = env.int("GENRE_MONITOR_SECONDS", 60)
# What Prometheus must send to read /metrics; empty leaves it to signed-in staff.
GENRE_METRICS_TOKEN = env.str("GENRE_METRICS_TOKEN", "")
# Whether programs without a key may ask the API, and how often: texts and corrections a minute.
GENRE_API_ANONYMOUS = env.bool("GENRE_API_ANONYMOUS", False)
GENRE_API_ANONYMOUS_PER_MINUTE = env.int("GENRE_API_ANONYMOUS_PER_MINUTE", 60)
GENRE_API_PER_MINUTE = env.int("GENRE_API_PER_MINUTE", 600)
# Where the workers of this machine count what was asked; of several machines, in the Redis at this address.
GENRE_LIMITS_FILE = Path(env.str("GENRE_LIMITS_FILE", "") or BASE_DIR / "var" / "limits.sqlite3")
GENRE_REDIS_URL = env.str("GENRE_REDIS_URL", "")
# The API stores its predictions in batches, so many seconds behind at most; 0 stores each at once.
GENRE_RECORD_SECONDS = env.float("GENRE_RECORD_SECONDS", 0.25, validate=validate.Range(0, 1))
# Sites whose pages may call the API from a browser, such as https://catalogue.example.org; none by default.
CORS_ALLOWED_ORIGINS = env.list("GENRE_CORS_ORIGINS", [])
CORS_URLS_REGEX = r"^/api/"
CORS_ALLOW_HEADERS = ["authorization", "content-type", "idempotency-key"]
CORS_EXPOSE_HEADERS = ["idempotent-replayed", "retry-after"]
# For how many days things are kept, as `prune` applies it; 0 keeps them for ever. The monitor reads 30 days of
# predictions, and the limits a day of visitors.
GENRE_KEEP_PREDICTIONS_DAYS = env.int("GENRE_KEEP_PREDICTIONS_DAYS", 400, validate=days_or_for_ever(31))
GENRE_KEEP_REJECTED_DAYS = env.int("GENRE_KEEP_REJECTED_DAYS", 90, validate=days_or_for_ever(1))
GENRE_KEEP_VISITORS_DAYS = env.int("GENRE_KEEP_VISITORS_DAYS", 3, validate=days_or_for_ever(2))
# How many proxies stand before this server and set X-Forwarded-For; 0 trusts no such header.
GENRE_TRUSTED_PROXIES = env.int("GENRE_TRUSTED_PROXIES", 0)
# Failed attempts to sign in under one name from one address until it is locked, and for how long.
GENRE_LOGIN_ATTEMPTS = env.int("GENRE_LOGIN_ATTEMPTS", 5, validate=validate.Range(min=1))
GENRE_LOGIN_LOCK_MINUTES = env.float(
    "GENRE_LOGIN_LOCK_MINUTES", 15, validate=validate.Range(min=0, min_inclusive=False)
)
# What `deploy_cortex` takes where its options say nothing: the name that callers ask for, the image, the operator.
GENRE_CORTEX_NAME = env.str("GENRE_CORTEX_NAME", "genre")
GENRE_CORTEX_IMAGE = env.str("GENRE_CORTEX_IMAGE", "")
GENRE_CORTEX_OPERATOR = env.str("GENRE_CORTEX_OPERATOR", "")
# The token of the deployed service; it is sent to the service alone, the cluster is told its hash.
GENRE_CORTEX_TOKEN = env.str("GENRE_CORTEX_TOKEN", "")
# Certificates of the cluster's load balancers, which by default sign their own; empty: those of this machine.
GENRE_CORTEX_CA_FILE = env.str("GENRE_CORTEX_CA_FILE", "")
# The `cortex` program (--transport cli), and where it keeps cli.yaml (--env).
CORTEX_CLI_PATH = env.str("CORTEX_CLI_PATH", "")
CORTEX_CLI_CONFIG_DIR = Path(env.str("CORTEX_CLI_CONFIG_DIR", "") or Path.home() / ".cortex")

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django_htmx",
    "template_partials",
    "csp",
    "corsheaders",
    # So that the API's documentation is served from here and not by strangers.
    "ninja",
    "axes",
    "classifier",
    "feedback",
    "training",
    # Its command; the service itself knows no Django.
    "cortex",
]

MIDDLEWARE = [
    # Before the redirect to HTTPS and the check of the host: a probe asks the process itself, by its address. And so
    # often that its lines would fill the log.
    "genre_site.middleware.answer_probes",
    # Around all others: it names and times whatever they answer.
    "genre_site.middleware.log_requests",
    "django.middleware.security.SecurityMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "genre_site.middleware.answer_programs",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "genre_site.middleware.refuse_browser_features",
    "django.contrib.sessions.middleware.SessionMiddleware",
    # After what needs no language (programs, static files), before whatever says something to a person.
    "genre_site.middleware.choose_language",
    "genre_site.middleware.refuse_large_bodies",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    # Innermost: it turns the login's answer into the one for the locked-out.
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "genre_site.urls"
WSGI_APPLICATION = "genre_site.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    }
]

DATABASES = {"default": env.dj_db_url("DATABASE_URL", f"sqlite:///{BASE_DIR / 'var' / 'db.sqlite3'}")}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    DATABASES["default"]["OPTIONS"] = {
        # What is deleted is overwritten, and not only by Python builds that do so by themselves.
        # Take the write lock at BEGIN, so that a reader never has to become a writer and fail.
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA secure_delete=ON;",
    }
    Path(DATABASES["default"]["NAME"]).parent.mkdir(parents=True, exist_ok=True)
else:
    # Set, not proposed: the address has set both already, to "a connection a request".
    DATABASES["default"] |= {"CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True}
    # Without it a page, and a probe, would wait minutes for a server that is gone.
    DATABASES["default"].setdefault("OPTIONS", {}).setdefault("connect_timeout", 5)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
# Name and address together: by the name alone anybody could lock a reviewer out, by the address alone a whole office.
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_FAILURE_LIMIT = GENRE_LOGIN_ATTEMPTS
AXES_COOLOFF_TIME = timedelta(minutes=GENRE_LOGIN_LOCK_MINUTES)
# Who goes on trying while locked does not make it longer: 15 minutes are 15 minutes.
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_RESET_ON_SUCCESS = True
AXES_CLIENT_IP_CALLABLE = "genre_site.lockout.login_address"
AXES_LOCKOUT_CALLABLE = "genre_site.lockout.locked_out"
# It keeps failed attempts until they expire, and no more: no diary of who signed in when, from where, with which browser.
AXES_DISABLE_ACCESS_LOG = True
AXES_ENABLE_ADMIN = False
AXES_VERBOSE = False
AXES_SENSITIVE_PARAMETERS = ["username", "ip_address", "csrfmiddlewaretoken"]

# What those get whose browser asks for none of LANGUAGES. The API and the commands speak English.
LANGUAGES = [("en", "English"), ("de", "Deutsch")]
LANGUAGE_CODE = env.str("GENRE_LANGUAGE", "en", validate=validate.OneOf([code for code, _ in LANGUAGES]))
LOCALE_PATHS = [BASE_DIR / "genre_site" / "translations"]
FORMAT_MODULE_PATH = ["genre_site.formats"]
# Who chose a language keeps it for a year.
LANGUAGE_COOKIE_AGE = 365 * 24 * 3600
LANGUAGE_COOKIE_SECURE = HTTPS
LANGUAGE_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_SAMESITE = "Lax"
TIME_ZONE = env.str("TIME_ZONE", "UTC")
USE_I18N = True
USE_TZ = True

STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "var" / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
# DEBUG finds files where they lie; a real server serves hashed, compressed copies.
WHITENOISE_USE_FINDERS = DEBUG
_STATIC = "whitenoise.storage.CompressedManifestStaticFilesStorage"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage" if DEBUG else _STATIC},
}

# A body may be somewhat larger than the largest text, so that a text a little too long comes back
# into its box with a message instead of an error page.
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * GENRE_MAX_TEXT_BYTES
GENRE_MAX_BODY_BYTES = 5 * GENRE_MAX_TEXT_BYTES
# A page's form may hold a file beside it. In memory, so that no file of a visitor's is ever written to the disk: a form
# that is larger is refused before it is read.
FILE_UPLOAD_MAX_MEMORY_SIZE = GENRE_MAX_FORM_BYTES = GENRE_MAX_BODY_BYTES + 2 * GENRE_MAX_UPLOAD_BYTES
FILE_UPLOAD_HANDLERS = ["django.core.files.uploadhandler.MemoryFileUploadHandler"]

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "connect-src": [SELF],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}
X_FRAME_OPTIONS = "DENY"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_SECURE = HTTPS
CSRF_COOKIE_SECURE = HTTPS
CSRF_COOKIE_HTTPONLY = True
SECURE_SSL_REDIRECT = HTTPS
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS
SECURE_HSTS_PRELOAD = HTTPS
if GENRE_TRUSTED_PROXIES:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
CSRF_FAILURE_VIEW = "genre_site.expired.csrf_failure"

# Lines for people while developing, for machines otherwise.
LOGGING = logging_settings(
    rendered_as=env.str("GENRE_LOG_FORMAT", "console" if DEBUG else "json", validate=validate.OneOf(FORMATS)),
    level=env.str("LOG_LEVEL", "INFO").upper(),
)
