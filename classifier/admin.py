"""Admin of genres; model versions, their history, predictions and alerts, to be read only."""

from collections.abc import Iterable
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import F, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join

from classifier.key_admin import ApiKeyAdmin as ApiKeyAdmin
from classifier.models import Alert, Deployment, DeploymentEvent, Genre, ModelEvent, ModelVersion, Prediction

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


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Return a table whose first column heads its rows."""
    columns = format_html_join("", "<th scope=col>{}</th>", ((name,) for name in head))
    lines = (
        (first, format_html_join("", "<td>{}</td>", ((cell,) for cell in cells))) for first, *cells in map(list, rows)
    )
    body = format_html_join("", "<tr><th scope=row>{}</th>{}</tr>", lines)
    return format_html("<table><thead><tr>{}</tr></thead><tbody>{}</tbody></table>", columns, body)


@admin.display(description="Gate")
def gate_verdict(event: ModelEvent) -> str:
    """Return what the gate said when the event happened; a dash where it was not asked."""
    if not event.gate:
        return "–"
    return "passed" if event.gate.get("passed") else f"blocked: {', '.join(event.gate.get('blocked_by', []))}"


@admin.display(description="Forced")
def was_forced(event: ModelEvent) -> str:
    """Return a word where the gate was overruled: a cross at every other event would look like a failure."""
    return "forced" if event.forced else "–"


class ModelEventInline(ReadOnly, admin.TabularInline):
    """The life of a version."""

    model = ModelEvent
    fields = ["at", "action", "from_state", "to_state", was_forced, "by", "reason", gate_verdict]
    readonly_fields = fields
    extra = 0
    verbose_name_plural = "History"


@admin.register(ModelEvent)
class ModelEventAdmin(ReadOnly, admin.ModelAdmin):
    """Every change in the life of every version; written by the registry, once."""

    list_display = ["at", "of_version", "action", "change", "by", "reason", gate_verdict, was_forced]
    list_filter = ["action", "forced", "version", "at"]
    list_select_related = ["version"]
    fields = ["at", "version", "action", "change", was_forced, "by", "reason", gate_verdict, "gate_checks"]

    class Media:
        css = {"all": ["css/admin.css"]}

    @admin.display(description="Version", ordering="version")
    def of_version(self, event: ModelEvent) -> str:
        """Return the version; unlike the column of a foreign key it may break into lines."""
        return str(event.version)

    @admin.display(description="Change")
    def change(self, event: ModelEvent) -> str:
        """Return from which state to which."""
        return f"{event.from_state or 'new'} → {event.to_state}"

    @admin.display(description="What the gate checked")
    def gate_checks(self, event: ModelEvent) -> str:
        """Return each check of the gate with its value and limit."""
        checks = (event.gate or {}).get("checks", [])
        if not checks:
            return "–"
        head = ["", "passed", "value", "limit", "how it came about"]
        keys = ["name", "passed", "value", "limit", "detail"]
        return _table(head, ([_cell(check.get(key)) for key in keys] for check in checks))


def _cell(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.4g}" if isinstance(value, float) else str(value if value is not None else "–")


@admin.register(ModelVersion)
class ModelVersionAdmin(ReadOnly, admin.ModelAdmin):
    """Versions are made by `train` and moved by `promote`, `shadow` and `rollback`; here they are read."""

    list_display = [
        "number",
        "standing",
        "bad_on_purpose",
        "created_at",
        "accuracy",
        "f1",
        "trained_on",
        "sha256_short",
    ]
    list_filter = ["state"]
    fields = [
        "number",
        "standing",
        "bad_on_purpose",
        "created_at",
        "folder",
        "sha256",
        "trained_on",
        "figures",
        "parameters",
    ]
    inlines = [ModelEventInline]

    class Media:
        css = {"all": ["css/admin.css"]}

    @admin.display(description="State", ordering="state")
    def standing(self, version: ModelVersion) -> str:
        """Return the state, of a challenger with its share of the traffic."""
        state = version.get_state_display()
        is_challenger = version.state == ModelVersion.State.CHALLENGER
        return f"{state}, reads {version.shadow_share:.0%} of the traffic" if is_challenger else state

    @admin.display(description="Bad on purpose")
    def bad_on_purpose(self, version: ModelVersion) -> str:
        """Return how the model was made bad on purpose."""
        return format_html("<strong>{}</strong>", version.sabotage) if version.sabotage else "no"

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
        keys = next(iter(methods.values()))
        return _table(["", *methods], ([key, *(f"{scores[key]:.4f}" for scores in methods.values())] for key in keys))

    @admin.display(description="Parameters")
    def parameters(self, version: ModelVersion) -> str:
        """Return the training parameters."""
        pairs = version.meta.get("parameters", {}).items()
        return ", ".join(f"{name} {value}" for name, value in pairs)


@admin.register(Prediction)
class PredictionAdmin(ReadOnly, admin.ModelAdmin):
    """What was answered, without the texts."""

    list_display = ["at", "version", "shadow", "source", "best", "n_words", "milliseconds", "abstained"]
    list_filter = ["version", "source", "abstained", "at"]
    list_select_related = ["version"]
    show_full_result_count = False

    @admin.display(description="Shadow", boolean=True)
    def shadow(self, prediction: Prediction) -> bool:
        """Return whether a challenger made it, and nobody saw it."""
        return prediction.shadow_of is not None

    @admin.display(description="Best genre")
    def best(self, prediction: Prediction) -> str:
        """Return the first genre shown."""
        return f"{prediction.shown[0][0]} ({prediction.shown[0][1]:.0%})" if prediction.shown else "–"


class OpenFilter(admin.SimpleListFilter):
    """Filter by whether an alert still holds."""

    title = "whether it is open"
    parameter_name = "open"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Offer both."""
        return [("yes", "Open"), ("no", "Closed")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Alert]) -> QuerySet[Alert]:
        """Apply."""
        return queryset.filter(closed_at__isnull=self.value() == "yes") if self.value() else queryset


@admin.register(Alert)
class AlertAdmin(ReadOnly, admin.ModelAdmin):
    """What was wrong, from when to when; open ones first."""

    list_display = ["title", "severity", "version", "opened_at", "seen_at", "closed", "next_step"]
    list_filter = [OpenFilter, "severity", "version"]
    list_select_related = ["version"]
    ordering = [F("closed_at").desc(nulls_first=True), "-opened_at"]
    search_fields = ["key", "title", "detail"]
    fields = ["title", "severity", "version", "detail", "next_step", "opened_at", "seen_at", "closed", "key"]

    @admin.display(description="Closed at", ordering=F("closed_at").desc(nulls_first=True), empty_value="still open")
    def closed(self, alert: Alert) -> Any:
        """Return when it was over."""
        return alert.closed_at


@admin.display(description="Outcome", ordering="succeeded")
def outcome(event: DeploymentEvent) -> str:
    """Return a word for it."""
    return "done" if event.succeeded else "failed"


@admin.display(description="Traffic afterwards")
def traffic(event: DeploymentEvent) -> str:
    """Return which version got how much."""
    return ", ".join(f"{name} {share}" for name, share in event.shares.items()) or "–"


class DeploymentEventInline(ReadOnly, admin.TabularInline):
    """What was done with a deployment."""

    model = DeploymentEvent
    fields = ["at", "action", outcome, traffic, "by", "message"]
    readonly_fields = fields
    extra = 0
    verbose_name_plural = "History"


@admin.register(Deployment)
class DeploymentAdmin(ReadOnly, admin.ModelAdmin):
    """Versions of the prediction service in clusters; written by `deploy_cortex`, here they are read."""

    list_display = ["release_version", "version", "kind", "place", "at"]
    list_filter = ["name", "kind", "place", "at"]
    list_select_related = ["version"]
    fields = ["release_version", "name", "version", "model_sha256", "kind", "image", "place", "at", "settings_sent"]
    inlines = [DeploymentEventInline]

    class Media:
        css = {"all": ["css/admin.css"]}

    @admin.display(description="SHA-256 of the model")
    def model_sha256(self, deployment: Deployment) -> str:
        """Return the hash that the service holds its model against."""
        return str(deployment.release.get("model_sha256", "–"))

    @admin.display(description="Settings")
    def settings_sent(self, deployment: Deployment) -> str:
        """Return the rest of what was sent; none of it is a secret."""
        shown = ("cpu", "memory", "min_replicas", "max_replicas", "workers", "threads")
        sent = {name: deployment.release.get(name) for name in shown} | deployment.release.get("env", {})
        return _table(["", "value"], ([name, _cell(value)] for name, value in sent.items()))


@admin.register(DeploymentEvent)
class DeploymentEventAdmin(ReadOnly, admin.ModelAdmin):
    """Everything that was done with deployments, or tried."""

    list_display = ["at", "deployment", "action", outcome, traffic, "by"]
    list_filter = ["action", "succeeded", "at"]
    list_select_related = ["deployment"]
    fields = ["at", "deployment", "action", outcome, traffic, "replaced", "by", "message"]

    class Media:
        css = {"all": ["css/admin.css"]}
