"""Admin of shared results: what anybody who has a link can read, and a way to remove it."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.text import Truncator

from classifier.admin import ReadOnly
from feedback.models import SharedResult
from feedback.sharing import end_shares


@admin.register(SharedResult)
class SharedResultAdmin(ReadOnly, admin.ModelAdmin):
    """Neither link is shown: who may read here needs none."""

    list_display = ["created_at", "stands", "excerpt", "version", "expires_at", "ended_by"]
    list_filter = ["created_at", "version"]
    list_select_related = ["version"]
    search_fields = ["text"]
    search_help_text = "Words of the text"
    fields = ["text", "answer", "version", "created_at", "expires_at", "ended_at", "ended_by"]
    readonly_fields = fields
    actions = ["remove"]

    @admin.display(description="State")
    def stands(self, share: SharedResult) -> str:
        """Return where it stands."""
        return share.state

    @admin.display(description="Text")
    def excerpt(self, share: SharedResult) -> str:
        """Return the beginning of the text."""
        return Truncator(" ".join(share.text.split())).chars(80) or "(erased)"

    def has_remove_permission(self, request: HttpRequest) -> bool:
        """Whoever may change shared results may remove them; nobody changes what was said."""
        return bool(request.user.has_perm("feedback.change_sharedresult"))

    @admin.action(description="Remove: erase the text and end the link", permissions=["remove"])
    def remove(self, request: HttpRequest, queryset: QuerySet[SharedResult]) -> None:
        """Erase the selected ones."""
        keys = list(queryset.values_list("pk", flat=True))
        count = end_shares(shares=keys, by=request.user.get_username())
        self.message_user(request, f"{count} removed.", messages.SUCCESS)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Leave out what is over and waits to be deleted: nobody needs to read it any more."""
        return super().get_queryset(request).filter(expires_at__gt=timezone.now())
