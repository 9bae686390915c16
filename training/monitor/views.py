"""Where people and Prometheus look: the staff page and ``/metrics``."""

from django.conf import settings
from django.contrib.admin.views.decorators import staff_member_required
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import translation
from django.utils.crypto import constant_time_compare
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from classifier.http import bearer_token
from classifier.keys import find_key
from classifier.models import ApiKey
from training.monitor.drawing import DEFAULT_DAYS, PERIODS
from training.monitor.prometheus import CONTENT_TYPE, scrape
from training.monitor.reading import monitor_page

REFUSED = (
    "These figures are for staff and for Prometheus. Sign in at /admin/ as a member of the staff, or set "
    "GENRE_METRICS_TOKEN on the server and send it as “Authorization: Bearer TOKEN”, or send a key for read-monitor.\n"
)


@staff_member_required
@never_cache
@require_safe
def monitor(request: HttpRequest) -> HttpResponse:
    """Show the figures, the alerts and the charts of the last days that the address asks for."""
    asked = request.GET.get("days", "")
    days = int(asked) if asked in map(str, PERIODS) else DEFAULT_DAYS
    # The staff's page is English, its figures and charts too.
    with translation.override("en"):
        page = TemplateResponse(request, "training/monitor.html", monitor_page(days)).render()
    page["Content-Language"] = "en"
    return page


@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Answer a scrape with the same figures as text."""
    if not _may_scrape(request):
        refusal = HttpResponse(REFUSED, status=401, content_type="text/plain; charset=utf-8")
        refusal["WWW-Authenticate"] = 'Bearer realm="metrics"'
        return refusal
    return HttpResponse(scrape(), content_type=CONTENT_TYPE)


def _may_scrape(request: HttpRequest) -> bool:
    user = request.user
    if user.is_authenticated and user.is_active and user.is_staff:
        return True
    token, wanted = bearer_token(request) or "", settings.GENRE_METRICS_TOKEN
    if wanted and constant_time_compare(token, wanted):
        return True
    key = find_key(token)
    return key is not None and key.opens(ApiKey.Scope.READ_MONITOR)
