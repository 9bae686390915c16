"""Admin of genres, model versions and predictions."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join

from classifier.models import Genre, ModelEvent, ModelVersion, Prediction

admin.site.site_header = "Genre Detector"
admin.site.site_title = "Genre Detector"
admin.site.index_title = "Review and administration"
# The lists need the width.
admin.site.enable_nav_sidebar = False


class ReadOnly:
    """Nothing can be added, changed or deleted here."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse."""
        return False


@admin.register(Genre)
class GenreAdmin(admin.ModelAdmin):
    """Genres may be added, renamed and retired, never deleted: old labels would lose their meaning."""

    list_display = ["name", "slug", "description", "retired"]
    list_filter = ["retired"]
    search_fields = ["name", "slug", "aliases", "headings"]
    prepopulated_fields = {"slug": ["name"]}
    actions = ["retire", "bring_back"]

    def get_readonly_fields(self, request: HttpRequest, obj: Genre | None = None) -> list[str]:
        """Keep the slug of an existing genre: models and corrections know it by that."""
        return ["slug"] if obj else []

    def get_prepopulated_fields(self, request: HttpRequest, obj: Genre | None = None) -> dict[str, Any]:
        """Suggest a slug only for a new genre."""
        return {} if obj else {"slug": ["name"]}

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse; retire instead."""
        return False

    @admin.action(description="Retire: no longer offer the selected genres", permissions=["change"])
    def retire(self, request: HttpRequest, queryset: Any) -> None:
        """Retire the selected genres."""
        self.message_user(request, f"{queryset.update(retired=True)} retired.")

    @admin.action(description="Offer the selected genres again", permissions=["change"])
    def bring_back(self, request: HttpRequest, queryset: Any) -> None:
        """Offer the selected genres again."""
        for genre in queryset.filter(retired=True):
            genre.retired = False
            try:
                genre.full_clean()
            except ValidationError as error:
                self.message_user(request, f"{genre} stays retired: {' '.join(error.messages)}", messages.ERROR)
            else:
                genre.save()
                self.message_user(request, f"{genre} is offered again.", messages.SUCCESS)

    def save_model(self, request: HttpRequest, obj: Genre, form: Any, change: bool) -> None:
        """Keep the old name of a renamed genre as an alias."""
        if change and "name" in form.changed_data:
            old = form.initial["name"]
            if old not in obj.aliases.splitlines():
                obj.aliases = "\n".join([*obj.aliases.splitlines(), old])
        super().save_model(request, obj, form, change)


class ModelEventInline(ReadOnly, admin.TabularInline):
    """The life of a version."""

    model = ModelEvent
    fields = ["at", "from_state", "to_state", "by", "reason"]
    readonly_fields = fields
    extra = 0
    verbose_name_plural = "History"


@admin.register(ModelVersion)
class ModelVersionAdmin(ReadOnly, admin.ModelAdmin):
    """Versions are made by `train` and moved by `promote`; here they are read."""

    list_display = ["number", "state", "created_at", "accuracy", "f1", "trained_on", "sha256_short"]
    list_filter = ["state"]
    fields = ["number", "state", "created_at", "folder", "sha256", "trained_on", "figures", "parameters"]
    inlines = [ModelEventInline]

    @admin.display(description="Accuracy")
    def accuracy(self, version: ModelVersion) -> str:
        """Return the primary genre's accuracy on the test side."""
        return self._figure(version, "accuracy")

    @admin.display(description="F1 (subj avg)")
    def f1(self, version: ModelVersion) -> str:
        """Return the macro F1 on the test side."""
        return self._figure(version, "f1_subj_avg")

    @staticmethod
    def _figure(version: ModelVersion, key: str) -> str:
        scores = version.meta.get("evaluation", {}).get("methods", {}).get("fasttext", {})
        return f"{scores[key]:.2f}" if key in scores else "–"

    @admin.display(description="Trained on")
    def trained_on(self, version: ModelVersion) -> str:
        """Return the inputs and the number of training examples."""
        names = ", ".join(entry.get("name", "?") for entry in version.meta.get("inputs", []))
        return f"{version.meta.get('n_train', '?')} examples of {names or '?'}"

    @admin.display(description="SHA-256")
    def sha256_short(self, version: ModelVersion) -> str:
        """Return the beginning of the model's hash."""
        return version.sha256[:12]

    @admin.display(description="Figures on the test side")
    def figures(self, version: ModelVersion) -> str:
        """Return the metrics of the model beside the baselines'."""
        methods = version.meta.get("evaluation", {}).get("methods", {})
        if not methods:
            return "–"
        keys = list(next(iter(methods.values())))
        head = format_html_join("", "<th scope=col>{}</th>", ((name,) for name in ["", *methods]))
        rows = format_html_join(
            "",
            "<tr><th scope=row>{}</th>{}</tr>",
            (
                (key, format_html_join("", "<td>{}</td>", ((f"{m[key]:.4f}",) for m in methods.values())))
                for key in keys
            ),
        )
        return format_html("<table><thead><tr>{}</tr></thead><tbody>{}</tbody></table>", head, rows)

    @admin.display(description="Parameters")
    def parameters(self, version: ModelVersion) -> str:
        """Return the training parameters."""
        pairs = version.meta.get("parameters", {}).items()
        return ", ".join(f"{name} {value}" for name, value in pairs)


@admin.register(Prediction)
class PredictionAdmin(ReadOnly, admin.ModelAdmin):
    """What was answered, without the texts."""

    list_display = ["at", "version", "source", "best", "n_words", "milliseconds", "abstained"]
    list_filter = ["version", "source", "abstained", "at"]
    list_select_related = ["version"]
    show_full_result_count = False

    @admin.display(description="Best genre")
    def best(self, prediction: Prediction) -> str:
        """Return the first genre shown."""
        return f"{prediction.shown[0][0]} ({prediction.shown[0][1]:.0%})" if prediction.shown else "–"
