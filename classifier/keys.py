"""Keys of programs: made, rotated, revoked and looked up here. Only a hash of each is kept."""

import hashlib
import secrets
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from classifier.models import ApiKey

# Tells people and scanners of secrets what it is.
MARK = "gd_"
_PREFIX_LENGTH = len(MARK) + 6
# 256 bits: nothing to guess, so a plain SHA-256 is as safe as a slow hash and costs a microsecond.
_SECRET_BYTES = 32
# How long a process believes what the database said of a key: a revoked one fails after that.
_BELIEVED_SECONDS = 0.5
_BELIEVED_MOST = 1000
USED_EVERY = timedelta(minutes=1)


class KeyRefused(Exception):
    """A key that can't be made or changed so."""


@dataclass(frozen=True)
class KeyFacts:
    """What a request needs to know of its key."""

    pk: int
    prefix: str
    scopes: frozenset[str]
    per_minute: int
    expires_at: datetime | None

    def opens(self, scope: str) -> bool:
        """Return whether it opens ``scope``."""
        return scope in self.scopes or ApiKey.Scope.ADMIN in self.scopes

    @property
    def is_over(self) -> bool:
        """Whether it has expired."""
        return self.expires_at is not None and self.expires_at <= timezone.now()


def create_key(
    name: str,
    scopes: Iterable[str],
    *,
    by: str,
    expires_at: datetime | None = None,
    per_minute: int | None = None,
) -> tuple[ApiKey, str]:
    """Make a key; return it and its secret, which nobody can read again.

    Raises
    ------
    KeyRefused
        Without a name or a scope, or with a scope that does not exist.
    """
    wanted = list(dict.fromkeys(scopes))
    if not name.strip():
        raise KeyRefused("A key needs a name: whose it is and what for.")
    if not wanted or not set(wanted) <= set(ApiKey.Scope.values):
        raise KeyRefused(f"A key needs scopes out of {', '.join(ApiKey.Scope.values)}.")
    if expires_at is not None and expires_at <= timezone.now():
        raise KeyRefused("A key can't expire in the past.")
    secret = MARK + secrets.token_urlsafe(_SECRET_BYTES)
    key = ApiKey.objects.create(
        name=name.strip(),
        prefix=secret[:_PREFIX_LENGTH],
        sha256=_hash(secret),
        scopes=wanted,
        created_by=by,
        expires_at=expires_at,
        per_minute=per_minute,
    )
    return key, secret


@transaction.atomic
def rotate_key(key: ApiKey, *, by: str, overlap: timedelta = timedelta(0)) -> tuple[ApiKey, str]:
    """Make a key with the same rights in place of ``key``, which goes on working for ``overlap``.

    Raises
    ------
    KeyRefused
        When the key opens nothing any more.
    """
    row = ApiKey.objects.select_for_update().get(pk=key.pk)
    if row.state != "live":
        raise KeyRefused(f"The key {row} is {row.state}. Make a new one.")
    made = create_key(row.name, row.scopes, by=by, expires_at=row.expires_at, per_minute=row.per_minute)
    if overlap > timedelta(0):
        end = timezone.now() + overlap
        row.expires_at = end if row.expires_at is None else min(end, row.expires_at)
        row.save(update_fields=["expires_at"])
    else:
        revoke_key(row)
    return made


def revoke_key(key: ApiKey) -> bool:
    """Take a key back for ever; return whether it was not already."""
    return bool(ApiKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=timezone.now()))


def find_key(secret: str) -> KeyFacts | None:
    """Return what a live key opens; None for any other. A revoked one is refused within a second."""
    if not secret.startswith(MARK):
        return None
    digest = _hash(secret)
    facts = _believed.get(digest)
    return None if facts is None or facts.is_over else facts


def forget_keys() -> None:
    """Drop what this process believes of keys (tests)."""
    _believed.forget()


class _Believed:
    """What the database said of keys a moment ago, so that not every request asks it."""

    def __init__(self) -> None:
        self._said: dict[str, tuple[float, KeyFacts | None]] = {}
        self._lock = threading.Lock()

    def get(self, digest: str) -> KeyFacts | None:
        now = time.monotonic()
        at, facts = self._said.get(digest, (0.0, None))
        if at and now - at < _BELIEVED_SECONDS:
            return facts
        facts = _read(digest)
        with self._lock:
            # Anybody may send any number of wrong keys.
            if len(self._said) >= _BELIEVED_MOST:
                self._said.clear()
            self._said[digest] = (now, facts)
        return facts

    def forget(self) -> None:
        with self._lock:
            self._said.clear()


def _read(digest: str) -> KeyFacts | None:
    # Found by the whole hash: how long the search takes tells nothing of the secret.
    key = ApiKey.objects.live().filter(sha256=digest).first()
    if key is None:
        return None
    now = timezone.now()
    if key.last_used_at is None or now - key.last_used_at >= USED_EVERY:
        ApiKey.objects.filter(pk=key.pk).update(last_used_at=now)
    per_minute = settings.GENRE_API_PER_MINUTE if key.per_minute is None else key.per_minute
    return KeyFacts(key.pk, key.prefix, frozenset(key.scopes), per_minute, key.expires_at)


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


_believed = _Believed()
