"""Tests of properties by Hypothesis."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st


def for_all(*args, examples=100, **kwargs):
    """Hypothesis' ``given`` with a number of examples."""

    def decorate(test):
        return settings(max_examples=examples)(given(*args, **kwargs)(test))

    return decorate


@st.composite
def ranked_pairs(draw, min_k=1):
    """Two ranked lists over few classes, so that overlaps, swaps and disjoint lists all occur."""
    k = draw(st.integers(min_k, 6))
    n_classes = draw(st.integers(k, 3 * k))
    ranking = st.permutations(range(n_classes)).map(lambda items: items[:k])
    pairs = draw(st.lists(st.tuples(ranking, ranking), min_size=1, max_size=5))
    a, b = zip(*pairs, strict=True)
    return np.array(a), np.array(b)
