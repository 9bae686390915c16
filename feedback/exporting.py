"""Corrections as example files, and back."""

import math
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from classifier.core.errors import CorpusError
from classifier.core.examples import TOMBSTONE, LabelledText, open_text, read_examples, sniff_format, write_examples
from classifier.core.files import replacing
from classifier.core.genres import GenreList
from classifier.models import Genre
from feedback.actions import Imported
from feedback.models import Correction, CorrectionQuerySet

# Formats that hold a whole correction; the others hold text and labels only.
LOSSLESS = ("csv", "jsonl")
# What a row with a text may be.
IMPORTED = (Correction.Status.PENDING, Correction.Status.APPROVED, Correction.Status.REJECTED)
# Our own receipts. Whoever knows one may read the text, so an id that could be guessed is not taken over.
RECEIPT = re.compile(r"[A-Za-z0-9_-]{22}")


def to_example(correction: Correction) -> LabelledText:
    """Return a correction as a row of an example file. Who sent or reviewed it stays here.

    One whose text is deleted becomes a tombstone: its receipt, and that it is deleted.
    """
    version = correction.version
    extra: dict[str, str | None] = {
        "document_id": correction.receipt,
        "status": correction.status,
        "verdict": correction.verdict,
        "chosen": "|".join(correction.chosen),
        "shown": "|".join(f"{slug}={score}" for slug, score in correction.shown),
        "proposal": correction.proposal,
        "note": correction.note,
        "model_version": str(version.number) if version else "",
        "created_at": correction.created_at.isoformat(),
    }
    if correction.is_erased:
        extra.update(dict.fromkeys(extra, ""), document_id=correction.receipt, status=TOMBSTONE)
        return LabelledText("", (), extra=extra)
    return LabelledText(text=correction.text, labels=correction.slugs(), extra=extra)


def chosen_for(file_format: str, status: str) -> tuple[CorrectionQuerySet, CorrectionQuerySet]:
    """Return the corrections with a status ('' for any) that have their text, and those that become tombstones.

    Tombstones go into every file that can hold them, whatever the status: whoever reads it deletes what was deleted
    here. A line of fastText or Annif has no place for one.
    """
    rows = Correction.objects.order_by("pk").select_related("version").prefetch_related("genres")
    living, erased = rows.exclude(text=""), rows.erased()
    if status:
        living = living.filter(status=status)
    return living, erased if file_format in LOSSLESS else erased.none()


def export(corrections: Iterable[Correction], path: Path, file_format: str) -> int:
    """Write ``corrections`` to ``path``, whole or not at all, and return how many rows were written."""
    with replacing(path) as stream:
        return write_examples(map(to_example, corrections), stream, file_format)


def read_corrections(path: Path, genres: GenreList, *, file_format: str = "", status: str = "") -> Iterator[Imported]:
    """Yield the corrections of an example file.

    Parameters
    ----------
    path : Path
        Any format of ``classifier.core.examples``.
    genres : GenreList
        What labels may mean.
    file_format : str, default=''
        '' finds it by the file's content.
    status : str, default=''
        Overrides the file's own status, but no tombstone's; without either a row is pending.

    Raises
    ------
    CorpusError
        When the file or a row of it can't be read, or a label means no genre; names the row.
    """
    stream = open_text(path)
    file_format = file_format or sniff_format(path, stream.read(65536))
    stream.seek(0)
    for record in read_examples(stream, file_format, name=str(path)):
        try:
            yield _to_imported(record, genres, status)
        except (ValueError, TypeError) as error:
            raise CorpusError(f"{path}, row {record.row}: {error}") from error


def _to_imported(record: LabelledText, genres: GenreList, status: str) -> Imported:
    extra: dict[str, Any] = record.extra
    own = extra.get("status") or ""
    document_id = extra.get("document_id") or ""
    receipt = document_id if RECEIPT.fullmatch(document_id) else ""
    if own in (TOMBSTONE, Correction.Status.WITHDRAWN):
        if not receipt:
            raise ValueError(f"it is {own}, but names no receipt in document_id")
        return Imported(text="", genres=(), receipt=receipt)
    given = status or own or Correction.Status.PENDING
    verdict = extra.get("verdict") or (Correction.Verdict.GENRES if record.labels else Correction.Verdict.UNSURE)
    if given not in IMPORTED:
        raise ValueError(f"{given!r} is no status; use one of {', '.join(IMPORTED)}")
    if verdict not in Correction.Verdict.values:
        raise ValueError(f"{verdict!r} is no verdict; use one of {', '.join(Correction.Verdict.values)}")
    if not record.text.strip():
        raise ValueError("there is no text")
    slugs = tuple(_slug(label, genres) for label in record.labels)
    if given == Correction.Status.APPROVED and not slugs and verdict != Correction.Verdict.NONE:
        raise ValueError("an approved row needs a label")
    for name, value, longest in (("proposal", extra.get("proposal"), 80), ("note", extra.get("note"), 1000)):
        if len(value or "") > longest:
            raise ValueError(f"the {name} has more than {longest} characters")
    chosen = extra.get("chosen")
    return Imported(
        text=record.text,
        genres=slugs,
        verdict=verdict,
        status=given,
        receipt=receipt,
        chosen=None if chosen is None else tuple(filter(None, chosen.split("|"))),
        shown=_shown(extra.get("shown") or ""),
        proposal=extra.get("proposal") or "",
        note=extra.get("note") or "",
    )


def _slug(label: str, genres: GenreList) -> str:
    genre = genres.find(label)
    if genre is None and Genre.objects.filter(slug=label).exists():
        return label  # retired: no longer offered, but old labels stay
    if genre is None:
        raise ValueError(f"{label!r} means no genre known here; add it in the admin, or as an alias")
    return genre.slug


def _shown(value: str) -> tuple[tuple[str, float], ...]:
    pairs = tuple(
        (slug, float(score)) for slug, _, score in (item.rpartition("=") for item in value.split("|") if item)
    )
    if not all(math.isfinite(score) for _, score in pairs):
        raise ValueError(f"{value!r} holds a score that is no number")
    return pairs
