"""How far reviewers agree who answered without knowing of each other: Krippendorff's alpha with the MASI distance.

References
----------
Krippendorff, "Content Analysis", 2004, chapter 11. Passonneau, "Measuring agreement on set-valued items (MASI) for
semantic and pragmatic annotation", LREC 2006. The figures are those of NLTK's ``AnnotationTask.alpha`` with
``masi_distance`` (a test holds it).
"""

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations

from django.db.models import Count
from django.utils.text import get_text_list
from django.utils.translation import gettext as _

from classifier.models import Genre
from feedback.models import Opinion

Label = frozenset[str]
# Passonneau's weights, which depend on how one set lies to the other.
_SAME, _CONTAINED, _OVERLAPPING = 1.0, 2 / 3, 1 / 3


def masi_distance(left: Label, right: Label) -> float:
    """Return the distance of two sets that are not empty: 0 for equal ones, 1 where nothing is common."""
    common = len(left & right)
    if left == right:
        weight = _SAME
    elif common == min(len(left), len(right)):
        weight = _CONTAINED
    else:
        weight = _OVERLAPPING
    return 1 - common / len(left | right) * weight


def krippendorff_alpha(answers: Iterable[tuple[Hashable, Label]]) -> float | None:
    """Return alpha of ``(item, label)`` pairs: 1 is full agreement, 0 what chance would give, below 0 worse.

    Items with one answer say nothing. None where no item has two, or all labels are the same one: then chance alone
    would agree fully, and alpha is not defined.
    """
    items: defaultdict[Hashable, Counter[Label]] = defaultdict(Counter)
    for item, label in answers:
        items[item][label] += 1
    counted = [labels for labels in items.values() if labels.total() > 1]
    every: Counter[Label] = Counter()
    for labels in counted:
        every.update(labels)
    expected = _disagreement(every)
    if not expected:
        return None
    observed = sum(_disagreement(labels) * labels.total() for labels in counted) / every.total()
    return 1 - observed / expected


def _disagreement(labels: Counter[Label]) -> float:
    """Return the mean distance of two different answers among these."""
    total = labels.total()
    if total < 2:
        return 0.0
    pairs = combinations(labels.items(), 2)
    return sum(2 * n * m * masi_distance(a, b) for (a, n), (b, m) in pairs) / (total * (total - 1))


@dataclass(frozen=True)
class Contested:
    """A genre that reviewers named: how often, and how often only one of the two did."""

    name: str
    n_named: int
    n_alone: int


@dataclass(frozen=True)
class Pair:
    """Two reviewers who answered the same corrections."""

    names: str
    n: int
    n_same: int
    alpha: float | None


@dataclass(frozen=True)
class Agreement:
    """What the second opinions say; ``n_drawn`` were drawn for one, ``n`` have got it."""

    n_drawn: int
    n: int
    n_same: int
    n_settled: int
    alpha: float | None
    pairs: list[Pair]
    genres: list[Contested]

    @property
    def n_different(self) -> int:
        """How many got two different answers."""
        return self.n - self.n_same


def agreement_now() -> Agreement:
    """Return how far the answers in force agree, over all corrections that two reviewers answered."""
    given = Opinion.objects.in_force().filter(correction__isnull=False)
    answers = given.filter(kind=Opinion.Kind.ANSWER)
    twice = answers.order_by().values("correction").annotate(n=Count("pk")).filter(n__gt=1).values("correction")
    found: defaultdict[int, list[Opinion]] = defaultdict(list)
    for opinion in answers.filter(correction__in=twice).order_by("pk"):
        found[opinion.correction_id].append(opinion)
    groups = list(found.values())
    return Agreement(
        n_drawn=answers.filter(wants_second=True).count(),
        n=len(groups),
        n_same=sum(map(_is_same, groups)),
        n_settled=given.filter(kind=Opinion.Kind.SETTLEMENT).count(),
        alpha=_alpha(groups),
        pairs=_pairs(groups),
        genres=_contested(groups),
    )


def _alpha(groups: Sequence[Sequence[Opinion]]) -> float | None:
    return krippendorff_alpha((one.correction_id, one.label) for group in groups for one in group)


def _is_same(group: Sequence[Opinion]) -> bool:
    return len({opinion.label for opinion in group}) == 1


def _pairs(groups: Sequence[Sequence[Opinion]]) -> list[Pair]:
    by_pair: defaultdict[str, list[Sequence[Opinion]]] = defaultdict(list)
    for group in groups:
        by_pair[get_text_list(sorted(opinion.by for opinion in group), _("and"))].append(group)
    pairs = [Pair(names, len(own), sum(map(_is_same, own)), _alpha(own)) for names, own in by_pair.items()]
    return sorted(pairs, key=lambda pair: (-pair.n, pair.names))


def _contested(groups: Sequence[Sequence[Opinion]]) -> list[Contested]:
    named: Counter[str] = Counter()
    alone: Counter[str] = Counter()
    for group in groups:
        sets = [set(opinion.genres) for opinion in group]
        named.update(set.union(*sets))
        alone.update(set.union(*sets) - set.intersection(*sets))
    names = dict(Genre.objects.values_list("slug", "name"))
    rows = [Contested(names.get(slug, slug), n, alone[slug]) for slug, n in named.items()]
    return sorted(rows, key=lambda row: (-row.n_alone, row.name))
