"""The admin of model versions, with what only training and feedback know: which corrections were taken back since."""

from django.contrib import admin

from classifier.admin import ModelVersionAdmin
from classifier.models import ModelVersion
from feedback.deleted import learned_by, taken_back, taken_back_line

admin.site.unregister(ModelVersion)


@admin.register(ModelVersion)
class TrainedVersionAdmin(ModelVersionAdmin):
    """Say of a version whether it learned from what was deleted."""

    fields = [*ModelVersionAdmin.fields, "corrections"]

    @admin.display(description="Corrections learned from")
    def corrections(self, version: ModelVersion) -> str:
        """Return how many there were, and how many of them nobody may learn from any more."""
        learned = learned_by(version)
        if not learned:
            return "none"
        gone = taken_back_line(taken_back({version.number: learned})[version.number])
        rest = f"taken back since: {gone}; the next training does without them" if gone else "none taken back since"
        return f"{len(learned)}; {rest}"
