"""The HTTP API of corrections: send one, read it and take it back by its receipt."""

from typing import Annotated, Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from ninja import Field, Path, Router, Schema, Status

from classifier.api import ERRORS, ProblemOut, Strict, Text, a_model_answers
from classifier.api_guard import Caller, Needs, Scope, caller, throttle_address
from classifier.core.errors import TextError
from classifier.core.text import check_text
from classifier.idempotency import HEADER, once
from classifier.models import Prediction
from classifier.predictions import Shown, predict_text, shown_of
from classifier.problems import Problem
from classifier.visitors import visitor_of
from feedback.actions import ActionRefused, Answer, submit_correction, withdraw
from feedback.limits import TooManyCorrections
from feedback.models import Correction

router = Router(tags=["corrections"])
# A receipt is a secret of its own: whoever has it may read and delete, without a key.
by_receipt = Router(tags=["corrections"], auth=throttle_address)
Receipt = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{1,40}$", description="From the answer to the correction.")]
UUID = r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"


class FeedbackIn(Strict):
    """What a person says a text is: exactly one of genres, none fits, not sure. The text is stored with it."""

    text: Text
    prediction_id: (
        Annotated[
            str,
            Field(
                pattern=UUID,
                description="What is corrected, of this site or its prediction service; without it, it is made now.",
            ),
        ]
        | None
    ) = None
    genres: Annotated[list[Annotated[str, Field(max_length=60)]], Field(max_length=100, description="Slugs.")] = []
    none_fits: bool = False
    not_sure: bool = False
    proposal: Annotated[str, Field(max_length=80, description="A genre that is missing in the list.")] = ""
    note: Annotated[str, Field(max_length=1000)] = ""


class FeedbackOut(Schema):
    """A correction and how far its review is. Keep the receipt: it reads and deletes it."""

    receipt: str
    url: Annotated[str, Field(description="The page on which a person reads it or takes it back.")]
    status: str
    verdict: str
    genres: Annotated[list[str], Field(description="As sent.")]
    reviewed_genres: list[str]
    prediction_id: str | None
    created_at: str


RECEIPT_ERRORS: dict[int, Any] = dict.fromkeys((400, 404, 422, 429, 500), ProblemOut)


@router.post(
    "/feedback",
    auth=Needs(Scope.FEEDBACK),
    response={201: FeedbackOut} | ERRORS | {404: ProblemOut, 409: ProblemOut},
    summary="Correct the genres of a text",
    openapi_extra={
        "parameters": [
            {
                "in": "header",
                "name": HEADER,
                "schema": {"type": "string", "pattern": "^[!-~]{1,200}$"},
                "description": "The same request with the same key is done once; kept for a day.",
            }
        ]
    },
)
def create(request: HttpRequest, body: FeedbackIn) -> HttpResponse:
    """Store a correction; sent again for the same prediction, the first one is answered."""
    asker = caller(request)
    asker.take()
    # Before the transaction: it would hold up the worker that is about to store the prediction, and undo what this one stores.
    shown = shown_of(body.prediction_id, body.text) if body.prediction_id else None
    return once(request, asker.who, lambda: (201, _told(request, _submit(request, asker, body, shown))))


@by_receipt.get("/feedback/{receipt}", response={200: FeedbackOut} | RECEIPT_ERRORS, summary="Read a correction")
def read(request: HttpRequest, receipt: Receipt) -> dict[str, Any]:
    """Tell how far the review of a correction is."""
    return _told(request, _found(receipt))


@by_receipt.delete("/feedback/{receipt}", response={204: None} | RECEIPT_ERRORS, summary="Take a correction back")
def delete(request: HttpRequest, receipt: Receipt) -> Status:
    """Erase the text of a correction, and what was said of it. Safe to repeat."""
    withdraw(correction=_found(receipt))
    return Status(204, None)


def _submit(request: HttpRequest, asker: Caller, body: FeedbackIn, shown: Shown | None) -> Correction:
    text, note, proposal = (value.replace("\x00", "") for value in (body.text, body.note, body.proposal))
    answer = Answer(tuple(dict.fromkeys(body.genres)), body.none_fits, body.not_sure, proposal.strip(), note)
    try:
        # Before a model is asked.
        answer.verdict  # noqa: B018
        return submit_correction(
            shown=_known(shown) if body.prediction_id else _asked(text),
            text=text,
            answer=answer,
            visitor=visitor_of(request),
            # A key has a limit of its own.
            limited=asker.key is None,
        )
    except ActionRefused as error:
        raise Problem("refused", str(error)) from error
    except TooManyCorrections as error:
        raise Problem("too-many", str(error), headers={"Retry-After": str(error.retry_after)}) from error


def _known(shown: Shown | None) -> Shown:
    # The prediction service hashes no text without the site's key: nobody can tell what text it was.
    if shown is None or not shown.text_hash:
        raise Problem("unknown-prediction", "Leave prediction_id out, or ask for the genres again.")
    return shown


def _asked(text: str) -> Shown:
    """Return what the champion says now."""
    try:
        check_text(text, max_bytes=settings.GENRE_MAX_TEXT_BYTES)
    except TextError as error:
        raise Problem("refused", str(error)) from error
    with a_model_answers():
        return predict_text(text, source=Prediction.Source.API)


def _found(receipt: str) -> Correction:
    correction = Correction.objects.filter(receipt=receipt).prefetch_related("genres").first()
    if correction is None:
        raise Problem("unknown-receipt", "No correction has this receipt. A letter may be missing from it.")
    return correction


def _told(request: HttpRequest, correction: Correction) -> dict[str, Any]:
    return {
        "receipt": correction.receipt,
        "url": request.build_absolute_uri(reverse("feedback:correction-read", args=[correction.receipt])),
        "status": correction.status,
        "verdict": correction.verdict,
        "genres": correction.chosen,
        "reviewed_genres": list(correction.slugs()) if correction.reviewed_at else [],
        "prediction_id": str(correction.prediction_uid) if correction.prediction_uid else None,
        "created_at": correction.created_at.isoformat(),
    }
