"""``manage.py ensure_admin``: offer to create the first administrator."""

import os
import sys
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.management.base import CommandParser

from classifier.commands import GenreCommand

HOW = "No administrator yet. Create one with `.venv/bin/python manage.py createsuperuser`, or set DJANGO_SUPERUSER_USERNAME and DJANGO_SUPERUSER_PASSWORD."


class Command(GenreCommand):
    """Make sure somebody can sign in to the admin."""

    help = "Offer to create the first administrator, or take it from DJANGO_SUPERUSER_USERNAME and _PASSWORD."
    examples = """
  manage.py ensure_admin
  DJANGO_SUPERUSER_USERNAME=ada DJANGO_SUPERUSER_PASSWORD=… manage.py ensure_admin
"""

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument("--no-input", action="store_true", help="never ask; only say what is missing")

    def handle(self, *, no_input: bool, **options: Any) -> None:
        """Create, ask, or say how."""
        if get_user_model().objects.filter(is_superuser=True).exists():
            return
        if os.environ.get("DJANGO_SUPERUSER_USERNAME") and os.environ.get("DJANGO_SUPERUSER_PASSWORD"):
            os.environ.setdefault("DJANGO_SUPERUSER_EMAIL", "")
            call_command("createsuperuser", interactive=False)
            self.stdout.write("Administrator created from the environment. Sign in at /admin/.")
        elif not no_input and sys.stdin.isatty():
            if input("Create the first administrator now? [Y/n] ").strip().lower() in ("", "y", "yes"):
                call_command("createsuperuser")
            else:
                self.stdout.write(HOW)
        else:
            self.stdout.write(HOW)
