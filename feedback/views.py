"""Send a correction; see or withdraw it by its receipt link; answer whether a genre is right."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from classifier.http import for_one_person, hold_back, page_or_partial
from classifier.predictions import BadToken, Shown
from classifier.views import PAGE, classify_expired, result_context, show_again
from classifier.visitors import visitor_of
from classifier.wording import genre_lines
from feedback.actions import ActionRefused, answer_audit, submit_correction, withdraw
from feedback.forms import CorrectionForm
from feedback.limits import TooManyCorrections
from feedback.models import AuditAnswer, Correction
from feedback.yours import remember, yours_of

AUDIT_PAGE = "feedback/audit.html"
CORRECT_AGAIN = _(
    "This page was open too long, and for your safety the form has expired. Nothing was stored, and nothing that you entered "
    "is lost: send it again."
)
ANSWER_AGAIN = _(
    "This page was open too long, and for your safety the form has expired. Your answer was not counted: show the genres of "
    "the text again, and then answer."
)


@require_POST
def create(request: HttpRequest) -> HttpResponse:
    """Store a correction; on a mistake show the form again with everything the person entered."""
    form = CorrectionForm(request.POST)
    try:
        shown = Shown.from_token(str(form.data.get("token", "")))
    except BadToken as error:
        return show_again(request, error, partial="correction")
    if not form.is_valid():
        return _again(request, form, shown, form.problems())
    try:
        correction = submit_correction(
            shown=shown, text=form.cleaned_data["text"], answer=form.answer(), visitor=visitor_of(request)
        )
    except ActionRefused as error:
        return _again(request, form, shown, [str(error)])
    except TooManyCorrections as error:
        sentence = ngettext(
            "Too many corrections came from your address. Nothing is lost: send this one again in %(n)s second.",
            "Too many corrections came from your address. Nothing is lost: send this one again in %(n)s seconds.",
            error.retry_after,
        ) % {"n": error.retry_after}
        response = _again(request, form, shown, [sentence])
        return hold_back(request, response, error.retry_after)
    address = reverse("feedback:correction-read", args=[correction.receipt])
    if request.headers.get("HX-Request"):
        context = {"correction": correction, "receipt_url": request.build_absolute_uri(address)}
        answer: HttpResponse = TemplateResponse(request, "feedback/_thanks.html", context)
    else:
        answer = redirect(address)
    remember(answer, yours_of(request).with_correction(correction.receipt))
    return answer


def create_expired(request: HttpRequest) -> HttpResponse:
    """Show the correction as it was sent, with a new token. Nothing is stored: the form may be forged."""
    form = CorrectionForm(request.POST)
    try:
        shown = Shown.from_token(str(form.data.get("token", "")))
    except BadToken:
        return classify_expired(request)
    response = _again(request, form, shown, [CORRECT_AGAIN])
    # htmx shows what comes with a status of 4xx elsewhere unless told where.
    response["HX-Retarget"] = "#correction"
    return response


def _again(request: HttpRequest, form: CorrectionForm, shown: Shown, problems: list[str]) -> HttpResponse:
    context = result_context(shown, str(form.data.get("text", ""))) | {
        "correction_problems": problems,
        "ticked": form.data.getlist("genres"),
        "entered": form.data,
        "audit_answer": AuditAnswer.objects.filter(prediction_uid=shown.uid).first(),
    }
    return page_or_partial(request, PAGE, context, partial="correction")


@require_http_methods(["GET", "HEAD", "POST"])
def receipt(request: HttpRequest, receipt: str) -> HttpResponse:
    """Show one's own correction; POST withdraws it. Whoever knows the link may do both."""
    correction = get_object_or_404(Correction.objects.select_related("version"), receipt=receipt)
    if request.method == "POST":
        withdraw(correction=correction)
        return redirect("feedback:correction-read", receipt=receipt)
    context = {
        "correction": correction,
        "chosen": genre_lines((slug, 0.0) for slug in correction.chosen),
        "shown": genre_lines(correction.shown),
        "reviewed": genre_lines((slug, 0.0) for slug in correction.slugs()),
        "receipt_url": request.build_absolute_uri(),
    }
    return for_one_person(TemplateResponse(request, "feedback/receipt.html", context))


@require_POST
def audit(request: HttpRequest) -> HttpResponse:
    """Count an answer to "is this right?"."""
    try:
        shown = Shown.from_token(request.POST.get("token", ""))
        answer = answer_audit(shown=shown, answer=request.POST.get("answer", ""), visitor=visitor_of(request))
    except (BadToken, ActionRefused) as error:
        return page_or_partial(request, AUDIT_PAGE, {"audit_problem": str(error)}, partial="audit")
    if request.headers.get("HX-Request"):
        corrected = Correction.objects.filter(prediction_uid=shown.uid).exists()
        context = {"audit_answer": answer, "corrected": corrected}
        return page_or_partial(request, AUDIT_PAGE, context, partial="audit")
    return redirect("feedback:audit-thanks")


def audit_expired(request: HttpRequest) -> HttpResponse:
    """Say that the answer was not counted: the form may be forged."""
    response = page_or_partial(request, AUDIT_PAGE, {"audit_problem": ANSWER_AGAIN}, partial="audit")
    response["HX-Retarget"] = "#audit"
    return response


@require_safe
def audit_thanks(request: HttpRequest) -> HttpResponse:
    """Thank for an answer where there is no JavaScript, and point back to the genres and the text."""
    return TemplateResponse(request, AUDIT_PAGE)
