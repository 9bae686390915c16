"""Every error the cores raise, as one tree.

    GenreError
    ├── TextError               a text that can't be classified
    │   ├── EmptyText
    │   ├── TextTooShort
    │   ├── TextTooLong
    │   └── NotText
    ├── GenreListError          a list of genres that contradicts itself
    ├── CorpusError             a file that is not what it claims
    │   └── SheetError          a table of texts
    ├── OverlapError            the same book on the train and the test side
    ├── TrainingError           a training that could not give a usable model
    └── ModelError              a model folder that can't be served
        ├── ModelMissing
        └── ModelDamaged

Messages are whole sentences for people, in English. A front end shows them as they are, or translates ``sentence`` and
writes ``figures`` in its own way.
"""


class Said(str):
    """A figure of an error that is words of ours, and so to be translated too."""

    __slots__ = ()


class GenreError(Exception):
    """The root: catch it to translate any refusal of the cores.

    Parameters
    ----------
    sentence : str, default=''
        With ``figures``, where each goes is written as in ``%(size)s``.
    plural : str, default=''
        The sentence for any number ``n`` among the figures but 1.
    """

    def __init__(self, sentence: str = "", plural: str = "", **figures: int | str) -> None:
        self.sentence, self.plural, self.figures = sentence, plural, figures
        said = plural if plural and figures["n"] != 1 else sentence
        written = {name: f"{value:,}" if isinstance(value, int) else value for name, value in figures.items()}
        super().__init__(said % written if figures else said)


class TextError(GenreError):
    """A text that can't be classified."""


class EmptyText(TextError):
    """Nothing but white space."""


class TextTooShort(TextError):
    """Too few words to say anything."""


class TextTooLong(TextError):
    """More bytes than the operator allows."""


class NotText(TextError):
    """Bytes or characters that are no readable text."""


class GenreListError(GenreError):
    """A list of genres that contradicts itself."""


class CorpusError(GenreError):
    """A file that is not what it claims, or holds nothing usable."""


class SheetError(CorpusError):
    """A table that can't be read, or lacks the column of texts."""


class OverlapError(GenreError):
    """The same book, or nearly the same text, on the train and the test side."""


class TrainingError(GenreError):
    """A training that could not give a usable model."""


class ModelError(GenreError):
    """A model folder that can't be served."""


class ModelMissing(ModelError):
    """No model folder, or a folder without its files."""


class ModelDamaged(ModelError):
    """Files that don't match the hash recorded when the model was made."""
