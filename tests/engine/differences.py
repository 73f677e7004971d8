"""What the engine's tests share: samples run, and derivatives of any order by differences."""

import numpy as np

from dlscratch.engine import Tensor, gradients

LIMITS = {
    1: 1e-8,
    2: 2e-8,
    3: 1e-7,
}  # worst relative error allowed; the differences themselves are no better than 1e-9


def outputs(f, xs):
    y = f(*xs)
    return list(y) if isinstance(y, (tuple, list)) else [y]


def loss(f, xs, ws):
    return sum(np.sum(w * y) for w, y in zip(ws, outputs(f, xs), strict=True))


class Check:
    """L(x, w) = sum w f(x).

    Linear in w, so that the second order also tells whether each rule is linear in g.
    """

    def __init__(self, sample, seed=0):
        rng = np.random.default_rng(seed)
        self.f, self.xs = sample.f, sample.draw(rng)
        self.ws = [rng.uniform(0.5, 1.5, np.shape(y)) for y in outputs(self.f, self.xs)]
        self.arrays = [*self.xs, *self.ws]
        self.along = [[rng.normal(size=a.shape) for a in self.arrays] for _ in range(2)]

    def loss(self, values):
        return loss(self.f, values[: len(self.xs)], values[len(self.xs) :])

    def derivative(self, order, arrays):
        """The gradient of the loss (order 1), of that gradient's product with a vector (2), etc."""
        leaves = [Tensor(a, requires_grad=True) for a in arrays]
        y = self.loss(leaves)
        for k in range(order - 1):
            y = dot(self.along[k], gradients(y, leaves, create_graph=True))
        return [g.data for g in gradients(y, leaves)]

    def differentiated(self, order, arrays):
        """The number whose gradient `derivative(order)` is; at order 1 on plain NumPy."""
        return (
            self.loss(arrays)
            if order == 1
            else dot(self.along[order - 2], self.derivative(order - 1, arrays))
        )

    def by_differences(self, order, step=1e-5):
        found = [np.zeros(a.shape) for a in self.arrays]
        for k, a in enumerate(self.arrays):
            for i in np.ndindex(a.shape):
                moved = [list(self.arrays), list(self.arrays)]
                for side, sign in zip(moved, (1, -1), strict=True):
                    side[k] = a.copy()
                    side[k][i] += sign * step
                ahead, behind = (self.differentiated(order, side) for side in moved)
                found[k][i] = (ahead - behind) / (2 * step)
        return found

    def error(self, order):
        """The largest difference, relative to the largest entry (or to 1)."""
        got, wanted = flat(self.derivative(order, self.arrays)), flat(self.by_differences(order))
        return np.max(np.abs(got - wanted)) / max(1, np.max(np.abs(wanted)))


def dot(us, vs):
    return sum(np.sum(u * v) for u, v in zip(us, vs, strict=True))


def flat(arrays):
    return np.concatenate([np.ravel(a) for a in arrays])


def ours(table):
    """The entries of NumPy and the package: tests may have added theirs."""
    return {
        f
        for f in table
        if (getattr(f, "__module__", None) or "numpy").startswith(("numpy", "dlscratch"))
    }


def run(sample, dtype="float64", **options):
    """(the outputs on plain arrays, the outputs on Tensors) of a sample."""
    arrays = [a.astype(dtype) for a in sample.draw(np.random.default_rng(0))]
    plain, traced = sample.f(*arrays), sample.f(*(Tensor(a, **options) for a in arrays))
    several = isinstance(plain, (tuple, list))
    return (list(plain), list(traced)) if several else ([plain], [traced])


def nodes(tensors):
    """Every node of the graph behind `tensors` that an operation made."""
    stack, seen = list(tensors), set()
    while stack:
        node = stack.pop()
        if isinstance(node, Tensor) and node.op is not None and id(node) not in seen:
            seen.add(id(node))
            yield node
            stack.extend(node.inputs)


# A function of one vector -----------------------------------------------------------------------

A = np.array([[2.0, 1.0, 0.0], [1.0, 3.0, -1.0], [0.5, 0.0, 1.0]])
X, V = np.array([0.5, -1.2, 2.0]), np.array([1.0, 0.3, -0.7])


def mixed(x):
    return np.sum(np.sin(x) * np.exp(0.3 * np.roll(x, 1))) + np.prod(x)


def close(a, b, rtol=1e-12):
    np.testing.assert_allclose(getattr(a, "data", a), getattr(b, "data", b), rtol=rtol, atol=1e-13)


def orders(f, *xs):
    """The gradients of sum f(xs) of order 1, and those of the squared norm of these."""
    leaves = [Tensor(x, requires_grad=True) for x in xs]
    first = gradients(np.sum(f(*leaves)), leaves, create_graph=True)
    second = gradients(sum(np.sum(g * g) for g in first), leaves)
    plain = gradients(np.sum(f(*leaves)), leaves)
    for a, b in zip(first, plain, strict=True):
        close(a, b, rtol=1e-10)
    return [g.data for g in first + second]
