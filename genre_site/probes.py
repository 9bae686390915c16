"""What load balancers and container engines ask: whether the process answers, and whether it can serve visitors.

No secret and no path is in an answer: anybody may ask. The log has the details.
"""

import logging

from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from classifier.core.errors import GenreError
from classifier.registry import NoChampion, champion

logger = logging.getLogger(__name__)


@require_safe
@never_cache
def healthz(request: HttpRequest) -> JsonResponse:
    """Answer 200 as long as the process answers at all; restart it when it does not."""
    return JsonResponse({"status": "ok"})


@require_safe
@never_cache
def readyz(request: HttpRequest) -> JsonResponse:
    """Answer 200 when the database can be read and a model answers; else 503 and why: send visitors elsewhere."""
    try:
        # Asked first, since a worker whose registry can't be read goes on with the model that it holds.
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        active = champion()
    except DatabaseError as error:
        return _not_ready("the database can't be read", error)
    except NoChampion as error:
        return _not_ready("no model has been promoted", error)
    except GenreError as error:
        return _not_ready("no model can be loaded", error)
    return JsonResponse({"status": "ready", "version": active.number})


def _not_ready(reason: str, error: Exception) -> JsonResponse:
    logger.warning("Not ready: %s", reason, exc_info=error)
    return JsonResponse({"status": "not ready", "reason": reason}, status=503)
