"""Put the passages that a text may read like beside a version's model."""

from classifier.core.errors import CorpusError
from classifier.core.genres import GenreList
from classifier.core.neighbours import NEIGHBOURS_FILE, place_neighbours
from classifier.models import ModelVersion
from classifier.registry import folder_of, load_version
from training.core.corpora import STARTER_FILE, read_corpus
from training.core.starter import passages_of


def build_neighbours(version: ModelVersion, genres: GenreList) -> int:
    """Write the passages of the starter corpus beside the version's model, anew if they are there; return how many.

    0, and nothing is written, where the model can't tell where a text points or no genre of ours is one of the corpus.
    Never a text of anybody's: no file, no correction is read.

    Raises
    ------
    ModelError
        When the version can't be loaded.
    OSError
        When its folder can't be written.
    """
    model = load_version(version)
    try:
        examples = read_corpus(STARTER_FILE, genres).examples
    except CorpusError:
        return 0
    found = place_neighbours(model, passages_of(examples), [example.text for example in examples])
    if found is None:
        return 0
    found.save(folder_of(version))
    return len(found.passages)


def has_neighbours(version: ModelVersion) -> bool:
    """Return whether there are passages beside the version's model."""
    return (folder_of(version) / NEIGHBOURS_FILE).is_file()
