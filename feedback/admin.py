"""Admin of corrections: read the text, see what was shown and chosen, approve, reject or set other genres.

The answers of the audit can be read.
"""

from functools import partial
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.html import format_html_join
from django.utils.text import Truncator

from classifier.admin import ReadOnly
from classifier.models import Genre
from feedback.actions import SAME_GENRES, ActionRefused, BulkResult, review, set_genres
from feedback.models import AuditAnswer, Correction, Opinion, ReviewEvent
from feedback.share_admin import SharedResultAdmin as SharedResultAdmin

Status = Correction.Status


class ReviewEventInline(ReadOnly, admin.TabularInline):
    """The trail of one correction."""

    model = ReviewEvent
    fields = ["at", "by", "action", "change", "reason"]
    readonly_fields = fields
    extra = 0
    verbose_name_plural = "History"

    @admin.display(description="Change")
    def change(self, event: ReviewEvent) -> str:
        """Return what was different afterwards."""
        parts = []
        for key, after in event.after.items():
            before = event.before.get(key)
            if before != after:
                show = [
                    ", ".join(value) or "none" if isinstance(value, list) else str(value)
                    for value in (before or "", after)
                ]
                parts.append(f"{key}: {show[0] or '–'} → {show[1]}")
        return "; ".join(parts) or "–"


class GenreFilter(admin.SimpleListFilter):
    """Filter by reviewed genre."""

    title = "genre"
    parameter_name = "genre"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Offer every genre."""
        return list(Genre.objects.values_list("slug", "name"))

    def queryset(self, request: HttpRequest, queryset: QuerySet[Correction]) -> QuerySet[Correction]:
        """Apply."""
        return queryset.filter(genres__slug=self.value()).distinct() if self.value() else queryset


class CorrectionAdminForm(forms.ModelForm):
    """Edit the genres and decide, in one go."""

    decision = forms.ChoiceField(
        choices=[
            ("", "leave as it is"),
            (Status.APPROVED, "approve"),
            (Status.REJECTED, "reject"),
            (Status.PENDING, "back to pending"),
        ],
        required=False,
        widget=forms.RadioSelect,
    )
    reason = forms.CharField(
        required=False, max_length=500, help_text="Kept in the history, also when the text is deleted: don't quote it."
    )
    genres = forms.ModelMultipleChoiceField(
        Genre.objects.all(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="The genres training will learn from.",
    )

    class Meta:
        model = Correction
        fields: list[str] = []

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.fields["genres"].initial = self.instance.genres.all()

    def clean(self) -> dict[str, Any]:
        """Refuse to approve an answer without genre."""
        cleaned = super().clean() or {}
        approving = cleaned.get("decision") == Status.APPROVED
        staying = not cleaned.get("decision") and self.instance.status == Status.APPROVED
        if not cleaned.get("genres") and self.instance.verdict != Correction.Verdict.NONE and (approving or staying):
            self.add_error("genres", "Tick the genres first: an approved correction needs one.")
        return cleaned


@admin.register(Correction)
class CorrectionAdmin(admin.ModelAdmin):
    """The reviewers' desk."""

    form = CorrectionAdminForm
    list_display = ["created_at", "status", "excerpt", "was_shown", "was_chosen", "reviewed", "version", "source"]
    list_display_links = ["created_at", "excerpt"]
    list_filter = ["status", "verdict", "created_at", "version", "source", GenreFilter]
    search_fields = ["text", "note", "proposal", "receipt"]
    search_help_text = "Words of the text, the note or the proposed genre"
    list_select_related = ["version"]
    list_per_page = 50
    actions = ["approve", "reject", "reopen", "change_genres"]
    readonly_fields = [
        "status",
        "text",
        "was_shown",
        "was_chosen",
        "verdict",
        "proposal",
        "note",
        "version",
        "source",
        "created_at",
        "reviewer",
        "reviewed_at",
    ]
    fieldsets = [
        ("The text", {"fields": ["text"]}),
        (
            "What the model showed and the person chose",
            {"fields": ["was_shown", "verdict", "was_chosen", "proposal", "note"]},
        ),
        ("Review", {"fields": ["status", "genres", "decision", "reason"]}),
        ("Origin", {"fields": ["version", "source", "created_at", "reviewer", "reviewed_at"]}),
    ]
    inlines = [ReviewEventInline]
    save_on_top = True

    class Media:
        css = {"all": ["css/admin.css"]}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Correction]:
        """Fetch the genres along."""
        return super().get_queryset(request).prefetch_related("genres")

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Refuse: corrections come from people and imports."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse: reject instead; the author may withdraw."""
        return False

    @admin.display(description="Text")
    def excerpt(self, correction: Correction) -> str:
        """Return the beginning of the text."""
        return Truncator(" ".join(correction.text.split())).chars(80) or "(deleted)"

    @admin.display(description="Shown by the model")
    def was_shown(self, correction: Correction) -> str:
        """Return what the model showed, with scores."""
        return format_html_join(", ", "{} {}", ((slug, f"{score:.0%}") for slug, score in correction.shown)) or "–"

    @admin.display(description="Chosen by the person")
    def was_chosen(self, correction: Correction) -> str:
        """Return what the person ticked, or which other answer they gave."""
        if correction.chosen:
            return ", ".join(correction.chosen)
        extra = f" (proposes “{correction.proposal}”)" if correction.proposal else ""
        return correction.get_verdict_display() + extra

    @admin.display(description="Genres after review")
    def reviewed(self, correction: Correction) -> str:
        """Return the genres as they stand."""
        return ", ".join(correction.slugs()) or "–"

    def save_model(self, request: HttpRequest, obj: Correction, form: Any, change: bool) -> None:
        """Hand the edit to ``feedback.actions``."""
        reason = form.cleaned_data["reason"]
        slugs = [genre.slug for genre in form.cleaned_data["genres"]]
        decision = form.cleaned_data["decision"]
        edit = partial(set_genres, corrections=[obj.pk], slugs=slugs, by=request.user, reason=reason)
        decide = partial(review, corrections=[obj.pk], status=decision, by=request.user, reason=reason)
        # What is approved needs its genres first; what is not may lose them afterwards.
        steps = [edit, decide] if decision == Status.APPROVED else [decide, edit]
        for step in steps:
            if decision or step is edit:
                self._explain(request, step(), ignore=(SAME_GENRES,))

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Save no relation, ``save_model`` did it all; only tell the admin's log that the history was not edited."""
        for formset in formsets:
            formset.save()

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """Log under the current state of the row."""
        obj.refresh_from_db()
        return super().log_change(request, obj, message)

    @admin.action(description="Approve the selected corrections", permissions=["change"])
    def approve(self, request: HttpRequest, queryset: QuerySet[Correction]) -> None:
        """Approve in bulk."""
        self._decide(request, queryset, Status.APPROVED)

    @admin.action(description="Reject the selected corrections", permissions=["change"])
    def reject(self, request: HttpRequest, queryset: QuerySet[Correction]) -> None:
        """Reject in bulk."""
        self._decide(request, queryset, Status.REJECTED)

    @admin.action(description="Put the selected corrections back to pending", permissions=["change"])
    def reopen(self, request: HttpRequest, queryset: QuerySet[Correction]) -> None:
        """Reopen in bulk."""
        self._decide(request, queryset, Status.PENDING)

    @admin.action(description="Set other genres for the selected corrections…", permissions=["change"])
    def change_genres(self, request: HttpRequest, queryset: QuerySet[Correction]) -> HttpResponse | None:
        """Ask for the genres, then set them for all selected corrections."""
        keys = list(queryset.values_list("pk", flat=True))
        if "apply" in request.POST:
            slugs = request.POST.getlist("genres")
            try:
                if not slugs:
                    raise ActionRefused("Tick at least one genre.")
                result = set_genres(
                    corrections=keys, slugs=slugs, by=request.user, reason=request.POST.get("reason", "")
                )
            except ActionRefused as error:
                self.message_user(request, str(error), messages.ERROR)
            else:
                self._explain(request, result)
                return None
        context = {
            **self.admin_site.each_context(request),
            "title": f"Genres for {len(keys)} corrections",
            "opts": self.opts,
            "keys": keys,
            "genres": Genre.objects.all(),
            "action_name": "change_genres",
        }
        return TemplateResponse(request, "admin/feedback/change_genres.html", context)

    def _decide(self, request: HttpRequest, queryset: QuerySet[Correction], status: str) -> None:
        keys = list(queryset.values_list("pk", flat=True))
        self._explain(request, review(corrections=keys, status=status, by=request.user))

    def _explain(self, request: HttpRequest, result: BulkResult, ignore: tuple[str, ...] = ()) -> None:
        if result.changed:
            self.message_user(request, f"{result.changed} changed.", messages.SUCCESS)
        for reason, count in result.skipped.items():
            if reason not in ignore:
                self.message_user(request, f"{count} left alone: {reason}.", messages.WARNING)


@admin.register(AuditAnswer)
class AuditAnswerAdmin(ReadOnly, admin.ModelAdmin):
    """What visitors picked at random said of the first genre they were shown."""

    list_display = ["at", "version", "genre", "score", "share", "answer"]
    list_filter = ["answer", "version", "at", "genre"]
    list_select_related = ["version"]


@admin.register(Opinion)
class OpinionAdmin(ReadOnly, admin.ModelAdmin):
    """Who did what in the review queues. Not among a reviewer's rights: a second opinion must not know the first."""

    list_display = ["at", "by", "kind", "verdict", "genres", "correction", "suspect", "wants_second"]
    list_filter = ["kind", "verdict", "wants_second", "at"]
    list_select_related = ["correction", "suspect"]
