"""Our statistics are those of scipy: ranges, quantiles, and how many it takes. A wrong formula would be seen."""

import random
from itertools import product

import pytest
from scipy import stats

from bots.growth import Growth, Rate, newcombe
from content import chance

RANDOM = random.Random(8)


@pytest.mark.parametrize("freedom", [1, 1.5, 2, 4.7, 18, 63.2, 400])
def test_students_t_is_scipys(freedom: float) -> None:
    assert chance.student(freedom) == pytest.approx(stats.t.ppf(0.975, freedom), rel=1e-6)


def test_the_range_of_a_difference_of_means_is_scipys_whatever_the_sizes_and_spreads() -> None:
    for small, large in ((10, 10), (12, 40), (2, 30), (55, 55)):
        a = [RANDOM.lognormvariate(-3, 0.6) for _ in range(small)]
        b = [RANDOM.lognormvariate(-2.6, 0.3) for _ in range(large)]
        theirs = stats.ttest_ind(b, a, equal_var=False).confidence_interval(0.95)
        ours = chance.means(a, b)

        assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), rel=1e-6)
        assert (ours.winner == "B") == (theirs.low > 0)


def test_wilsons_range_is_scipys_at_the_edges_too() -> None:
    for follow, asked in ((0, 1), (0, 30), (1, 30), (15, 30), (30, 30), (7, 2000)):
        theirs = stats.binomtest(follow, asked).proportion_ci(0.95, "wilson")
        assert Rate(follow, asked).range == pytest.approx((theirs.low, theirs.high), abs=2e-5)  # we take 1.96 for z


def test_newcombes_range_is_that_of_his_paper() -> None:
    one, other = Rate(56, 70), Rate(48, 80)  # example (a) of Newcombe 1998, table II, method 10

    assert newcombe(one, other) == pytest.approx((0.0524, 0.3339), abs=1e-4)
    assert Growth(one, other, 0, 0, 0, "usd").range == newcombe(one, other)
    assert newcombe(Rate(10, 10), Rate(0, 10)) == pytest.approx((0.6075, 1.0), abs=1e-4)  # his example (h)


@pytest.mark.parametrize(("usual", "difference"), [(0.1, 0.1), (0.5, 0.15), (0.3, 0.2)])
def test_so_many_people_find_the_difference_in_80_of_100_cases_and_name_a_winner_wrongly_in_5(
    usual: float, difference: float
) -> None:
    each = chance.size_of_shares(usual, difference)

    assert power_of_shares(each, usual, usual + difference) == pytest.approx(0.80, abs=0.03)
    assert power_of_shares(each, usual, usual) < 0.055
    assert power_of_shares(each // 2, usual, usual + difference) < 0.6  # the control: half as many do not


@pytest.mark.parametrize("ratio", [0.4, 0.8, 1.5])
def test_so_many_posts_find_the_difference_in_80_of_100_cases(ratio: float) -> None:
    each = chance.size_of_means(1.0, ratio)

    assert power_of_means(each, ratio) == pytest.approx(0.80, abs=0.02)
    assert power_of_means(max(2, each // 2), ratio) < 0.6


def power_of_shares(each: int, a: float, b: float) -> float:
    """How often our verdict names a winner, over all outcomes that are not next to impossible, by scipy's binomial."""
    of_a, of_b = (stats.binom.pmf(range(each + 1), each, share) for share in (a, b))
    likely = ([n for n in range(each + 1) if row[n] > 1e-6] for row in (of_a, of_b))
    names = ((x, y, newcombe(Rate(y, each), Rate(x, each))) for x, y in product(*likely))
    return sum(float(of_a[x] * of_b[y]) for x, y, (low, high) in names if low > 0 or high < 0)


def power_of_means(each: int, ratio: float) -> float:
    """The power of a t test, by scipy's noncentral t."""
    freedom, shift = 2 * each - 2, ratio * (each / 2) ** 0.5
    return float(stats.nct.sf(stats.t.ppf(0.975, freedom), freedom, shift))
