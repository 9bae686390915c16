"""A form whose CSRF token is old or missing: nothing is done with it, and nothing that was typed is lost."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from classifier.views import EXPIRED as TITLE
from classifier.views import classify_expired
from feedback.review.views import save_expired
from feedback.share_views import create_expired as share_expired
from feedback.views import audit_expired, create_expired
from genre_site.errors import ErrorText, error_page

EXPIRED = ErrorText(
    TITLE,
    _(
        "For your safety the form has expired, and nothing was done with it. Go back, reload the page and send it again."
    ),
)
# What these forms hold would be missed. Each view shows it again with a new token, and neither predicts nor stores.
_SHOWN_AGAIN: dict[str, Callable[..., HttpResponse]] = {
    "classifier:text-classify": classify_expired,
    "classifier:text-explain": classify_expired,
    "feedback:correction-create": create_expired,
    "feedback:audit-create": audit_expired,
    "feedback:share-create": share_expired,
    "review:card-save": save_expired,
    "review:label-save": save_expired,
}


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Answer 403 with the form as it was sent."""
    match = request.resolver_match
    again = _SHOWN_AGAIN.get(match.view_name if match else "")
    response = again(request, **match.kwargs) if match and again else error_page(request, 403, EXPIRED)
    response.status_code = 403
    return response
