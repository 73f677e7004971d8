"""Many small networks of one shape, trained side by side: a network a row of one array."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

__all__ = ["StackedMLP"]

# φ(z), φ'(z) and φ''(z), the latter two from z and a = φ(z)
ACTIVATIONS: dict[str, tuple[Callable, Callable, Callable]] = {
    "tanh": (np.tanh, lambda z, a: 1 - a * a, lambda z, a: -2 * a * (1 - a * a)),
    "relu": (lambda z: np.maximum(z, 0), lambda z, a: z > 0, lambda z, a: np.zeros_like(z)),
    "linear": (lambda z: z, lambda z, a: np.ones_like(z), lambda z, a: np.zeros_like(z)),
}
LOSSES = ("cross_entropy", "squared")


class StackedMLP:
    """Dense networks of one shape, as many as theta has rows: z = a W + b, a = φ(z).

    Parameters are one array theta, (R, P), for each network all W row by row, then all b; more
    leading axes are welcome. An optimizer is then a line of arithmetic on (R, P), and a grid of
    rates or seeds one run. The gradient and the product with the Hessian are written out.

    Parameters
    ----------
    sizes : sequence of int
        Of the layers, the input first: (64, 32, 10).
    activation : str
        "tanh", "relu" or "linear", after every layer but the last.
    loss : str
        "cross_entropy" of softmax, or "squared": ½ |z - Y|². Summed over outputs, a mean over
        examples.
    bias : bool
        Whether layers have one.

    Attributes
    ----------
    size : int
        P, how many parameters a network has.
    is_weight : ndarray of bool, (P,)
        True where theta holds entries of a W, False for biases.

    Raises
    ------
    ValueError
        For fewer than two sizes, and for unknown names.

    Examples
    --------
    >>> networks = StackedMLP([2, 8, 3])
    >>> theta = networks.start([0, 1, 2, 3])  # four networks
    >>> X, Y = np.ones((5, 2)), np.eye(3)[[0, 1, 2, 0, 1]]
    >>> losses, slopes = networks.gradient(theta, X, Y)
    >>> losses.shape, slopes.shape == theta.shape
    ((4,), True)

    The product with the Hessian follows Pearlmutter, Fast exact multiplication by the Hessian,
    Neural Computation 1994.
    """

    def __init__(
        self,
        sizes: Sequence[int],
        activation: str = "tanh",
        loss: str = "cross_entropy",
        bias: bool = True,
    ):
        if len(sizes) < 2 or min(sizes) < 1:
            raise ValueError(
                f"StackedMLP: sizes={sizes!r}; want two or more positive numbers, such as "
                "[64, 32, 10]"
            )
        if activation not in ACTIVATIONS:
            raise ValueError(f"StackedMLP: activation={activation!r}; want one of {[*ACTIVATIONS]}")
        if loss not in LOSSES:
            raise ValueError(f"StackedMLP: loss={loss!r}; want one of {[*LOSSES]}")
        self.sizes = tuple(sizes)
        self.activation = activation
        self.loss = loss
        self.bias = bias
        pairs = list(zip(self.sizes, self.sizes[1:]))
        self._shapes = pairs + ([(1, m) for _, m in pairs] if bias else [])
        self._ends = np.cumsum([n * m for n, m in self._shapes])
        self.size = int(self._ends[-1])
        self.is_weight = np.arange(self.size) < sum(n * m for n, m in pairs)

    def start(self, seeds: Sequence[Any], gain: float = 1.0, dtype: Any = "float64") -> np.ndarray:
        """Random parameters, a network for each seed: W normal with variance gain² / n, b = 0.

        n is the number of inputs: gain √2 is He's rule. → (R, P)
        """
        rows = []
        for seed in seeds:
            rng = np.random.default_rng(seed)
            parts = [
                gain * rng.normal(size=(n, m)) / np.sqrt(n)
                for n, m in self._shapes[: len(self.sizes) - 1]
            ]
            flat = np.concatenate([part.ravel() for part in parts])
            rows.append(np.pad(flat, (0, self.size - len(flat))))
        return np.array(rows, dtype)

    def parts(self, theta: np.ndarray) -> tuple[list[np.ndarray], list[np.ndarray] | list[float]]:
        """(W, b) of all layers, as views of theta: W[l] is (R, n, m) and b[l] is (R, 1, m).

        Without biases each b[l] is the number 0.
        """
        if np.shape(theta)[-1:] != (self.size,):
            raise ValueError(
                f"StackedMLP: theta has shape {np.shape(theta)}; want (..., {self.size}), a row of "
                f"{self.size} parameters for each network"
            )
        begins = [0, *self._ends[:-1]]
        cut = [
            theta[..., begin:end].reshape(*theta.shape[:-1], *shape)
            for begin, end, shape in zip(begins, self._ends, self._shapes)
        ]
        layers = len(self.sizes) - 1
        return cut[:layers], cut[layers:] if self.bias else [0.0] * layers

    def __call__(self, theta: np.ndarray, X: np.ndarray) -> np.ndarray:
        """The outputs z of the last layer: (R, N, C), for X of shape (N, D) or (R, N, D)."""
        return self._forward(theta, X)[0][-1]

    def losses(self, theta: np.ndarray, X: np.ndarray, Y: np.ndarray) -> np.ndarray:
        """The loss of each network, (R,); Y, (N, C) or (R, N, C), holds targets.

        For cross-entropy they are the probabilities of the classes: a row sums to 1.
        """
        return self._loss_and_signal(self(theta, X), Y)[0]

    def gradient(
        self, theta: np.ndarray, X: np.ndarray, Y: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Losses (R,) and their slopes (R, P), by one pass forward and one back."""
        z, a = self._forward(theta, X)
        losses, delta = self._loss_and_signal(z[-1], Y)
        return losses, self._backward(theta, z, a, delta)[0]

    def hessian_product(
        self, theta: np.ndarray, X: np.ndarray, Y: np.ndarray, v: np.ndarray
    ) -> np.ndarray:
        """H v of each network, (R, P): how the gradient changes when theta moves along v.

        Each line of `gradient` differentiated along v: as cheap as two gradients.
        """
        W, _ = self.parts(theta)
        V, c = self.parts(v)
        _, slope, bend = ACTIVATIONS[self.activation]
        z, a = self._forward(theta, X)
        z_moves = []
        a_moves = [np.zeros_like(a[0])]
        for l in range(len(W)):
            z_moves.append(a_moves[l] @ W[l] + a[l] @ V[l] + c[l])
            if l < len(W) - 1:
                a_moves.append(slope(z[l], a[l + 1]) * z_moves[l])
        delta = self._loss_and_signal(z[-1], Y)[1]
        deltas, passed = self._backward(theta, z, a, delta)[1:]
        moves = z_moves[-1] / z[-1].shape[-2]
        if self.loss == "cross_entropy":
            p = _softmax(z[-1])
            moves = p * (moves - np.sum(p * moves, axis=-1, keepdims=True))
        products_W = []
        products_b = []
        for l in reversed(range(len(W))):
            products_W.insert(0, _outer(a_moves[l], deltas[l]) + _outer(a[l], moves))
            products_b.insert(0, moves.sum(axis=-2, keepdims=True))
            if l > 0:
                passed_moves = moves @ _turned(W[l]) + deltas[l] @ _turned(V[l])
                moves = passed_moves * slope(z[l - 1], a[l])
                moves = moves + passed[l] * bend(z[l - 1], a[l]) * z_moves[l - 1]
        return self._flat(products_W, products_b)

    def _forward(self, theta, X):
        """z of every layer, and what goes into it: a[0] is X."""
        W, b = self.parts(theta)
        phi = ACTIVATIONS[self.activation][0]
        z = []
        a = [np.asarray(X)]
        for l in range(len(W)):
            z.append(a[l] @ W[l] + b[l])
            if l < len(W) - 1:
                a.append(phi(z[l]))
        return z, a

    def _backward(self, theta, z, a, delta):
        """(slopes, δ of every layer, and what reached its φ from above)."""
        W, _ = self.parts(theta)
        slope = ACTIVATIONS[self.activation][1]
        deltas = []
        passed = []
        dW = []
        db = []
        for l in reversed(range(len(W))):
            deltas.insert(0, delta)
            dW.insert(0, _outer(a[l], delta))
            db.insert(0, delta.sum(axis=-2, keepdims=True))
            if l > 0:
                passed.insert(0, delta @ _turned(W[l]))
                delta = passed[0] * slope(z[l - 1], a[l])
        return self._flat(dW, db), deltas, [None, *passed]

    def _loss_and_signal(self, z, Y):
        """The loss, (R,), and δ = ∂L/∂z of the last layer: a mean over the N examples."""
        N = z.shape[-2]
        if self.loss == "squared":
            gap = z - Y
            return np.sum(gap**2, axis=-1).mean(axis=-1) / 2, gap / N
        shifted = z - z.max(axis=-1, keepdims=True)
        e = np.exp(shifted)
        total = e.sum(axis=-1, keepdims=True)
        loss = np.log(total[..., 0]) - np.sum(Y * shifted, axis=-1)
        return loss.mean(axis=-1), (e / total - Y) / N

    def _flat(self, by_weights, by_biases):
        pieces = by_weights + (by_biases if self.bias else [])
        return np.concatenate([piece.reshape(*piece.shape[:-2], -1) for piece in pieces], axis=-1)


def _softmax(z):
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def _turned(W):
    return np.swapaxes(W, -1, -2)


def _outer(a, delta):
    """∂L/∂W = aᵀ δ, summed over the examples."""
    return _turned(a) @ delta
