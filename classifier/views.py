"""The pages of the classifier: paste a text, see its genres; read about the model."""

import logging
from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.formats import number_format
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from classifier.arc import Part, arc_of, first_look
from classifier.core.errors import ModelError
from classifier.core.text import Reading
from classifier.forms import TextForm
from classifier.http import page_or_partial, wants_partial, whole_page
from classifier.models import ModelVersion, Prediction
from classifier.predictions import BadToken, Shown, predict_text
from classifier.registry import champion
from classifier.sample_texts import sample_texts
from classifier.why import Unexplained, why
from classifier.wording import ABSTENTIONS, STANDS_OUT, genre_lines, genres_offered

logger = logging.getLogger(__name__)
PAGE, RESULT = "classifier/page.html", "result"
EXPIRED = _("This page was open too long")
SEND_AGAIN = _(
    "For your safety the form has expired. Nothing was read or stored, and your text is in the box: send it again. "
    "If this message comes back, allow cookies for this site."
)


def result_context(shown: Shown, text: str) -> dict[str, Any]:
    """Return what the result of one prediction needs to be shown, also by the correction form."""
    lines = genre_lines(shown.genres)
    return {
        "text": text,
        "shown": shown,
        "token": shown.token(),
        "lines": lines,
        "stands_out": bool(lines) and (bool(shown.n_chosen) or lines[0].score >= STANDS_OUT),
        "abstained": ABSTENTIONS.get(shown.abstained, ""),
        "all_genres": genres_offered(),
        "samples": sample_texts().values(),
    }


@require_http_methods(["GET", "HEAD", "POST"])
def classify(request: HttpRequest) -> HttpResponse:
    """Show the form; with a text, or the example named in the address, show its genres."""
    context: dict[str, Any] = {"samples": sample_texts().values(), "text": ""}
    if request.method == "POST":
        is_first = wants_partial(request, RESULT) and "stage" not in request.POST
        form = TextForm(request.POST, request.FILES, may_look=is_first)
        source = Prediction.Source.FILE if form.is_file else Prediction.Source.PAGE
        if not form.is_valid():
            context |= {"text": form.pasted, "problems": form.non_field_errors()}
        elif form.is_look:
            context |= {"text": form.pasted, "is_look": True, "look": first_look(form.pasted), "read": source}
        else:
            context |= _predict(form.reading, source, form.parts)
        context |= {"fill_box": bool(request.FILES), "notice": form.notice}
    elif name := request.GET.get("example"):
        sample = sample_texts().get(name)
        if sample is None:
            raise Http404(f"no example {name!r}")
        context |= _predict(Reading(sample.text), Prediction.Source.EXAMPLE) | {"fill_box": True}
    return page_or_partial(request, PAGE, context, partial=RESULT)


@require_POST
def explain(request: HttpRequest) -> HttpResponse:
    """Show why a text was given its genres: the prediction is named by its token, and nothing is stored."""
    text = request.POST.get("text", "")
    try:
        shown = Shown.from_token(request.POST.get("token", ""))
        reasons = why(shown, text)
    except (BadToken, Unexplained) as error:
        return show_again(request, error, partial="why")
    return page_or_partial(request, PAGE, result_context(shown, text) | {"why": reasons}, partial="why")


def show_again(request: HttpRequest, error: Exception, *, partial: str) -> HttpResponse:
    """Show the text that was sent in its box again, with why the rest of the form can't be used."""
    context = {"text": request.POST.get("text", ""), "problems": [str(error)]}
    return page_or_partial(request, PAGE, context, partial=partial)


def classify_expired(request: HttpRequest) -> HttpResponse:
    """Show the form with what was sent in its box and a new token. No genre is asked for: the form may be forged."""
    form = TextForm(request.POST, request.FILES)
    form.is_valid()  # reads the file
    context = {
        "samples": sample_texts().values(),
        "text": form.pasted,
        "problems_title": EXPIRED,
        "problems": [SEND_AGAIN],
    }
    return whole_page(request, PAGE, context)


def _predict(reading: Reading, source: str, parts: Sequence[Part] = ()) -> dict[str, Any]:
    try:
        shown = predict_text(reading, source=source)
        return result_context(shown, reading.text) | {"arc": arc_of(parts, shown)}
    except ModelError as error:
        logger.error("No model answers: %s", error)
        return {"text": reading.text, "no_model": True}


@require_safe
def about(request: HttpRequest) -> HttpResponse:
    """Tell which version answers, what it was trained on and how good it is."""
    context: dict[str, Any] = {"genres": genres_offered()}
    try:
        active = champion()
    except ModelError:
        return TemplateResponse(request, "classifier/about.html", context)
    version = ModelVersion.objects.get(number=active.number)
    evaluation = version.meta.get("evaluation", {})
    context |= {
        "version": version,
        "promoted": version.events.filter(to_state=ModelVersion.State.CHAMPION).first(),
        "meta": version.meta,
        "evaluation": evaluation,
        "methods": evaluation.get("methods", {}),
    }
    return TemplateResponse(request, "classifier/about.html", context)


@require_safe
def privacy(request: HttpRequest) -> HttpResponse:
    """Tell what is stored, why, for how long, and how to have it deleted."""
    context = {
        "predictions_days": settings.GENRE_KEEP_PREDICTIONS_DAYS,
        "rejected_days": settings.GENRE_KEEP_REJECTED_DAYS,
        "visitors_days": settings.GENRE_KEEP_VISITORS_DAYS,
        "share_days": settings.GENRE_SHARE_DAYS,
        "remember_days": settings.GENRE_REMEMBER_DAYS,
        "lock_minutes": number_format(f"{settings.GENRE_LOGIN_LOCK_MINUTES:g}"),
        "session_days": settings.SESSION_COOKIE_AGE // (24 * 3600),
    }
    return TemplateResponse(request, "classifier/privacy.html", context)
