"""Examples and files in lists from which one chooses: found by words, and never two under one name."""

from collections import Counter
from collections.abc import Sequence

from classifier.core.text import one_line
from training.core.books import Example

_OPENING = 60


def find_examples(examples: Sequence[Example], words: str) -> list[int]:
    """Return the positions of the examples whose title, author or text holds every one of ``words``, in any capitals."""
    wanted = words.casefold().split()
    if not wanted:
        return list(range(len(examples)))
    held = (f"{each.title} {each.author} {each.text}".casefold() for each in examples)
    return [at for at, text in enumerate(held) if all(word in text for word in wanted)]


def example_labels(examples: Sequence[Example]) -> list[str]:
    """Return what to call each example: its title, or how its text begins; what repeats has author and row beside it."""
    plain = [example.title or one_line(example.text)[:_OPENING] for example in examples]
    own = [", ".join(filter(None, (example.author, f"row {example.row}"))) for example in examples]
    return distinct(plain, own)


def distinct(labels: Sequence[str], marks: Sequence[str]) -> list[str]:
    """Return the labels, each that stands more than once with its mark in parentheses.

    Streamlit tells choices apart by what they are called, and of equal ones takes the last.

    Parameters
    ----------
    labels, marks : sequence of str, of equal length
        Marks of equal labels differ, or their numbers in the list are added.
    """
    counts = Counter(labels)
    marked = [f"{label} ({mark})" if counts[label] > 1 else label for label, mark in zip(labels, marks, strict=True)]
    counts = Counter(marked)
    return [f"{label} #{at}" if counts[label] > 1 else label for at, label in enumerate(marked, start=1)]
