"""Names for what must not be kept: the keyed hash of a text, and ids of predictions that prove which text they are of.

Site and prediction service share the key and so agree, although the service has no database and the site may hear of a
prediction late.
"""

import hashlib
import hmac
import secrets
from uuid import UUID

# As Django's salted_hmac makes a key of a salt and a secret.
_SALT = b"classifier.text"
_PERSON = b"prediction id"
_HALF = 8
# RFC 9562: version 8 is of one's own making.
_VERSION, _VARIANT = 0x80, 0x80


def text_key(secret: str) -> bytes:
    """Return the key (32 bytes) of text hashes, made of a site's secret. It does not give the secret away."""
    return hashlib.sha256(_SALT + secret.encode()).digest()


def hash_line(line: str, key: bytes) -> str:
    """Return the keyed SHA-256 of a text that ``one_line`` folded, as hex digits."""
    return hmac.digest(key, line.encode(), "sha256").hex()


def new_id(text_hash: str, key: bytes) -> str:
    """Return an id for a prediction of the text with this hash: 60 random bits, and 62 that prove the text."""
    start = bytearray(secrets.token_bytes(_HALF))
    start[6] = start[6] & 0x0F | _VERSION
    return _spelled(bytes(start) + _proof(bytes(start), text_hash, key))


def is_id_of(uid: str, text_hash: str, key: bytes) -> bool:
    """Return whether ``new_id`` made ``uid`` for the text with this hash, with this key."""
    start = UUID(uid).bytes[:_HALF]
    expected = _spelled(start + _proof(start, text_hash, key))
    return start[6] & 0xF0 == _VERSION and hmac.compare_digest(uid.lower(), expected)


def _proof(start: bytes, text_hash: str, key: bytes) -> bytes:
    digest = bytearray(hashlib.blake2b(start + text_hash.encode(), digest_size=_HALF, key=key, person=_PERSON).digest())
    digest[0] = digest[0] & 0x3F | _VARIANT
    return bytes(digest)


def _spelled(data: bytes) -> str:
    # str(UUID(bytes=…)) takes three times as long.
    digits = data.hex()
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
