"""Names of metrics and methods for the pages."""

from django import template
from django.utils.translation import gettext_lazy as _

register = template.Library()

METHODS = {"fasttext": "fastText", "linear_svc": "TF-IDF + LinearSVC", "majority": _("Most frequent")}
# The few that a reader can use; the command line prints them all.
METRICS = {
    "accuracy": _("The first genre shown is the book's main one"),
    "precision_at_1": _("The first genre shown is one of the book's (P@1)"),
    "recall_at_3": _("Share of the book's genres among the first three (R@3)"),
    "f1_doc_avg": _("F1 score, averaged over texts"),
    "f1_subj_avg": _("F1 score, averaged over genres"),
    "ndcg": _("Order of the genres (NDCG)"),
}


@register.filter
def method_title(name: str) -> str:
    """Return the title of a method."""
    return str(METHODS.get(name, name))


@register.filter
def metric_rows(methods: dict[str, dict[str, float]]) -> list[dict[str, object]]:
    """Return one row a metric: its name and the value of each method."""
    return [
        {"name": title, "values": [scores.get(key) for scores in methods.values()]} for key, title in METRICS.items()
    ]
