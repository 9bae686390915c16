"""The mark of a model that was made bad on purpose, as every screen reads it."""

from collections.abc import Mapping
from typing import Any


def sabotage_of(meta: Mapping[str, Any]) -> str:
    """Return how a model with this ``meta.json`` was made bad on purpose, as in "swap-genres 0.5", or ''."""
    mark = meta.get("sabotage")
    return f"{mark['kind']} {mark['strength']:g}" if mark else ""
