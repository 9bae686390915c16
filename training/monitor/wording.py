"""What an alert says: what is wrong, the figures, and which command comes next."""

from collections.abc import Sequence

from classifier.alerts import Finding
from classifier.models import Alert
from training.core import checks
from training.core.checks import DRIFT, Check
from training.core.judge import ALARMS, SHADOW_KEYS
from training.core.shadow_checks import SHADOW_DIFFERS, SHADOW_WORSE
from training.monitor.look import Look

TITLES = {
    DRIFT + "genres": "{version} names other genres than before",
    DRIFT + "confidence": "{version} is not as sure of its answers as before",
    DRIFT + "abstained": "{version} abstains more or less often than before",
    DRIFT + "unknown": "{version} knows more or fewer of the words than before",
    DRIFT + "words": "People paste texts of another length than before",
    DRIFT + "characters": "People paste texts of another length than before (in characters)",
    DRIFT + "language": "More or fewer texts are no English prose than before",
    checks.REFERENCE: "The traffic of {version} is unlike the books it was tested on",
    checks.REPORTED_WRONG: "More answers of {version} are reported as wrong than before",
    checks.AUDIT_ACCURACY: "By the audit {version} is less often right than before",
    checks.EXPECTED_ACCURACY: "By its own scores {version} is less often right than before",
    checks.CALIBRATION: "{version} is surer than it is right",
    checks.MISSING_GENRE: "{version} hardly names a genre any more",
    checks.LATENCY: "{version} answers more slowly than before",
    SHADOW_WORSE: "Do not promote {version}: it would be worse than the champion",
    SHADOW_DIFFERS: "{version} would answer many texts otherwise than the champion",
}
ROLL_BACK = (
    "Compare the versions on /monitor/ or with `manage.py monitor`. If it came with {version}, bring the one before back: "
    '`manage.py rollback --reason "…"`. If not, the texts have changed: look at the latest corrections, then '
    "`manage.py train`."
)
NEXT_STEPS = {
    checks.REFERENCE: "Its figures from training may not hold for these texts; believe the audit. Approve corrections and "
    "`manage.py train`, so that the next model learns from such texts.",
    checks.CALIBRATION: "Believe the audit rather than the scores. Approve corrections and `manage.py train`: they take part "
    "in the next calibration.",
    checks.LATENCY: "Look at the load of the machine, then at the size of the model: `manage.py models`.",
    SHADOW_WORSE: "Leave the champion. `manage.py gate {number}` tells more; `manage.py shadow --stop` ends the trial.",
    SHADOW_DIFFERS: "Let it read on until enough answers are commented on, and ask `manage.py gate {number}`, before "
    "it is promoted.",
}
OTHER_TEXTS = (
    "Nothing is wrong with the model as such. If it stays, approve corrections of such texts and `manage.py train`."
)


def finding(key: str, held: Sequence[Check], look: Look) -> Finding:
    """Return the alert that the checks under ``key`` raise."""
    version = look.subject(key)
    words = {"version": str(version), "number": version.number if version else ""}
    fallback = ROLL_BACK if key in ALARMS else OTHER_TEXTS
    title = TITLES[key].format(**words)
    return Finding(
        key=key,
        severity=Alert.Severity.ALARM if key in ALARMS else Alert.Severity.NOTICE,
        title=title[0].upper() + title[1:],
        detail=_detail(key, held, look),
        next_step=NEXT_STEPS.get(key, fallback).format(**words),
        version=version,
    )


def _detail(key: str, held: Sequence[Check], look: Look) -> str:
    first = held[0]
    said = "; ".join(check.said for check in held)
    said = said[0].upper() + said[1:]
    if key in SHADOW_KEYS:
        return f"{said}. From {first.n_now:,} texts of the challenger."
    than = {checks.REFERENCE: "of the test side", checks.CALIBRATION: "answered"}.get(key, "of the week before")
    return f"{said}. From {first.n_now:,} since {look.recent.start:%Y-%m-%d %H:%M} (UTC) against {first.n_before:,} {than}."
