"""What chance allows: ranges of differences, and how many it takes to see one. Checked against scipy in the tests.

Our own few lines, because scipy is 100 MB that a worker would carry for three formulas.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import atan, ceil, cos, exp, lgamma, pi, sqrt
from statistics import NormalDist, fmean, variance

from bots.growth import Rate, newcombe

SURE, POWER = 0.95, 0.80  # of a range; of finding a difference that is there (the usual two)
PANELS = 200  # of Simpson's rule: enough for eight digits


@dataclass(frozen=True)
class Found:
    """Both arms, and how much larger B is, with its range of 95 %."""

    a: float
    b: float
    low: float
    high: float

    @property
    def effect(self) -> float:
        """B less A."""
        return self.b - self.a

    @property
    def winner(self) -> str:
        """A or B where the range leaves nought out, else nothing."""
        return "B" if self.low > 0 else "A" if self.high < 0 else ""


def shares(a: Sequence[float], b: Sequence[float]) -> Found:
    """Compare two rows of noes (0) and yeses (1)."""
    one, other = (Rate(round(sum(row)), len(row)) for row in (b, a))
    return Found(other.value, one.value, *newcombe(one, other))


def means(a: Sequence[float], b: Sequence[float]) -> Found:
    """Compare two rows of numbers, each of at least two, whose spread may differ (Welch 1947)."""
    of_a, of_b = variance(a) / len(a), variance(b) / len(b)
    effect, both = fmean(b) - fmean(a), of_a + of_b
    if not both:
        return Found(fmean(a), fmean(b), effect, effect)
    freedom = both**2 / (of_a**2 / (len(a) - 1) + of_b**2 / (len(b) - 1))
    spread = student(freedom) * sqrt(both)
    return Found(fmean(a), fmean(b), effect - spread, effect + spread)


def size_of_means(spread: float, difference: float) -> int:
    """How many of each arm find a difference of means in 80 of 100 cases; `spread` is the standard deviation.

    The normal formula, and z²/4 more because the spread has to be estimated too (Guenther 1981).
    """
    sure, power = _z(SURE), NormalDist().inv_cdf(POWER)
    return ceil(2 * ((sure + power) * spread / difference) ** 2 + sure**2 / 4)


def size_of_shares(usual: float, difference: float) -> int:
    """How many of each arm find that a share of `usual` grew by `difference`, in 80 of 100 cases (Fleiss 1981)."""
    other = usual + difference
    middle = (usual + other) / 2
    alike = _z(SURE) * sqrt(2 * middle * (1 - middle))
    apart = NormalDist().inv_cdf(POWER) * sqrt(usual * (1 - usual) + other * (1 - other))
    return ceil(((alike + apart) / difference) ** 2)


def student(freedom: float, sure: float = SURE) -> float:
    """How many standard errors hold a share `sure` of Student's t, at `freedom` degrees (1 or more), by halving."""
    low, high = 0.0, 1000.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if _within(middle, freedom) < sure else (low, middle)
    return (low + high) / 2


def _within(t: float, freedom: float) -> float:
    """The share of Student's t between -t and t: with t = √f·tan θ its density is that of cos θ to the power f - 1."""
    step = atan(t / sqrt(freedom)) / PANELS
    weights = (1 if place in (0, PANELS) else 4 if place % 2 else 2 for place in range(PANELS + 1))
    area = sum(weight * cos(step * place) ** (freedom - 1) for place, weight in enumerate(weights)) * step / 3
    return 2 * area * exp(lgamma((freedom + 1) / 2) - lgamma(freedom / 2)) / sqrt(pi)


def _z(sure: float) -> float:
    return NormalDist().inv_cdf((1 + sure) / 2)
