"""What the operator of the service may set, all from environment variables. Wrong values stop the start with a sentence.

``docs/service.md`` has the table; a test holds it to ``NAMES``. Names that begin with ``CORTEX_`` are Cortex's own.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass

NAMES = (
    "MODEL_URI",
    "MODEL_SHA256",
    "TOKEN_SHA256",
    "BATCH_URI",
    "HASH_KEY",
    "PREDICTION_LOG",
    "CORTEX_PORT",
    "WORKERS",
    "THREADS",
    "DRAIN_SECONDS",
    "LOG_LEVEL",
)
_SHA256 = re.compile("[0-9a-f]{64}")
_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
_YES_NO = {"true": True, "false": False}


class SettingsError(ValueError):
    """A variable whose value can't be meant."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The settings of one service.

    Attributes
    ----------
    model_uri : str
        The model folder: a path, ``file://`` or an address of fsspec; '' when none was named.
    model_sha256 : str
        The hash that ``model.bin`` must have; '' takes the one in ``meta.json`` alone.
    token_sha256 : tuple of str
        Hashes of the tokens that open the service; empty: it is open.
    batch_uri : str
        Where the answers of batch jobs are written; '' writes none.
    hash_key : bytes
        The site's key for hashes of texts and ids of predictions; empty: there are none.
    prediction_log : bool
        Whether the log says what was predicted, without the text.
    port, workers, threads : int
        How it is served.
    drain_seconds : int
        How long it goes on answering, while ``/ready`` says no, after SIGTERM.
    log_level : str
    """

    model_uri: str = ""
    model_sha256: str = ""
    token_sha256: tuple[str, ...] = ()
    batch_uri: str = ""
    hash_key: bytes = b""
    prediction_log: bool = True
    port: int = 8080
    workers: int = 2
    threads: int = 4
    drain_seconds: int = 5
    log_level: str = "INFO"

    @classmethod
    def from_environ(cls, environ: Mapping[str, str] = os.environ) -> "Settings":
        """Read them.

        Raises
        ------
        SettingsError
        """
        level = environ.get("LOG_LEVEL", "INFO").upper()
        if level not in _LEVELS:
            raise SettingsError(f"LOG_LEVEL must be one of {', '.join(_LEVELS)}.")
        return cls(
            model_uri=environ.get("MODEL_URI", ""),
            model_sha256=next(iter(_hashes(environ, "MODEL_SHA256", most=1)), ""),
            token_sha256=_hashes(environ, "TOKEN_SHA256"),
            batch_uri=environ.get("BATCH_URI", ""),
            hash_key=bytes.fromhex(next(iter(_hashes(environ, "HASH_KEY", most=1)), "")),
            prediction_log=_switch(environ, "PREDICTION_LOG", cls.prediction_log),
            port=_number(environ, "CORTEX_PORT", cls.port, 1, 65535),
            workers=_number(environ, "WORKERS", cls.workers, 1, 256),
            threads=_number(environ, "THREADS", cls.threads, 1, 256),
            drain_seconds=_number(environ, "DRAIN_SECONDS", cls.drain_seconds, 0, 300),
            log_level=level,
        )


def _number(environ: Mapping[str, str], name: str, default: int, least: int, most: int) -> int:
    value = environ.get(name) or str(default)
    if not (value.isascii() and value.isdigit()) or not least <= int(value[:9]) <= most:
        raise SettingsError(f"{name} must be a whole number from {least} to {most}.")
    return int(value)


def _switch(environ: Mapping[str, str], name: str, default: bool) -> bool:
    value = (environ.get(name) or str(default)).lower()
    if value not in _YES_NO:
        raise SettingsError(f"{name} must be true or false.")
    return _YES_NO[value]


def _hashes(environ: Mapping[str, str], name: str, most: int = 0) -> tuple[str, ...]:
    value = environ.get(name, "")
    if not value and name in environ:
        # An empty TOKEN_SHA256 is a secret that was not filled in; taking it for "open to all" would be the worst guess.
        raise SettingsError(f"{name} is empty: give it a SHA-256, or don't set it.")
    found = tuple(part.strip().lower() for part in value.split(",")) if value else ()
    # The value stays out of the sentence: somebody may have put the token itself there.
    if not all(map(_SHA256.fullmatch, found)) or (most and len(found) > most):
        raise SettingsError(
            f"{name} must be a SHA-256 as 64 hexadecimal digits{'' if most else ', or several by comma'}."
        )
    return found
