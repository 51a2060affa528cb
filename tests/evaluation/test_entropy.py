from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from farlands.evaluation.entropy import chao_shen, entropy, good_turing_coverage, miller_madow

COUNTS = st.lists(st.integers(0, 50), min_size=1, max_size=30).map(np.array)


@given(COUNTS.filter(np.any))
def test_entropy_equals_scipys(counts):
    assert entropy(counts) == pytest.approx(stats.entropy(counts), abs=1e-12)
    assert miller_madow(counts) == pytest.approx(stats.entropy(counts) + ((counts > 0).sum() - 1) / (2 * counts.sum()))


@given(COUNTS)
def test_chao_shen_equals_its_definition(counts):
    total, expected = counts.sum(), 0.0
    if total:
        coverage = 1 - min((counts == 1).sum(), total - 1) / total
        for count in counts[counts > 0]:
            share = coverage * count / total
            expected -= share * np.log(share) / (1 - (1 - share) ** total)
    assert chao_shen(counts) == pytest.approx(expected, abs=1e-12)


def test_corrections_bring_few_samples_nearer_to_the_truth():
    generator, truth = np.random.default_rng(0), np.log(200)
    samples = [np.bincount(generator.integers(200, size=100), minlength=200) for _ in range(100)]
    errors = {
        f.__name__: abs(np.mean([f(each) for each in samples]) - truth) for f in (entropy, miller_madow, chao_shen)
    }
    assert errors["chao_shen"] < errors["miller_madow"] < errors["entropy"]


def test_coverage_is_the_chance_to_meet_a_known_kind():
    generator, shares = np.random.default_rng(1), np.arange(1, 41) / 820
    guesses, truths = [], []
    for _ in range(200):
        counts = generator.multinomial(60, shares)
        guesses.append(good_turing_coverage(counts))
        truths.append(shares[counts > 0].sum())
    assert np.mean(guesses) == pytest.approx(np.mean(truths), abs=0.01)


def test_nothing_has_no_entropy():
    for measure in (entropy, miller_madow, chao_shen, good_turing_coverage):
        assert measure(np.zeros(4, dtype=int)) == 0.0
