"""What was deleted here: texts that no file may bring back, and corrections that no model should have learned from."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db import connection

from classifier.models import ModelVersion
from classifier.predictions import text_hashes
from feedback.models import Correction


@dataclass(frozen=True)
class Deleted:
    """Corrections whose text was erased, by receipt and by the text's keyed hash."""

    receipts: frozenset[str]
    hashes: frozenset[str]

    def has(self, text: str, receipt: str = "") -> bool:
        """Return whether ``text``, or the correction with this receipt, was deleted here."""
        return receipt in self.receipts or (bool(self.hashes) and not self.hashes.isdisjoint(text_hashes(text)))


def deleted_here() -> Deleted:
    """Return what was deleted; nothing where the database has not been made yet.

    A text that somebody else sent too, and did not take back, is still here. The site's own examples are the site's,
    whoever withdrew a correction of one.
    """
    if Correction._meta.db_table not in connection.introspection.table_names():  # noqa: SLF001  (public in all but name)
        return Deleted(frozenset(), frozenset())
    erased = Correction.objects.erased().order_by()
    visitors = erased.exclude(text_hash="").exclude(source=Correction.Source.EXAMPLE)
    hashes = set(visitors.values_list("text_hash", flat=True))
    kept = Correction.objects.exclude(text="").filter(text_hash__in=visitors.values("text_hash")).order_by()
    hashes -= set(kept.values_list("text_hash", flat=True))
    return Deleted(frozenset(erased.values_list("receipt", flat=True)), frozenset(hashes))


def learned_by(version: ModelVersion) -> list[int]:
    """Return the corrections (by primary key) that a version was trained on, from the database or from an export."""
    return sorted({*version.meta.get("feedback_train_ids", ()), *version.meta.get("feedback_file_ids", ())})


def taken_back(learned_by: Mapping[int, Sequence[int]]) -> dict[int, dict[str, int]]:
    """Count the corrections that a model may not have learned from any more, by what became of them.

    Parameters
    ----------
    learned_by : mapping of int to sequence of int
        The primary keys of the corrections that each version learned from, by the number of the version.

    Returns
    -------
    dict of int to dict of str to int
        For each version: withdrawn, rejected, pending, deleted, left without a genre; only what there is.
    """
    good = set(Correction.objects.approved_examples().order_by().values_list("pk", flat=True))
    status = dict(Correction.objects.order_by().values_list("pk", "status"))
    return {number: _count(learned, good, status) for number, learned in learned_by.items()}


def taken_back_line(gone: Mapping[str, int]) -> str:
    """Return what became of corrections as a line; '' when nothing did."""
    return ", ".join(f"{count} {what}" for what, count in gone.items())


def _count(learned: Sequence[int], good: set[int], status: Mapping[int, str]) -> dict[str, int]:
    gone = Counter(status.get(key, "deleted") for key in learned if key not in good)
    if Correction.Status.APPROVED in gone:
        gone["left without a genre"] = gone.pop(Correction.Status.APPROVED)
    return dict(gone)
