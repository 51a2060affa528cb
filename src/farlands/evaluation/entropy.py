"""How varied a set of outcomes is: entropies in nats, and the numbers of equally common kinds they stand for."""

from __future__ import annotations

import numpy as np


def entropy(counts: np.ndarray) -> float:
    """Entropy of the shares of the counts, 0 where there are none.

    Args:
        counts: Non-negative ``[K]``: counts of kinds, or any weights of theirs.
    """
    counts = np.asarray(counts, dtype=np.float64)
    total = counts.sum()
    if total <= 0:
        return 0.0
    shares = counts[counts > 0] / total
    return float(-(shares * np.log(shares)).sum())


def miller_madow(counts: np.ndarray) -> float:
    """Entropy with the first-order correction for the kinds that few samples miss (Miller 1955).

    Args:
        counts: int ``[K]``, samples of each kind.
    """
    counts = np.asarray(counts)
    total = int(counts.sum())
    return entropy(counts) + (int((counts > 0).sum()) - 1) / (2 * total) if total else 0.0


def chao_shen(counts: np.ndarray) -> float:
    """Entropy where many kinds were never seen: shares scaled by Good-Turing coverage (Chao & Shen 2003).

    Args:
        counts: int ``[K]``, samples of each kind.
    """
    counts = np.asarray(counts)
    total = int(counts.sum())
    if not total:
        return 0.0
    single = int((counts == 1).sum())
    # With every sample a kind of its own nothing could be said; one of them is counted as seen twice.
    coverage = 1.0 - min(single, total - 1) / total
    shares = coverage * counts[counts > 0] / total
    seen = 1.0 - (1.0 - shares) ** total
    return float(-(shares * np.log(shares) / seen).sum())


def good_turing_coverage(counts: np.ndarray) -> float:
    """Estimated chance that the next sample is of a kind already seen (Good 1953); 0 where there are no samples.

    Args:
        counts: int ``[K]``, samples of each kind.
    """
    counts = np.asarray(counts)
    total = int(counts.sum())
    return 1.0 - int((counts == 1).sum()) / total if total else 0.0
