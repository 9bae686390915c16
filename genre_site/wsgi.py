"""The WSGI application. The champion is loaded here, before gunicorn forks, so that workers share its memory."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "genre_site.settings")
application = get_wsgi_application()

from classifier.registry import preload  # noqa: E402  (Django must be set up first)

preload()
