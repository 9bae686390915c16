"""Judge a look at the traffic: which differences are more than chance, and large enough to matter.

Pure: counts in, checks out. ``training.monitor`` fetches the windows from the database and turns what holds into
alerts; the simulations of ``benchmarks.alarms`` make the windows up.
"""

from collections.abc import Collection, Iterable
from dataclasses import replace

from training.core import checks
from training.core.checks import Check, Window
from training.core.drift import OUTPUTS, SIGNALS, correct
from training.core.profile import Profile
from training.core.shadow_checks import SHADOW_DIFFERS, SHADOW_WORSE, Shadow, shadowed

# Somebody should act now: the model is worse, or would be.
ALARMS = frozenset(
    {
        *(checks.DRIFT + signal for signal in OUTPUTS),
        checks.REPORTED_WRONG,
        checks.AUDIT_ACCURACY,
        checks.EXPECTED_ACCURACY,
        checks.MISSING_GENRE,
        SHADOW_WORSE,
    }
)
# Of the challenger; the others are of the champion.
SHADOW_KEYS = frozenset({SHADOW_WORSE, SHADOW_DIFFERS})
# All alerts that the monitor raises and closes. Those that are no alarm are notices: other texts than before, say.
KEYS = (
    ALARMS
    | SHADOW_KEYS
    | {*(checks.DRIFT + signal for signal in SIGNALS), checks.REFERENCE, checks.CALIBRATION, checks.LATENCY}
)


def judge(
    recent: Window, baseline: Window, *, reference: Profile | None = None, shadow: Shadow | None = None
) -> list[Check]:
    """Make every comparison there is enough data for; their p-values are corrected together.

    Parameters
    ----------
    recent, baseline : Window
        The champion's latest traffic, and what went before.
    reference : Profile, default=None
        What the champion said of its test side when it was trained.
    shadow : Shadow, default=None
        The challenger, if there is one.
    """
    made = [
        *checks.drift_from(recent.profile, baseline.profile),
        *(checks.drift_from(recent.profile, reference, is_reference=True) if reference else ()),
        *checks.missing_genre(recent.profile, baseline.profile),
        *checks.expected(recent.profile, baseline.profile),
        *checks.reported(recent, baseline),
        *checks.audited(recent, baseline),
        *checks.calibration(recent),
        *checks.latency(recent.profile, baseline.profile),
        *(shadowed(shadow) if shadow else ()),
    ]
    corrected = correct([check.p for check in made])
    return [replace(check, q=q) for check, q in zip(made, corrected, strict=True)]


def problems(found: Iterable[Check], open_keys: Collection[str] = ()) -> dict[str, list[Check]]:
    """Return the checks that hold, by the key of their alert; for a key that is open, weaker evidence will do."""
    held: dict[str, list[Check]] = {}
    for check in found:
        if check.holds(is_open=check.key in open_keys):
            held.setdefault(check.key, []).append(check)
    return held
