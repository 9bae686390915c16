"""``manage.py service_key``."""

from typing import Any

from django.conf import settings

from classifier.commands import GenreCommand
from classifier.core.naming import text_key


class Command(GenreCommand):
    """Print the key that ties the prediction service to this site."""

    help = (
        "Print the HASH_KEY of this site's prediction service: with it the service hashes texts as the site does and gives its "
        "predictions ids that the site's feedback API accepts. Made of SECRET_KEY, which it does not give away; a secret still."
    )
    examples = """
  HASH_KEY=$(manage.py service_key)
"""

    def handle(self, **options: Any) -> None:
        """Print it."""
        self.stdout.write(text_key(settings.SECRET_KEY).hex())
