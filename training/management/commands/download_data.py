"""``manage.py download_data``."""

import shutil
from pathlib import Path
from typing import Any

from django.conf import settings

from classifier.commands import CommandError, GenreCommand

DATASET = "bilalyussef/google-books-dataset"
FILE_NAME = "google_books_1299.csv"


class Command(GenreCommand):
    """Fetch the Kaggle file."""

    help = f"Fetch {FILE_NAME} (Kaggle: {DATASET}) into GENRE_DATA_DIR. Offline it says where to put the file."
    examples = """
  manage.py download_data
  manage.py train --data data/google_books_1299.csv
"""

    def handle(self, **options: Any) -> None:
        """Download, unless it is here."""
        target = Path(settings.GENRE_DATA_DIR) / FILE_NAME
        if target.exists():
            self.stdout.write(f"{target} is here already.")
            return
        by_hand = f"Download https://www.kaggle.com/datasets/{DATASET} in a browser and put {FILE_NAME} at {target}."
        try:
            import kagglehub
        except ImportError as error:
            raise CommandError(f"kagglehub is not installed (it is in requirements-dev.txt). {by_hand}") from error
        self.stderr.write(f"Asking Kaggle for {DATASET} …")
        try:
            source = Path(kagglehub.dataset_download(DATASET, path=FILE_NAME))
        except Exception as error:
            raise CommandError(f"Kaggle can't be reached ({type(error).__name__}). {by_hand}") from error
        target.parent.mkdir(parents=True, exist_ok=True)
        draft = target.with_suffix(".part")
        shutil.copyfile(source, draft)
        draft.replace(target)
        self.stdout.write(f"{target} is here. Next: manage.py data_report {target}", self.style.SUCCESS)
