"""The review queues: one card at a time. Works as plain forms, and by keyboard alone where there is JavaScript."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.cache import patch_cache_control
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from classifier.http import page_or_partial
from feedback.actions import ActionRefused
from feedback.models import Opinion
from feedback.review.agreement import agreement_now
from feedback.review.conflicts import open_conflicts
from feedback.review.deciding import REVIEW, answer, settle, skip, undo
from feedback.review.forms import CardForm, SettleForm
from feedback.review.queue import CORRECTIONS, LABELS, next_card

PAGE = "review/card.html"
# What each queue is called in addresses.
ADDRESS = {CORRECTIONS: "card", LABELS: "label"}
SIGNED_OUT = _("You are signed out. What you ticked is still here: sign in in another tab, then save again.")
SAVE_AGAIN = _(
    "The form has expired, for your safety. Nothing was saved, and what you ticked is still here: save again."
)
NOT_SAVED = _("Not saved")
View = Callable[..., HttpResponse]


def _may_review(user: Any) -> bool:
    """Return whether somebody may review corrections in the admin; nobody who is not signed in may."""
    return bool(user.is_staff and user.has_perm(REVIEW))


def reviewers_only(view: View) -> View:
    """Let in whoever may review corrections in the admin; ask others to sign in."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        user = request.user
        if not user.is_authenticated:
            if request.headers.get("HX-Request"):
                context = {"title": NOT_SAVED, "words": SIGNED_OUT}
                return render(request, "review/_problem.html", context, status=403)
            return redirect_to_login(
                request.get_full_path() if request.method == "GET" else reverse("review:card-read")
            )
        if not _may_review(user):
            raise PermissionDenied
        response = view(request, *args, **kwargs)
        # It holds what people wrote, and a card that is somebody else's in a minute.
        patch_cache_control(response, private=True, no_store=True)
        return response

    return guarded


@require_safe
@reviewers_only
def card(request: HttpRequest, queue: str) -> HttpResponse:
    """Show the card before this reviewer."""
    return _show(request, queue)


@require_POST
@reviewers_only
def save(request: HttpRequest, queue: str) -> HttpResponse:
    """Store an answer and show the next card; on a mistake the same one, with what was ticked."""
    form = CardForm(request.POST)
    try:
        if not form.is_valid():
            raise ActionRefused(form.problem())
        data = form.cleaned_data
        opinion = answer(queue=queue, card=data["card"], uid=data["uid"], said=form.said(), by=request.user)
    except ActionRefused as error:
        return _show(request, queue, problem=str(error), entered=form)
    return _next(request, queue, gettext("Saved: %(answer)s.") % {"answer": _in_words(opinion)})


def save_expired(request: HttpRequest, queue: str) -> HttpResponse:
    """Show the card with what was ticked and a new token. Nothing is stored: the form may be forged."""
    if not _may_review(request.user):
        context = {"title": NOT_SAVED, "words": SIGNED_OUT}
        return render(request, "review/_problem.html", context)
    response = _show(request, queue, problem=SAVE_AGAIN, entered=CardForm(request.POST))
    # htmx shows what comes with a status of 4xx elsewhere unless told where.
    response["HX-Retarget"] = "#card"
    return response


@require_POST
@reviewers_only
def skip_card(request: HttpRequest, queue: str) -> HttpResponse:
    """Put the card behind the others, and show the next one."""
    form = CardForm(request.POST)
    form.is_valid()
    if "card" in form.cleaned_data and "uid" in form.cleaned_data:
        data = form.cleaned_data
        skip(queue=queue, card=data["card"], uid=data["uid"], by=request.user)
    return _next(request, queue, gettext("Skipped."))


@require_POST
@reviewers_only
def undo_last(request: HttpRequest, queue: str) -> HttpResponse:
    """Undo the last answer, and show its card with what was ticked."""
    try:
        undone = undo(queue=queue, by=request.user)
    except ActionRefused as error:
        return _show(request, queue, problem=str(error))
    assert undone.undoes is not None
    return _next(request, queue, gettext("Undone: %(answer)s.") % {"answer": _in_words(undone.undoes)})


def _next(request: HttpRequest, queue: str, said: str) -> HttpResponse:
    if request.headers.get("HX-Request"):
        return _show(request, queue, said=said)
    messages.success(request, said)
    return redirect(f"review:{ADDRESS[queue]}-read")


def _in_words(opinion: Opinion) -> str:
    verdict = str(opinion.get_verdict_display())
    return ", ".join(opinion.genres) or verdict[:1].lower() + verdict[1:]


def _show(
    request: HttpRequest, queue: str, *, said: str = "", problem: str = "", entered: CardForm | None = None
) -> HttpResponse:
    shown = next_card(queue, request.user)
    ticked: list[str] = []
    # Ticks belong to their card: where it is decided already they would be another's.
    is_same = entered is not None and shown is not None and entered.data.get("uid") == shown.uid
    flags = {"none_fits": False, "unusable": False}
    if is_same and entered is not None:
        ticked = entered.data.getlist("genres")
        flags = {name: bool(entered.data.get(name)) for name in flags}
    elif shown is not None and shown.undone is not None:
        ticked = shown.undone.genres
        flags = {
            "none_fits": shown.undone.verdict == Opinion.Verdict.NONE,
            "unusable": shown.undone.verdict == Opinion.Verdict.UNUSABLE,
        }
    address = ADDRESS[queue]
    context = {
        "queue": queue,
        "card": shown,
        "said": said,
        "problem": problem,
        "ticked": ticked,
        "given": [line.slug for line in shown.chosen] if shown is not None and queue == LABELS else [],
        **flags,
        **{f"{what}_url": reverse(f"review:{address}-{what}") for what in ("read", "save", "skip", "undo")},
    }
    return page_or_partial(request, PAGE, context, partial="card")


@require_safe
@reviewers_only
def agreement(request: HttpRequest) -> HttpResponse:
    """Show how far reviewers agree where two answered without knowing of each other."""
    return render(request, "review/agreement.html", {"agreement": agreement_now()})


@require_http_methods(["GET", "HEAD", "POST"])
@reviewers_only
def conflicts(request: HttpRequest) -> HttpResponse:
    """List conflicts with both answers side by side; POST settles one."""
    problem = ""
    form = None
    if request.method == "POST":
        form = SettleForm(request.POST)
        try:
            if not form.is_valid():
                raise ActionRefused(form.problem())
            opinion = settle(correction=form.cleaned_data["card"], said=form.said(), by=request.user)
        except ActionRefused as error:
            problem = str(error)
        else:
            messages.success(request, gettext("Settled: %(answer)s.") % {"answer": _in_words(opinion)})
            return redirect("review:conflict-list")
    entered = form.data if form is not None else {}
    context = {
        "conflicts": open_conflicts(request.user),
        "problem": problem,
        "entered": entered,
        "entered_card": entered.get("card", ""),
        "ticked": form.data.getlist("genres") if form is not None else [],
    }
    return render(request, "review/conflicts.html", context)
