"""System checks: what an operator should know before the first visitor does."""

from typing import Any

from django.core.checks import CheckMessage, Tags, register
from django.core.checks import Warning as CheckWarning
from django.db.utils import DatabaseError


@register(Tags.database)
def check_champion(databases: list[str] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """Warn when no model would answer."""
    from classifier.models import ModelVersion

    if not databases or "default" not in databases:
        return []
    try:
        has_champion = ModelVersion.objects.filter(state=ModelVersion.State.CHAMPION).exists()
    except DatabaseError:
        return []
    if has_champion:
        return []
    return [
        CheckWarning(
            "No model answers yet.",
            hint="Run `manage.py ensure_model`, or `manage.py train` and `manage.py promote N`.",
            id="classifier.W001",
        )
    ]
