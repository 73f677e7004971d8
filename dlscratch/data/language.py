"""Languages whose entropy is known exactly: finite-state grammars.

In them a symbol and the state that it leaves fix the next state. Each step's surprise then
depends on the state alone, and the entropy rate is H = Σ_s π_s H(emit_s), π the stationary
law of the states (Shannon 1948): the lowest loss, in nats a symbol, that any model of the
language can reach.
"""

from typing import NamedTuple

import numpy as np

from .split import Seed

__all__ = ["Grammar", "markov", "reber", "REBER"]

REBER = "BTPSXVE"  # the letters of `reber`, in the order of their numbers


class Grammar(NamedTuple):
    """emit: (S, V), P(symbol | state), and move: (S, V), the state that follows.

    `Grammar(...).check()` raises ValueError for what is no grammar; `markov` and `reber` give
    two.

    Examples
    --------
    >>> coin = Grammar(np.array([[0.5, 0.5]]), np.array([[0, 0]])).check()
    >>> round(coin.entropy(), 4)
    0.6931
    >>> coin.sample(rng=0, n=2, length=5)
    array([[0, 1, 1, 1, 1],
           [0, 1, 1, 1, 0]])
    """

    emit: np.ndarray
    move: np.ndarray

    def check(self) -> "Grammar":
        """The grammar itself, if it is one.

        Rows are probabilities, moves lead to states, and some state is reached from all.
        """
        emit, move = self
        if emit.ndim != 2 or emit.shape != move.shape:
            raise ValueError(
                f"Grammar: emit {emit.shape} and move {move.shape}; "
                "want two arrays of (states, symbols)"
            )
        if (emit < 0).any() or not np.allclose(emit.sum(axis=1), 1):
            raise ValueError(
                f"Grammar: rows of emit sum to {emit.sum(axis=1)}; "
                "want probabilities that sum to 1 in each state"
            )
        whole = np.issubdtype(move.dtype, np.integer)
        if not whole or (move < 0).any() or (move >= len(emit)).any():
            raise ValueError(
                f"Grammar: move has entries outside the states 0 to {len(emit) - 1}; "
                "name existing states as integers"
            )
        if not self._reach().all(axis=0).any():
            raise ValueError(
                "Grammar: no state is reached from all others, so there is no one entropy rate; "
                "connect them"
            )
        return self

    def transitions(self) -> np.ndarray:
        """P(next state | state): (S, S)."""
        P = np.zeros((len(self.emit),) * 2)
        np.add.at(P, (np.arange(len(P))[:, None], self.move), self.emit)
        return P

    def _reach(self):
        """Whether the column's state can follow the row's, at once or later.

        By squaring, until nothing is added.
        """
        new = (self.transitions() > 0) | np.eye(len(self.emit), dtype=bool)
        old = None
        while old is None or (new != old).any():
            old = new
            step = new.astype(np.float32)
            new = step @ step > 0
        return new

    def stationary(self) -> np.ndarray:
        """The share of time spent in each state: (S,).

        π P = π, of whose equations one is redundant; Σ π = 1 takes its place.
        """
        equations = self.transitions().T - np.eye(len(self.emit))
        equations[-1] = 1
        right = np.eye(len(equations))[-1]
        return np.linalg.solve(equations, right).clip(0)

    def entropy(self) -> float:
        """The entropy rate H = -Σ_s π_s Σ_v p_sv log p_sv, in nats a symbol."""
        p = self.emit
        return float(-self.stationary() @ (p * np.log(np.where(p > 0, p, 1))).sum(axis=1))

    def sample(self, rng: Seed, n: int, length: int) -> np.ndarray:
        """n stretches of the language, each begun in a random place of it.

        (n, length) of integers below V. Raises ValueError for a count below 1.
        """
        if n < 1 or length < 1:
            raise ValueError(f"Grammar.sample: n={n} and length={length}; want at least 1")
        rng = np.random.default_rng(rng)
        pi = self.stationary()
        last = self.emit.shape[1] - 1 - np.argmax(self.emit[:, ::-1] > 0, axis=1)
        state = rng.choice(len(pi), n, p=pi / pi.sum())
        below = self.emit.cumsum(axis=1)
        symbols = np.empty((n, length), np.int64)
        for t in range(length):
            v = (rng.random((n, 1)) >= below[state]).sum(axis=1)
            v = np.minimum(v, last[state])  # rounding may leave the sum of a row below 1
            symbols[:, t] = v
            state = self.move[state, v]
        return symbols

    def surprise(self, symbols: np.ndarray) -> np.ndarray:
        """-log P(x_t | x_1 … x_{t-1}), exactly, in nats: (n, length) → (n, length).

        For a reader who knows the grammar but not the place. Its mean over a long stretch
        tends to the entropy rate from above. Infinite after what the grammar cannot say.
        Raises ValueError for other shapes and for symbols that are not in the grammar.
        """
        symbols = np.asarray(symbols)
        V = self.emit.shape[1]
        outside = symbols.size and not 0 <= symbols.min() <= symbols.max() < V
        if symbols.ndim != 2 or outside:
            raise ValueError(
                f"Grammar.surprise: symbols {symbols.shape}; "
                f"want (n, length) of integers from 0 to {V - 1}"
            )
        rows = np.arange(len(symbols))[:, None]
        out = np.empty(symbols.shape)
        belief = np.tile(self.stationary(), (len(symbols), 1))
        for t, v in enumerate(symbols.T):
            joint = belief * self.emit[:, v].T  # P(state, x_t | the past)
            p = joint.sum(axis=1, keepdims=True)
            given = np.divide(joint, p, out=np.zeros_like(joint), where=p > 0)
            belief = np.zeros_like(belief)
            np.add.at(belief, (rows, self.move[:, v].T), given)
            with np.errstate(divide="ignore"):
                out[:, t] = -np.log(p[:, 0])
        return out


def markov(rng: Seed, symbols: int = 8, order: int = 1, concentration: float = 0.3) -> Grammar:
    """A random Markov chain: the last `order` symbols decide the law of the next one.

    Each law is drawn from a Dirichlet distribution. Source: Shannon 1948.

    Parameters
    ----------
    rng : Generator or int, optional
    symbols : int
        The size V of the alphabet, at least 2.
    order : int
        How many symbols count, at least 1.
    concentration : float
        Above 0. A small one gives few likely successors and a low entropy.

    Returns
    -------
    Grammar
        Of S = V^order states.

    Raises
    ------
    ValueError
        For numbers out of these ranges.

    Examples
    --------
    >>> language = markov(rng=0, symbols=3)
    >>> language.emit.shape, bool(0 < language.entropy() < np.log(3))
    ((3, 3), True)
    """
    if symbols < 2 or order < 1 or not concentration > 0:
        raise ValueError(
            f"markov: symbols={symbols}, order={order}, concentration={concentration}; "
            "want at least 2, at least 1, and a positive number"
        )
    states = symbols**order
    emit = np.random.default_rng(rng).dirichlet(np.full(symbols, concentration), states)
    longer = np.arange(states)[:, None] * symbols + np.arange(symbols)  # the newest appended
    move = longer % states  # the oldest forgotten
    return Grammar(emit, move).check()


def reber() -> Grammar:
    """Reber's grammar: words such as BTXSE and BPVVE, one after another.

    Each fork is taken with probability 1/2. 7 states, symbols numbered as in REBER.
    Source: Reber 1967.

    Examples
    --------
    >>> letters = reber().sample(rng=0, n=1, length=24)[0]
    >>> "".join(REBER[i] for i in letters)
    'SEBPVVEBPVPXTVPXVPSEBPVV'
    """
    arrows = ["B1", "T2 P3", "S2 X4", "T3 V5", "X3 S6", "P4 V6", "E0"]
    emit = np.zeros((7, 7))
    move = np.zeros((7, 7), np.int64)
    for state, forks in enumerate(a.split() for a in arrows):
        for letter, target in forks:
            symbol = REBER.index(letter)
            emit[state, symbol] = 1 / len(forks)
            move[state, symbol] = int(target)
    return Grammar(emit, move)
