"""Which recipes to try: every combination of some values, or a random search among ranges.

What to vary is said as a person writes it: one value (``0.5``), several (``0.1, 0.5``) or a range (``0.1..1.0``).
"""

import itertools
import math
import random
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from classifier.core.errors import TrainingError
from training.core.fit import FitParameters

WHOLE, SHARE, WORD = "whole", "share", "word"
# What a person may vary, and what its values are.
FIELDS = {
    "epoch": WHOLE,
    "lr": SHARE,
    "dim": WHOLE,
    "word_ngrams": WHOLE,
    "loss": WORD,
    "min_count": WHOLE,
    "seed": WHOLE,
}
# A range of these means every whole number in it; of the others some, as far apart by ratio.
COUNTED = frozenset({"word_ngrams", "seed"})
NO_VECTORS = "none"
MAX_RUNS = 200
_MANY = 10_000
_RANGE = re.compile(r"(.+?)\.\.(.+)")


@dataclass(frozen=True)
class Recipe:
    """Parameters, and the name of the word vectors that training starts from (``"none"``: from nothing)."""

    vectors: str
    parameters: FitParameters


@dataclass(frozen=True)
class Range:
    """Every value from ``low`` to ``high``, both included; ``low < high``."""

    low: float
    high: float


Values = tuple[Any, ...] | Range


def parse_values(name: str, text: str) -> Values:
    """Return what a person wants of a parameter.

    Parameters
    ----------
    name : str
        One of ``FIELDS``.
    text : str
        ``"0.5"``, ``"0.1, 0.5"`` or ``"0.1..1.0"``; blanks do not matter.

    Returns
    -------
    tuple or Range
        The values in the order given, each once; empty when ``text`` is.

    Raises
    ------
    TrainingError
        When a value is not of the parameter's kind or outside its limits, or a range does not rise.
    """
    found = _RANGE.fullmatch(text.strip())
    if found and FIELDS[name] != WORD:
        low, high = (_value(name, part) for part in found.groups())
        if not low < high:
            raise TrainingError(f"{name}: a range goes from the smaller value to the larger, not {text.strip()!r}.")
        return Range(low, high)
    return tuple(dict.fromkeys(_value(name, part) for part in text.split(",") if part.strip()))


def _value(name: str, text: str) -> Any:
    text = text.strip()
    if FIELDS[name] == WORD:
        value: Any = text
    else:
        try:
            value = int(text) if FIELDS[name] == WHOLE else float(text)
        except ValueError as error:
            kind = "whole number" if FIELDS[name] == WHOLE else "number"
            raise TrainingError(f"{name}: {text!r} is no {kind}. Write 5, or 5, 10, or 5..20.") from error
    # The limits are those of the parameters themselves.
    replace(FitParameters(), **{name: value})
    return value


def values_of(name: str, values: Values, *, steps: int) -> list[Any]:
    """Return the values to try in a grid.

    Parameters
    ----------
    name : str
        One of ``FIELDS``.
    values : tuple or Range
    steps : int, at least 2
        How many values stand for a range: its ends, and between them values that grow by the same factor,
        because 0.1 differs from 0.2 as 0.5 does from 1.0. A range of ``COUNTED`` is every whole number in it.

    Returns
    -------
    list
        Rising for a range; whole numbers are rounded, each once.

    Raises
    ------
    TrainingError
        When a range of whole numbers holds more than ``MAX_RUNS``.
    """
    if not isinstance(values, Range):
        return list(values)
    if name in COUNTED:
        if values.high - values.low >= MAX_RUNS:
            raise TrainingError(f"{name}: that range holds more than {MAX_RUNS} values. Make it shorter.")
        return list(range(int(values.low), int(values.high) + 1))
    factor = (values.high / values.low) ** (1 / (steps - 1))
    between = [values.low * factor**at for at in range(1, steps - 1)]
    return list(dict.fromkeys([values.low, *(_rounded(name, value) for value in between), values.high]))


def _rounded(name: str, value: float) -> float:
    return round(value) if FIELDS[name] == WHOLE else float(f"{value:.3g}")


def grid(space: Mapping[str, Values], base: FitParameters, *, steps: int = 3) -> list[FitParameters]:
    """Return every combination of the values in ``space``; what it does not name stays as in ``base``.

    Parameters
    ----------
    space : mapping of str to tuple or Range
        By parameter. Empty values mean ``base``'s own.
    base : FitParameters
    steps : int, default=3
        How many values stand for a range.

    Returns
    -------
    list of FitParameters, length the product of the numbers of values
        The last parameter named changes fastest.

    Raises
    ------
    TrainingError
        When there would be more than 10,000.
    """
    axes = {name: values_of(name, values, steps=steps) for name, values in space.items() if values}
    if math.prod(map(len, axes.values())) > _MANY:
        raise TrainingError(f"These are more than {_MANY:,} combinations. Give fewer values, or search at random.")
    return [replace(base, **dict(zip(axes, picked, strict=True))) for picked in itertools.product(*axes.values())]


def random_search(space: Mapping[str, Values], base: FitParameters, *, n: int, seed: int) -> list[FitParameters]:
    """Return ``n`` different random combinations of the values in ``space``, fewer when there are no more.

    Random search finds more with as many runs than a grid where few of the parameters matter [1]_.

    Parameters
    ----------
    space : mapping of str to tuple or Range
        A list is drawn from evenly; a range by its logarithm, but for ``COUNTED``, drawn from evenly.
    base : FitParameters
        What ``space`` does not name.
    n : int
    seed : int
        Same seed, same combinations.

    References
    ----------
    .. [1] Bergstra, Bengio (2012), Random search for hyper-parameter optimization, JMLR 13.
    """
    chance = random.Random(seed)
    drawn: dict[FitParameters, None] = {}
    # A small space is soon exhausted.
    for _ in range(50 * n):
        if len(drawn) == n:
            break
        picked = {name: _draw(name, values, chance) for name, values in space.items() if values}
        drawn[replace(base, **picked)] = None
    return list(drawn)


def _draw(name: str, values: Values, chance: random.Random) -> Any:
    if not isinstance(values, Range):
        return chance.choice(values)
    if name in COUNTED:
        return chance.randint(int(values.low), int(values.high))
    value = math.exp(chance.uniform(math.log(values.low), math.log(values.high)))
    # Rounding must not step over an end.
    return min(max(_rounded(name, value), values.low), values.high)


def recipes(
    texts: Mapping[str, str],
    bases: Mapping[str, FitParameters],
    *,
    steps: int = 3,
    n_random: int = 0,
    seed: int = 0,
) -> list[Recipe]:
    """Return the recipes a person asks for.

    Parameters
    ----------
    texts : mapping of str to str
        What to try of each parameter, as ``parse_values`` reads it; '' for the recommended value.
    bases : mapping of str to FitParameters
        By name of the word vectors: what is recommended with them.
    steps : int, default=3
        How many values stand for a range in a grid.
    n_random : int, default=0
        With 0 the whole grid; else so many random combinations with each of the word vectors.
    seed : int, default=0
        Of the random choice.

    Returns
    -------
    list of Recipe
        ``dim`` is not varied where word vectors bring their own.

    Raises
    ------
    TrainingError
        When a value is no value, or there would be no recipe, or more than ``MAX_RUNS``.
    """
    space = {name: parse_values(name, text) for name, text in texts.items()}
    found = []
    for vectors, base in bases.items():
        own = space if vectors == NO_VECTORS else {name: values for name, values in space.items() if name != "dim"}
        parameters = random_search(own, base, n=n_random, seed=seed) if n_random else grid(own, base, steps=steps)
        found += [Recipe(vectors, each) for each in parameters]
    if not found:
        raise TrainingError("Choose at least one kind of word vectors.")
    if len(found) > MAX_RUNS:
        raise TrainingError(
            f"These are {len(found):,} runs; at most {MAX_RUNS} are started at once. Give fewer values, or search at random."
        )
    return found


def shown(recipe: Recipe) -> dict[str, Any]:
    """Return a recipe as one row of a table."""
    return {"vectors": recipe.vectors} | {name: asdict(recipe.parameters)[name] for name in FIELDS}
