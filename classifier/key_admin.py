"""Keys of programs in the admin: made, rotated and revoked; a secret is shown once, in the answer that makes it."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from classifier.keys import KeyRefused, create_key, revoke_key, rotate_key
from classifier.models import ApiKey


class ApiKeyForm(forms.ModelForm):
    """A key to be made."""

    scopes = forms.MultipleChoiceField(choices=ApiKey.Scope.choices, widget=forms.CheckboxSelectMultiple)

    class Meta:
        model = ApiKey
        fields = ["name", "scopes", "per_minute", "expires_at"]


@admin.register(ApiKey)
class ApiKeyAdmin(admin.ModelAdmin):
    """Keys are made and ended, never changed: what a key opens is settled when it is given away."""

    form = ApiKeyForm
    list_display = ["name", "prefix", "opens", "state", "created_by", "created_at", "expires_at", "last_used_at"]
    search_fields = ["name", "prefix"]
    actions = ["rotate", "revoke"]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse to change one; the list may be seen by whoever may."""
        return obj is None and super().has_change_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Show to whoever may see or change keys."""
        return super().has_view_permission(request) or super().has_change_permission(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse; revoke instead, so that logs keep their meaning."""
        return False

    @admin.display(description="Opens")
    def opens(self, key: ApiKey) -> str:
        """Return the scopes."""
        return ", ".join(key.scopes)

    def save_model(self, request: HttpRequest, obj: ApiKey, form: Any, change: bool) -> None:
        """Make the key; ``obj`` becomes it."""
        data = form.cleaned_data
        made, secret = create_key(
            data["name"],
            data["scopes"],
            by=request.user.get_username(),
            expires_at=data["expires_at"],
            per_minute=data["per_minute"],
        )
        obj.pk = made.pk
        obj.refresh_from_db()
        request.genre_secrets = [(obj, secret)]  # type: ignore[attr-defined]

    def response_add(self, request: HttpRequest, obj: ApiKey, post_url_continue: str | None = None) -> HttpResponse:
        """Show the secret in this answer alone: a message would be stored on its way to the next page."""
        return self._show(request, request.genre_secrets)  # type: ignore[attr-defined]

    @admin.action(description="Rotate: make keys with the same rights, end the selected ones", permissions=["change"])
    def rotate(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> HttpResponse | None:
        """Rotate and show the new secrets."""
        made = []
        for key in queryset:
            try:
                made.append(rotate_key(key, by=request.user.get_username()))
            except KeyRefused as error:
                messages.error(request, str(error))
        return self._show(request, made) if made else None

    @admin.action(description="Revoke the selected keys, for ever", permissions=["change"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> None:
        """Revoke."""
        messages.info(request, f"{sum(revoke_key(key) for key in queryset)} revoked.")

    def _show(self, request: HttpRequest, made: list[tuple[ApiKey, str]]) -> HttpResponse:
        context = self.admin_site.each_context(request) | {
            "title": "Copy it now: it is not shown again",
            "opts": self.opts,
            "made": made,
        }
        response = TemplateResponse(request, "admin/classifier/apikey/made.html", context)
        response["Cache-Control"] = "no-store"
        return response
