"""Corrections as example files, and back."""

import math
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from classifier.core.errors import CorpusError
from classifier.core.examples import LabelledText, open_text, read_examples, sniff_format, write_examples
from classifier.core.files import replacing
from classifier.core.genres import GenreList
from classifier.models import Genre
from feedback.actions import Imported
from feedback.models import Correction

# Formats that hold a whole correction; the others hold text and labels only.
LOSSLESS = ("csv", "jsonl")
# Our own receipts. Whoever knows one may read the text, so an id that could be guessed is not taken over.
_RECEIPT = re.compile(r"[A-Za-z0-9_-]{22}")


def to_example(correction: Correction) -> LabelledText:
    """Return a correction as a row of an example file. Who sent or reviewed it stays here."""
    return LabelledText(
        text=correction.text,
        labels=correction.slugs(),
        extra={
            "document_id": correction.receipt,
            "status": correction.status,
            "verdict": correction.verdict,
            "chosen": "|".join(correction.chosen),
            "shown": "|".join(f"{slug}={score}" for slug, score in correction.shown),
            "proposal": correction.proposal,
            "note": correction.note,
            "model_version": str(correction.version.number) if correction.version else "",
            "created_at": correction.created_at.isoformat(),
        },
    )


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
        Overrides the file's own status; without either a row is pending.

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
    given = status or extra.get("status") or Correction.Status.PENDING
    verdict = extra.get("verdict") or (Correction.Verdict.GENRES if record.labels else Correction.Verdict.UNSURE)
    if given not in Correction.Status.values:
        raise ValueError(f"{given!r} is no status; use one of {', '.join(Correction.Status.values)}")
    if verdict not in Correction.Verdict.values:
        raise ValueError(f"{verdict!r} is no verdict; use one of {', '.join(Correction.Verdict.values)}")
    if not record.text.strip() and given != Correction.Status.WITHDRAWN:
        raise ValueError("there is no text")
    slugs = tuple(_slug(label, genres) for label in record.labels)
    if given == Correction.Status.APPROVED and not slugs and verdict != Correction.Verdict.NONE:
        raise ValueError("an approved row needs a label")
    for name, value, longest in (("proposal", extra.get("proposal"), 80), ("note", extra.get("note"), 1000)):
        if len(value or "") > longest:
            raise ValueError(f"the {name} has more than {longest} characters")
    document_id = extra.get("document_id") or ""
    chosen = extra.get("chosen")
    return Imported(
        text=record.text,
        genres=slugs,
        verdict=verdict,
        status=given,
        receipt=document_id if _RECEIPT.fullmatch(document_id) else "",
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
