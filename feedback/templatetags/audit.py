"""The audit's share in words."""

from django import template
from django.utils.translation import gettext as _

from classifier.wording import percentage, whole

register = template.Library()


@register.filter
def why_asked(share: float) -> str:
    """Return of which texts the question is asked, which is a share above 0 of all, and what becomes of the answer."""
    if share >= 1:
        return _("We ask this of every text. Your answer is counted; your text is not kept.")
    one_in = round(1 / share)
    # Where "one in N" would be off by more than a hundredth, the share itself is plainer.
    if abs(one_in * share - 1) <= 0.01:
        figures = {"n": whole(one_in)}
        return (
            _("We ask this of one text in %(n)s, picked at random. Your answer is counted; your text is not kept.")
            % figures
        )
    return _(
        "We ask this of %(percent)s of texts, picked at random. Your answer is counted; your text is not kept."
    ) % {"percent": percentage(share * 100)}
