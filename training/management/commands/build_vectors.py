"""``manage.py build_vectors``."""

from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser

from classifier.commands import GenreCommand, existing_file
from classifier.core.model import sha256_of
from training.core.books import Corpus, Example
from training.core.calibration import across_sources
from training.core.corpora import STARTER_FILE, read_corpus
from training.core.four_files import COLUMNS, FOUR_FILES
from training.core.pinned import read_four_files
from training.core.split import frozen_split, is_kept_from_vectors
from training.core.vectors import BOOK_VECTORS, MIN_DOCUMENTS, TEACHER_C, save_vectors, teach


class Command(GenreCommand):
    """Make word vectors that know genres."""

    help = (
        "Train a linear teacher on labelled books and write its word vectors, which `train` starts from. It reads the "
        "training side of the starter corpus and the files named by --data; without any, the four benchmark files under "
        "GENRE_DATA_DIR (all pinned rows). Test sides stay unseen, and so does a part of each training side, on which "
        "scores are calibrated. With two files or more it also scores each by vectors of the others: so a model of the "
        "starter corpus learns how sure it may be on texts from elsewhere."
    )
    examples = """
  manage.py build_vectors
  manage.py build_vectors --data library.csv --data reviews.jsonl.gz -O library_vectors.npz
"""

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument(
            "--data",
            type=existing_file,
            action="append",
            metavar="PATH",
            help="a file of labelled books, of which the training side is used; may be repeated",
        )
        parser.add_argument("-O", "--output", type=Path, default=BOOK_VECTORS, help="default: the shipped vectors")
        parser.add_argument(
            "--c", type=float, default=TEACHER_C, help="inverse strength of regularisation (default: %(default)s)"
        )
        parser.add_argument(
            "--min-documents", type=int, default=MIN_DOCUMENTS, help="rarer words are left out (default: %(default)s)"
        )

    def handle(self, *, data: list[Path] | None, output: Path, c: float, min_documents: int, **options: Any) -> None:
        """Read, teach, write."""
        genres = self.genre_list("")
        folder = Path(settings.GENRE_DATA_DIR)
        with self.progress("reading") as report:
            base = _taught_side(read_corpus(STARTER_FILE, genres))
            paths = [STARTER_FILE, *(data or [])]
            sources = {str(path): _taught_side(read_corpus(path, genres)) for path in data or []}
            if not data:
                for pinned in read_four_files(folder, genres):
                    sources.setdefault(pinned.file, []).append(pinned.example)
                paths += [folder / FOUR_FILES, *(folder / name for name in COLUMNS)]
            across = across_sources(
                sources,
                base,
                c=c,
                min_documents=min_documents,
                on_progress=lambda share: report("scoring each source with vectors of the others", 0.1 + 0.7 * share),
            )
            report("teaching", 0.8)
            examples = [*base, *(example for texts in sources.values() for example in texts)]
            vectors = replace(teach(examples, c=c, min_documents=min_documents), across=across)
            report("writing", 0.9)
            vectors.record.update(
                built=datetime.now(UTC).date().isoformat(),
                rebuild="manage.py build_vectors" + "".join(f" --data {path.name}" for path in data or []),
                inputs=[{"name": path.name, "sha256": sha256_of(path)} for path in paths],
                scikit_learn=version("scikit-learn"),
            )
            save_vectors(vectors, output)
        self.stdout.write(
            f"{len(vectors.words):,} words in {vectors.dim} dimensions from {len(examples):,} examples: {output} "
            f"({output.stat().st_size / 1e6:.2f} MB), its record beside it."
        )


def _taught_side(corpus: Corpus) -> list[Example]:
    """Return what the teacher may learn from: neither the test side nor what is kept for calibration."""
    side = [corpus.examples[at] for at in frozen_split(corpus.examples).train]
    return [example for example in side if not is_kept_from_vectors(example)]
