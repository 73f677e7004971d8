"""Grammars: the entropy they state is that of samples; no reader can be less surprised."""

import itertools
import math

import numpy as np
import pytest

from dlscratch.data import REBER, Grammar, markov, reber

LANGUAGES = {
    "chain": markov(0),
    "long memory": markov(1, symbols=4, order=3, concentration=0.2),
    "reber": reber(),
}


@pytest.mark.parametrize("name", LANGUAGES)
def test_entropy_is_what_samples_show(name):
    """The mean surprise, once the place is known, is the entropy rate.

    Within four standard errors over 400 stretches.
    """
    grammar = LANGUAGES[name]
    surprise = grammar.surprise(grammar.sample(2, 400, 240))
    late = surprise[:, 40:].mean(axis=1)
    error = late.std(ddof=1) / math.sqrt(len(late))
    assert abs(late.mean() - grammar.entropy()) < 4 * error and error < 0.01 * grammar.entropy()
    assert surprise[:, 0].mean() > surprise[:, 40:].mean()


def test_entropy_by_hand():
    """Left with probabilities 1/4 and 1/2: π = (2/3, 1/3), H = 2/3 h(1/4) + 1/3 log 2."""
    grammar = Grammar(np.array([[0.75, 0.25], [0.5, 0.5]]), np.array([[0, 1], [0, 1]])).check()
    assert np.allclose(grammar.stationary(), [2 / 3, 1 / 3], atol=1e-15)
    h = -0.25 * math.log(0.25) - 0.75 * math.log(0.75)
    assert math.isclose(grammar.entropy(), 2 / 3 * h + math.log(2) / 3, rel_tol=1e-14)
    fair = Grammar(np.full((1, 8), 1 / 8), np.zeros((1, 8), int)).check()
    assert math.isclose(fair.entropy(), math.log(8), rel_tol=1e-14) and np.allclose(
        fair.surprise([[0, 3]]), math.log(8)
    )


def test_entropy_of_blocks():
    """H(X_1 … X_t) - H(X_1 … X_{t-1}), summed over all blocks, falls to the rate.

    It reaches it after `order` symbols.
    """
    grammar = markov(5, symbols=3, order=2, concentration=0.5)
    blocks = []
    for length in range(1, 6):
        log_p = -grammar.surprise(list(itertools.product(range(3), repeat=length))).sum(axis=1)
        assert math.isclose(np.exp(log_p).sum(), 1, rel_tol=1e-12)
        blocks.append(-np.exp(log_p) @ log_p)
    rates = np.diff([0, *blocks])
    assert rates[0] > rates[1] > rates[2] and np.allclose(rates[2:], grammar.entropy(), rtol=1e-12)


def test_markov_samples_follow_its_table():
    grammar = markov(0, symbols=3, order=2, concentration=1.0)
    tokens = grammar.sample(1, 100, 1002)
    state, following = 3 * tokens[:, :-2] + tokens[:, 1:-1], tokens[:, 2:]
    counts = np.zeros((9, 3))
    np.add.at(counts, (state, following), 1)
    n = counts.sum(axis=1, keepdims=True)
    assert (
        abs(counts / n - grammar.emit) < 5 * np.sqrt(grammar.emit * (1 - grammar.emit) / n) + 1e-9
    ).all()
    assert np.allclose(n[:, 0] / n.sum(), grammar.stationary(), atol=0.02)


def test_reber_words():
    import re

    stream = "".join(REBER[i] for i in reber().sample(0, 1, 4000)[0])
    words = re.findall("B[^BE]*E", stream)
    assert len(words) > 300 and {"BTXSE", "BPVVE", "BTSXSE", "BTXXVVE"} <= set(words)
    graph = re.compile(
        r"B(TS*X(S|XT*V(P(XT*VP)*(S|XT*VV)|V))|PT*V(P(XT*VP)*(S|XT*VV)|V))E"
    )  # the graph, written out anew
    assert all(graph.fullmatch(w) for w in words)
    assert np.isinf(reber().surprise([[REBER.index(c) for c in "BTV"]])[0, -1])


def test_rng_decides_alone():
    grammar = markov(3)
    assert np.array_equal(
        grammar.emit, markov(np.random.default_rng(3)).emit
    ) and not np.array_equal(grammar.emit, markov(4).emit)
    assert np.array_equal(grammar.sample(1, 3, 9), grammar.sample(np.random.default_rng(1), 3, 9))
    assert not np.array_equal(grammar.sample(1, 3, 9), grammar.sample(2, 3, 9))
    assert (
        markov(0, concentration=0.05).entropy() < markov(0, concentration=5).entropy() < math.log(8)
    )


HALF = np.full((2, 2), 0.5)
BAD = [
    (lambda: markov(0, symbols=1), "symbols=1"),
    (lambda: markov(0, order=0), "order=0"),
    (lambda: markov(0, concentration=0), "concentration=0"),
    (lambda: Grammar(HALF, np.zeros((2, 3), int)).check(), "two arrays of"),
    (lambda: Grammar(np.ones((2, 2)), np.zeros((2, 2), int)).check(), "sum to \\[2. 2.\\]"),
    (lambda: Grammar(HALF, np.full((2, 2), 2)).check(), "outside the states 0 to 1"),
    (lambda: Grammar(HALF, np.zeros((2, 2))).check(), "as integers"),
    (lambda: Grammar(HALF, np.array([[0, 0], [1, 1]])).check(), "no one entropy rate"),
    (lambda: markov(0).sample(0, 0, 5), "n=0"),
    (lambda: markov(0).surprise([[8]]), "integers from 0 to 7"),
    (lambda: markov(0).surprise([1, 2]), "\\(n, length\\)"),
]


@pytest.mark.parametrize("call, message", BAD, ids=[m for _, m in BAD])
def test_misuse(call, message):
    with pytest.raises(ValueError, match=message):
        call()
