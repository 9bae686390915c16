"""Sentences that several pages say."""

from training.core.seen import FairTexts


def measured_on(fair: FairTexts, trained: str) -> str:
    """Return which texts are measured on, and why others are not; ``trained`` is what was trained, in words."""
    said = [f"The test side of this data has {fair.n_test:,} {'text' if fair.n_test == 1 else 'texts'}."]
    left_out = {
        f"because {trained} was trained on the same book, or on nearly the same text": fair.n_left_out,
        "for repeating another": fair.n_repeated,
    }
    said += [f"{n:,} {'is' if n == 1 else 'are'} left out {why}." for why, n in left_out.items() if n]
    return " ".join(said)
