"""Collect what is to be translated; Django's command, which also looks into the cores and the list of genres."""

from pathlib import Path
from typing import Any

from django.core.management.commands import makemessages

from classifier.core.genres import CANONICAL_FILE, read_genres

# What people at the lab, the shell or a cluster see stays English, and so do tests.
_ENGLISH = [
    "tests",
    "explore",
    "cortex",
    "benchmarks",
    "extension",
    "docs",
    "training",
    "admin",
    "var",
    "models",
    "data",
]


class BuildFile(makemessages.BuildFile):
    """A file as xgettext reads it: of the list of genres, the names and descriptions."""

    def preprocess(self) -> None:
        """Write the genres as calls."""
        if Path(self.path).resolve() != CANONICAL_FILE:
            super().preprocess()
            return
        words = [word for genre in read_genres(CANONICAL_FILE) for word in (genre.name, genre.description)]
        calls = "\n".join(f'pgettext("genre", {word!r})' for word in words)
        Path(self.work_path).write_text(calls, encoding="utf-8")


class Command(makemessages.Command):
    """Update the catalogues in LOCALE_PATHS (`make messages`)."""

    build_file_class = BuildFile
    # The first two words of an error of the core are the sentence and its plural.
    xgettext_options = [
        *makemessages.Command.xgettext_options,
        *(f"--keyword={name}" for name in ("EmptyText", "NotText", "TextTooLong", "SheetError", "Said")),
        "--keyword=TextTooShort:1,2",
    ]

    def handle(self, *args: Any, **options: Any) -> None:
        """Update; what is not for visitors and reviewers is left out."""
        options["extensions"] = ["html", "py", "toml"]
        options["ignore_patterns"] = [*options["ignore_patterns"], *_ENGLISH]
        options["add_location"] = options["add_location"] or "file"
        super().handle(*args, **options)
