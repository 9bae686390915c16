"""Do a program's write once, however often it is sent: the Idempotency-Key header.

References
----------
"The Idempotency-Key HTTP Header Field", IETF draft-ietf-httpapi-idempotency-key-header.
"""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.utils.crypto import salted_hmac

from classifier.models import IdempotentAnswer
from classifier.problems import Problem

HEADER = "Idempotency-Key"
KEPT = timedelta(days=1)
_USABLE = re.compile(r"[!-~]{1,200}")
_SALT = "classifier.idempotency"


def once(request: HttpRequest, who: str, write: Callable[[], tuple[int, dict[str, Any]]]) -> JsonResponse:
    """Do ``write`` and answer with its status and body; the same request with the same key gets the first answer.

    The answer is kept for a day, in the transaction of what was written, so that both are there or neither.

    Raises
    ------
    Problem
        When the key is unusable, or came with another request.
    """
    key = request.headers.get(HEADER)
    if key is None:
        status, body = write()
        return JsonResponse(body, status=status)
    if not _USABLE.fullmatch(key):
        raise Problem("bad-request", f"{HEADER} must have 1 to 200 visible ASCII characters.")
    asked = _digest(request.method or "", request.path, request.body.hex())
    with transaction.atomic():
        IdempotentAnswer.objects.filter(at__lt=timezone.now() - KEPT).delete()
        # Whoever sends the same at the same moment waits here until the first is stored.
        row, is_first = IdempotentAnswer.objects.get_or_create(digest=_digest(who, key), defaults={"request": asked})
        if is_first:
            row.status, row.body = write()
            row.save(update_fields=["status", "body"])
        elif row.request != asked:
            raise Problem("same-key-other-request", f"Send another {HEADER} with another request.")
    return JsonResponse(row.body, status=row.status, headers={} if is_first else {"Idempotent-Replayed": "true"})


def _digest(*parts: str) -> str:
    return salted_hmac(_SALT, "\n".join(parts), algorithm="sha256").hexdigest()
