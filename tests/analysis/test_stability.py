"""The population stability index, and what it comes to where nothing has changed."""

import numpy as np
import pytest

from mlops_cli.analysis.stability import stability, stability_by_chance


def parted(counts, rows, rng):
    """Deal rows out to two sides by lot."""
    a = rng.multivariate_hypergeometric(counts, rows, method="marginals")
    return a.astype(float), (counts - a).astype(float)


@pytest.mark.parametrize(
    ("before", "after", "parts"), [(450, 74, 7), (5000, 3000, 2000), (200_000, 74, 100), (2000, 1_000_000, 12)]
)
def test_by_chance_it_is_its_mean_over_shuffled_rows(before, after, parts):
    rng = np.random.default_rng(0)
    counts = rng.multinomial(before + after, rng.dirichlet(np.full(parts, 0.5)))
    found = [stability(*parted(counts, before, rng)) for _ in range(400)]
    error = np.std(found) / np.sqrt(len(found))
    expected = stability_by_chance(*parted(counts, before, rng))
    assert np.mean(found) == pytest.approx(expected, abs=4 * error + 0.02 * expected)


def test_of_many_rows_it_is_that_of_chi_square():
    a, b = np.full(10, 10_000.0), np.full(10, 5000.0)
    assert stability_by_chance(a, b) == pytest.approx(9 * (1 / 100_000 + 1 / 50_000))


def test_one_part_cannot_move():
    assert stability_by_chance(np.array([5.0]), np.array([3.0])) == stability(np.array([5.0]), np.array([3.0])) == 0


def test_which_side_is_which_is_all_the_same():
    a, b = np.array([3.0, 0.0, 90.0]), np.array([1.0, 1.0, 5.0])
    assert stability_by_chance(a, b) == stability_by_chance(b, a)
