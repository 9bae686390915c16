"""Share a result by a link that shows it, delete it by a link of one's own; find again what was sent from this browser."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from classifier.answers import as_json, as_text, genre_names
from classifier.http import for_one_person, hold_back, page_or_partial
from classifier.predictions import BadToken, Shown
from classifier.views import PAGE, classify_expired, result_context, show_again
from classifier.visitors import visitor_of
from classifier.wording import ABSTENTIONS, genre_words, lines_of
from feedback.actions import ActionRefused
from feedback.limits import TooManyLinks
from feedback.models import Correction, SharedResult
from feedback.sharing import end_shares, share_result
from feedback.yours import MOST, Yours, forget, remember, yours_of

SHARE_AGAIN = _(
    "This page was open too long, and for your safety the form has expired. Nothing was stored: make the link again."
)


class ShareForm(forms.Form):
    """The result that is shared, by its signed token, and its text."""

    token = forms.CharField()
    text = forms.CharField(strip=False)


@require_POST
def create(request: HttpRequest) -> HttpResponse:
    """Store a result and its text, and show the links; on a mistake show the result again, with the reason."""
    form = ShareForm(request.POST)
    try:
        shown = Shown.from_token(str(form.data.get("token", "")))
    except BadToken as error:
        return show_again(request, error, partial="share")
    try:
        if not form.is_valid():
            raise ActionRefused(_("There is no text that could be shared."))
        share = share_result(shown=shown, text=form.cleaned_data["text"], visitor=visitor_of(request))
    except ActionRefused as error:
        return _again(request, shown, str(error))
    except TooManyLinks as error:
        sentence = ngettext(
            "Too many links were made from your address. Try again in %(n)s second.",
            "Too many links were made from your address. Try again in %(n)s seconds.",
            error.retry_after,
        ) % {"n": error.retry_after}
        response = _again(request, shown, sentence)
        return hold_back(request, response, error.retry_after)
    if request.headers.get("HX-Request"):
        answer: HttpResponse = TemplateResponse(request, "feedback/_share_links.html", _links(request, share))
    else:
        answer = redirect("feedback:share-manage", secret=share.secret)
    remember(answer, yours_of(request).with_share(share.secret))
    return answer


def create_expired(request: HttpRequest) -> HttpResponse:
    """Show the result again, with a new token. Nothing is stored: the form may be forged."""
    try:
        shown = Shown.from_token(request.POST.get("token", ""))
    except BadToken:
        return classify_expired(request)
    response = _again(request, shown, SHARE_AGAIN)
    # htmx shows what comes with a status of 4xx elsewhere unless told where.
    response["HX-Retarget"] = "#share"
    return response


def _again(request: HttpRequest, shown: Shown, problem: str) -> HttpResponse:
    context = result_context(shown, request.POST.get("text", "")) | {"share_problem": problem}
    return page_or_partial(request, PAGE, context, partial="share")


@require_http_methods(["GET", "HEAD", "POST"])
def manage(request: HttpRequest, secret: str) -> HttpResponse:
    """Show both links of one's own shared result; POST deletes it. Whoever knows this link may do both."""
    share = get_object_or_404(SharedResult.objects.select_related("version"), secret=secret)
    if request.method == "POST":
        end_shares(shares=[share.pk])
        return redirect("feedback:share-manage", secret=secret)
    return for_one_person(TemplateResponse(request, "feedback/share.html", _links(request, share) | _said(share)))


@require_safe
def read(request: HttpRequest, token: str) -> HttpResponse:
    """Show a shared result to whoever has its link; 410 once it is over."""
    share = get_object_or_404(SharedResult.objects.select_related("version"), token=token)
    context = {"share": share} | _said(share)
    status = 200 if share.state == "live" else 410
    response = for_one_person(TemplateResponse(request, "feedback/shared.html", context, status=status))
    # The address is the secret. No form is on the page, so nothing needs to know where it came from.
    response["Referrer-Policy"] = "no-referrer"
    return response


@require_http_methods(["GET", "HEAD", "POST"])
def mine(request: HttpRequest) -> HttpResponse:
    """List what was sent from this browser, as far as it remembers; POST makes it forget."""
    if request.method == "POST":
        answer = redirect("feedback:yours-read")
        forget(answer)
        return answer
    return for_one_person(TemplateResponse(request, "feedback/mine.html", _yours(yours_of(request))))


def _yours(yours: Yours) -> dict[str, Any]:
    rows = list(Correction.objects.filter(receipt__in=yours.corrections).prefetch_related("genres"))
    names = genre_names()
    return {
        "corrections": [_sent(row, names) for row in rows],
        "shares": list(SharedResult.objects.filter(secret__in=yours.shares)),
        "days": settings.GENRE_REMEMBER_DAYS,
        "most": MOST,
    }


def _sent(row: Correction, names: dict[str, str]) -> dict[str, Any]:
    def named(slugs: Iterable[str]) -> str:
        return ", ".join(genre_words(names.get(slug, slug)) for slug in slugs)

    reviewed = named(row.slugs()) if row.reviewed_at else ""
    return {"row": row, "said": named(row.chosen) or row.get_verdict_display(), "reviewed": reviewed}


def _links(request: HttpRequest, share: SharedResult) -> dict[str, Any]:
    return {
        "share": share,
        "shared_url": request.build_absolute_uri(reverse("shared:result-read", args=[share.token])),
        "secret_url": request.build_absolute_uri(reverse("feedback:share-manage", args=[share.secret])),
    }


def _said(share: SharedResult) -> dict[str, Any]:
    """Return what was said then, for the page; nothing once it is over."""
    if share.state != "live":
        return {}
    answer = share.answer
    return {
        "said": answer,
        "lines": lines_of(answer["results"]),
        "n_chosen": sum(each["chosen"] for each in answer["results"]),
        "abstained": ABSTENTIONS.get(answer["reason"] or "", ""),
        "as_json": as_json(answer),
        "as_text": as_text(answer),
    }
