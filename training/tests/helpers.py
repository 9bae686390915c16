"""Small files of made-up books for the tests of this app."""

import csv
import io

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from classifier.core.examples import LabelledText, write_examples
from classifier.core.files import replacing
from conftest import make_examples

KAGGLE_HEADER = (
    "",
    "title",
    "author",
    "rating",
    "voters",
    "price",
    "currency",
    "description",
    "publisher",
    "page_count",
    "generes",
    "ISBN",
    "language",
    "published_date",
)
DRAGON = "A young dragon learns to whisper old spells under the mountain."
BREAD = "Forty slow loaves, one oven, and a baker who wakes before dawn."


def as_rows(examples):
    """Return examples as rows of an example file."""
    return [
        LabelledText(example.text, example.genres, extra={"title": example.title, "author": example.author})
        for example in examples
    ]


def write_books(path, examples=None, file_format="csv"):
    """Write examples (default: the small corpus) to ``path`` and return it."""
    with replacing(path) as stream:
        write_examples(as_rows(make_examples() if examples is None else examples), stream, file_format)
    return path


def book(title="Ember", description=DRAGON, path="Fiction , Fantasy , General", author="I. Nvented", **cells):
    """Return one row of a file shaped like Kaggle's."""
    defaults = dict.fromkeys(KAGGLE_HEADER, "") | {"rating": "4.5", "page_count": "320", "voters": "1,204"}
    return defaults | {"title": title, "author": author, "description": description, "generes": path} | cells


def kaggle_text(rows, *, header=KAGGLE_HEADER):
    """Return rows as the text of a file shaped like Kaggle's, numbered as pandas does."""
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, lineterminator="\r\n")
    writer.writerow(header)
    for number, row in enumerate(rows):
        writer.writerow([number, *(row.get(column, "") for column in KAGGLE_HEADER[1:])])
    return stream.getvalue()


def write_kaggle(path, rows, **options):
    """Write rows as a file shaped like Kaggle's and return its path."""
    path.write_bytes(kaggle_text(rows, **options).encode())
    return path


class Said(str):
    """What a command wrote to standard output; ``err`` is what it wrote to standard error."""

    err = ""


def run(*arguments):
    out, err = io.StringIO(), io.StringIO()
    call_command(*map(str, arguments), stdout=out, stderr=err)
    said = Said(out.getvalue())
    said.err = err.getvalue()
    return said


def refused(*arguments):
    """Run a command that must fail; return the exit code and the message."""
    with pytest.raises(CommandError) as caught:
        run(*arguments)
    return caught.value.returncode, str(caught.value)
