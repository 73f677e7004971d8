"""Languages whose entropy is known exactly: finite-state grammars in which a symbol and the state it leaves fix the next state.

Because each step's surprise then depends on the state alone, the entropy rate is H = Σ_s π_s H(emit_s), π the stationary law of
the states (Shannon 1948): the lowest loss, in nats a symbol, that any model of the language can reach.
"""

from typing import NamedTuple

import numpy as np

__all__ = ["Grammar", "markov", "reber", "REBER"]

REBER = "BTPSXVE"  # the letters of `reber`, in the order of their numbers


class Grammar(NamedTuple):
    """emit: (S, V), P(symbol | state), and move: (S, V), the state that follows.

    `Grammar(...).check()` raises ValueError for what is no grammar; `markov` and `reber` give two.
    """

    emit: np.ndarray
    move: np.ndarray

    def check(self):
        """The grammar itself, if its rows are probabilities, its moves lead to states, and some state is reached from all."""
        emit, move = self
        if emit.ndim != 2 or emit.shape != move.shape:
            raise ValueError(
                f"Grammar: emit {emit.shape} and move {move.shape}; want two arrays of (states, symbols)"
            )
        if (emit < 0).any() or not np.allclose(emit.sum(axis=1), 1):
            raise ValueError(
                f"Grammar: rows of emit sum to {emit.sum(axis=1)}; want probabilities that sum to 1 in each state"
            )
        if (
            not np.issubdtype(move.dtype, np.integer)
            or (move < 0).any()
            or (move >= len(emit)).any()
        ):
            raise ValueError(
                f"Grammar: move has entries outside the states 0 to {len(emit) - 1}; name existing states as integers"
            )
        if not self._reach().all(axis=0).any():
            raise ValueError(
                "Grammar: no state is reached from all others, so there is no one entropy rate; connect them"
            )
        return self

    def transitions(self):
        """P(next state | state): (S, S)."""
        P = np.zeros((len(self.emit),) * 2)
        np.add.at(P, (np.arange(len(P))[:, None], self.move), self.emit)
        return P

    def _reach(self):
        """Can the column's state follow, at once or later, the row's? By squaring, until nothing is added."""
        new, old = (self.transitions() > 0) | np.eye(len(self.emit), dtype=bool), None
        while old is None or (new != old).any():
            old, step = new, new.astype(np.float32)
            new = step @ step > 0
        return new

    def stationary(self):
        """The share of time spent in each state, π P = π with Σ π = 1, which takes the place of one equation; (S,)."""
        equations = self.transitions().T - np.eye(len(self.emit))
        equations[-1] = 1
        return np.linalg.solve(equations, np.eye(len(equations))[-1]).clip(0)

    def entropy(self):
        """The entropy rate H = -Σ_s π_s Σ_v p_sv log p_sv, in nats a symbol."""
        p = self.emit
        return float(-self.stationary() @ (p * np.log(np.where(p > 0, p, 1))).sum(axis=1))

    def sample(self, rng, n, length):
        """n stretches of the language, each begun in a random place of it: (n, length) of integers below V."""
        if n < 1 or length < 1:
            raise ValueError(f"Grammar.sample: n={n} and length={length}; want at least 1")
        rng = np.random.default_rng(rng)
        pi, last = (
            self.stationary(),
            self.emit.shape[1] - 1 - np.argmax(self.emit[:, ::-1] > 0, axis=1),
        )  # the last possible symbol
        state, below = rng.choice(len(pi), n, p=pi / pi.sum()), self.emit.cumsum(axis=1)
        symbols = np.empty((n, length), np.int64)
        for t in range(length):
            v = (rng.random((n, 1)) >= below[state]).sum(axis=1)
            v = symbols[:, t] = np.minimum(
                v, last[state]
            )  # rounding may leave the sum of a row below 1
            state = self.move[state, v]
        return symbols

    def surprise(self, symbols):
        """-log P(x_t | x_1 … x_{t-1}), exactly, for a reader who knows the grammar but not the place: (n, length) → (n, length), nats.

        Its mean over a long stretch tends to the entropy rate from above. Infinite after what the grammar cannot say.
        """
        symbols = np.asarray(symbols)
        if (
            symbols.ndim != 2
            or symbols.size
            and not 0 <= symbols.min() <= symbols.max() < self.emit.shape[1]
        ):
            raise ValueError(
                f"Grammar.surprise: symbols {symbols.shape}; want (n, length) of integers from 0 to {self.emit.shape[1] - 1}"
            )
        rows, out = np.arange(len(symbols))[:, None], np.empty(symbols.shape)
        belief = np.tile(self.stationary(), (len(symbols), 1))
        for t, v in enumerate(symbols.T):
            joint = belief * self.emit[:, v].T  # P(state, x_t | the past)
            p = joint.sum(axis=1, keepdims=True)
            belief = np.zeros_like(belief)
            np.add.at(
                belief,
                (rows, self.move[:, v].T),
                np.divide(joint, p, out=np.zeros_like(joint), where=p > 0),
            )
            with np.errstate(divide="ignore"):
                out[:, t] = -np.log(p[:, 0])
        return out


def markov(rng, symbols=8, order=1, concentration=0.3):
    """A random Markov chain: the last `order` symbols decide the law of the next one, drawn from a Dirichlet distribution.

    → Grammar with S = V^order states. A small concentration gives few likely successors and a low entropy.
    Raises ValueError for fewer than 2 symbols, order below 1 or concentration not above 0. Source: Shannon 1948.
    """
    if symbols < 2 or order < 1 or not concentration > 0:
        raise ValueError(
            f"markov: symbols={symbols}, order={order}, concentration={concentration}; want at least 2, at least 1, and a positive number"
        )
    states = symbols**order
    emit = np.random.default_rng(rng).dirichlet(np.full(symbols, concentration), states)
    move = (
        np.arange(states)[:, None] * symbols + np.arange(symbols)
    ) % states  # forget the oldest symbol, append the newest
    return Grammar(emit, move).check()


def reber():
    """Reber's grammar: words such as BTXSE and BPVVE, one after another; each fork is taken with probability 1/2.

    → Grammar of 7 states, symbols numbered as in REBER. Source: Reber 1967.
    """
    arrows = ["B1", "T2 P3", "S2 X4", "T3 V5", "X3 S6", "P4 V6", "E0"]
    emit, move = np.zeros((7, 7)), np.zeros((7, 7), np.int64)
    for state, forks in enumerate(a.split() for a in arrows):
        for letter, target in forks:
            emit[state, REBER.index(letter)], move[state, REBER.index(letter)] = (
                1 / len(forks),
                int(target),
            )
    return Grammar(emit, move)
