"""The audit's share in words."""

from django import template

register = template.Library()


@register.filter
def as_texts(share: float) -> str:
    """Return which texts a share above 0 of all is, as in "one text in 20, picked at random"."""
    if share >= 1:
        return "every text"
    one_in = round(1 / share)
    # Where "one in N" would be off by more than a hundredth, the share itself is plainer.
    part = f"one text in {one_in:,}" if abs(one_in * share - 1) <= 0.01 else f"{share * 100:g}% of texts"
    return f"{part}, picked at random"
