"""What all of our management commands share: examples in ``--help``, clear errors, progress, exit codes.

Exit codes: 0 done, 1 the data or a gate says no, 2 wrong usage.
"""

import argparse
import getpass
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from classifier.core.errors import GenreError
from classifier.core.genres import GenreList, canonical_genres, read_genres

__all__ = ["CommandError", "GenreCommand", "Table", "existing_file"]


class _Help(argparse.RawDescriptionHelpFormatter):
    """Our options first, Django's own after them."""

    ours_last = {
        "--version",
        "--verbosity",
        "--settings",
        "--pythonpath",
        "--traceback",
        "--no-color",
        "--force-color",
        "--skip-checks",
    }

    def add_arguments(self, actions: Any) -> None:
        """Order the options."""
        super().add_arguments(sorted(actions, key=lambda action: bool(self.ours_last & set(action.option_strings))))


def existing_file(value: str) -> Path:
    """Return ``value`` as the path of a file, or refuse it as wrong usage (exit 2)."""
    path = Path(value).expanduser()
    if not path.exists():
        raise argparse.ArgumentTypeError(f"{value} does not exist")
    if path.is_dir():
        raise argparse.ArgumentTypeError(f"{value} is a folder, not a file")
    return path


def operator_name() -> str:
    """Return who runs this command; in a container the user may have no name."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"


class GenreCommand(BaseCommand):
    """A command whose ``examples`` end its help and whose errors of the core become one line and exit 1."""

    examples = ""
    requires_system_checks: list[str] = []

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        """Add the examples and our help layout."""
        if self.examples:
            kwargs["epilog"] = f"Examples:\n{self.examples.rstrip()}"
        return super().create_parser(prog_name, subcommand, formatter_class=_Help, **kwargs)

    def execute(self, *args: Any, **options: Any) -> Any:
        """Run; turn an error of the core into a message that names the next step."""
        try:
            return super().execute(*args, **options)
        except GenreError as error:
            raise CommandError(str(error)) from error
        except BrokenPipeError:
            # The reader (`| head`) has enough; what Python still wants to flush goes nowhere.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return None

    @property
    def out(self) -> Console:
        """Results: standard output, or where a test redirects it."""
        return Console(file=self.stdout, soft_wrap=True, width=None if self.stdout.isatty() else 110, highlight=False)

    @contextmanager
    def progress(self, title: str) -> Iterator[Any]:
        """Show progress on standard error; yields ``report(what, share)`` with a share in [0, 1]."""
        console = Console(file=self.stderr._out, stderr=False)  # noqa: SLF001  (the stream under Django's wrapper)
        columns = (
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f}%"),
            TimeElapsedColumn(),
        )
        with Progress(*columns, console=console, transient=not console.is_terminal) as bar:
            task = bar.add_task(title, total=1.0)
            yield lambda what, share: bar.update(task, description=what, completed=share)
            bar.update(task, completed=1.0)

    @staticmethod
    def genre_list(name: str) -> GenreList:
        """Return the genres of a TOML file, or the shipped ones."""
        return read_genres(Path(name)) if name else canonical_genres()
