import itertools

import numpy as np
from scipy import stats
from scipy.cluster import hierarchy
from scipy.spatial.distance import squareform

from analysis.correlations.matrix_order import clustered_order


def neighbours(order):
    return {frozenset(pair) for pair in itertools.pairwise(order.tolist())}


def path_length(distance, order):
    return distance[order[:-1], order[1:]].sum()


def test_what_moves_together_stands_together():
    generator = np.random.default_rng(0)
    factors = generator.normal(size=(50, 3))
    # Features 0 to 8 follow the factors 0, 1, 2 in turn; the sign does not matter.
    sign = np.array([1, -1, 1, -1, 1, 1, -1, 1, -1])
    values = sign * factors[:, np.arange(9) % 3] + 0.5 * generator.normal(size=(50, 9))
    order = clustered_order(stats.spearmanr(values).statistic)
    assert sorted(order) == list(range(9))
    assert [len(set(order[start : start + 3] % 3)) for start in (0, 3, 6)] == [1, 1, 1]


def test_a_case_worked_out_by_hand():
    # 0 and 2 are the nearest, then 1 and 3. Of the four ways to join the two pairs, 0 and 3 are the nearest ends.
    rho = np.eye(4)
    for first, second, value in ((0, 2, 0.9), (1, 3, 0.8), (0, 3, -0.5), (0, 1, 0.1), (2, 1, 0.2), (2, 3, 0.3)):
        rho[first, second] = rho[second, first] = value
    assert clustered_order(rho).tolist() == [2, 0, 3, 1]


def test_neighbours_are_more_alike_than_in_the_tree_as_it_grew():
    shorter = []
    for seed in range(20):
        rho = np.corrcoef(np.random.default_rng(seed).normal(size=(12, 20)))
        distance = 1 - np.abs(rho)
        tree = hierarchy.linkage(squareform(distance, checks=False), method="average")
        shorter.append(
            path_length(distance, hierarchy.leaves_list(tree)) - path_length(distance, clustered_order(rho))
        )
    assert min(shorter) > -1e-6  # distances are rounded to 1e-9
    assert np.median(shorter) > 0.1


def test_the_order_of_the_input_changes_the_neighbours_of_none():
    rho = np.corrcoef(np.random.default_rng(1).normal(size=(12, 20)))
    shuffle = np.random.default_rng(2).permutation(12)
    shuffled = shuffle[clustered_order(rho[np.ix_(shuffle, shuffle)])]
    assert neighbours(clustered_order(rho)) == neighbours(shuffled)


def test_the_first_feature_is_in_the_first_half():
    for seed in range(10):
        rho = np.corrcoef(np.random.default_rng(seed).normal(size=(8, 20)))
        assert clustered_order(rho).tolist().index(0) < 4


def test_dead_features_are_far_from_all():
    values = np.random.default_rng(0).normal(size=(30, 6))
    values[:, 5] = values[:, 0]
    rho = np.corrcoef(values.T)
    rho[2, :] = rho[:, 2] = np.nan
    order = clustered_order(rho).tolist()
    assert sorted(order) == list(range(6))
    assert abs(order.index(0) - order.index(5)) == 1
    nothing_lives = clustered_order(np.full((4, 4), np.nan))
    assert sorted(nothing_lives) == [0, 1, 2, 3]


def test_fewer_than_three_have_one_order():
    assert clustered_order(np.zeros((0, 0))).tolist() == []
    assert clustered_order(np.eye(2)).tolist() == [0, 1]
