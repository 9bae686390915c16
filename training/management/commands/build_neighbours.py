"""``manage.py build_neighbours``."""

from typing import Any

from django.core.management.base import CommandParser

from classifier.commands import CommandError, GenreCommand
from classifier.core.errors import ModelError
from classifier.genre_table import current_genres
from classifier.models import ModelVersion
from classifier.registry import get_version
from training.neighbours import build_neighbours


class Command(GenreCommand):
    """Make what the page needs for "it reads like"."""

    help = (
        "Write the passages of the starter corpus, and where each points in the eyes of a version's model, beside that "
        "model: the page names the nearest as what a text reads like. `promote` and `ensure_model` do it by themselves; "
        "running workers follow within seconds."
    )
    examples = """
  manage.py build_neighbours
  manage.py build_neighbours 3
"""

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument("version", nargs="?", default="champion", metavar="VERSION", help="default: %(default)s")

    def handle(self, *, version: str, **options: Any) -> None:
        """Build and say how many."""
        found = get_version(version)
        if not write_neighbours(self, found):
            raise CommandError(f"{found} gets no passages: it is quantised, has a tree of genres, or none of ours.")


def write_neighbours(command: GenreCommand, version: ModelVersion) -> int:
    """Build them and say how many; a folder that can't be written costs the page a paragraph and no more."""
    try:
        n_passages = build_neighbours(version, current_genres())
    except (OSError, ModelError) as error:
        command.stderr.write(
            f"No passages were written beside {version}: {error}. manage.py build_neighbours tries again."
        )
        return 0
    if n_passages:
        command.stdout.write(f"{n_passages} passages lie beside {version}.")
    return n_passages
