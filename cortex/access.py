"""Who may ask: whoever brings a token of which the operator configured the SHA-256. The token itself is nowhere."""

import hashlib
import hmac
from collections.abc import Sequence

from cortex.wire import Problem, Request

_CHALLENGE = {"WWW-Authenticate": "Bearer"}


def check_token(request: Request, hashes: Sequence[str]) -> None:
    """Raise a 401 unless the request brings one of the tokens; without hashes everybody may ask.

    A token is a random secret of 256 bits, so that a plain hash can't be searched; every hash is compared, each in
    constant time.
    """
    if not hashes:
        return
    scheme, _, token = request.header("Authorization").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise Problem(401, "A token is needed: Authorization: Bearer TOKEN.", _CHALLENGE)
    found = hashlib.sha256(token.strip().encode("utf-8", "replace")).hexdigest()
    # A list: every one is compared, so that time does not tell which of them matched.
    if True not in [hmac.compare_digest(found, known) for known in hashes]:
        raise Problem(401, "This token opens nothing.", _CHALLENGE)
