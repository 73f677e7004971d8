"""Is it right? Gradients against finite differences, layers and whole trainings against PyTorch."""

import copy
import importlib.util

import numpy as np

from ..engine import Tensor, gradients

__all__ = [
    "finite_difference",
    "gradcheck",
    "relative_error",
    "has_torch",
    "against_torch",
    "trajectory",
]


def finite_difference(f, x, eps=None):
    """The gradient of a scalar function by central differences: (f(x + h e_i) - f(x - h e_i)) / (2 h) in each place i.

    x: any shape → the same shape, float64. h is `eps`, or 6e-6 max(1, |x_i|), where the error of the formula, h², and
    that of rounding, 1e-16 / h, balance. Raises ValueError when f is not scalar. Source: Nocedal & Wright 2006, 8.1.
    """
    x = np.array(x, np.float64)
    slope = np.empty_like(x)
    for i in np.ndindex(x.shape):
        h = eps or np.cbrt(np.finfo(float).eps) * max(1.0, abs(x[i]))
        ahead, behind = x.copy(), x.copy()
        ahead[i] += h
        behind[i] -= h
        slope[i] = (_scalar(f(ahead)) - _scalar(f(behind))) / (
            ahead[i] - behind[i]
        )  # h as rounding made it
    return slope


def _scalar(y):
    y = y.data if isinstance(y, Tensor) else np.asarray(y)
    if y.size != 1:
        raise ValueError(
            f"finite_difference: f gave shape {y.shape}; want one number, so reduce it (.sum())"
        )
    return y.item()


def gradcheck(f, *xs, order=1, eps=None):
    """The worst relative error of the engine's gradients of f, against central differences in float64.

    Order 1 differentiates s(x) = <f(x), v> for a fixed random v; order 2 differentiates <grad s(x), u> and compares
    with differences of the first-order gradient. The error is max |analytic - numeric| / max |numeric|, the largest
    over the arguments; a slope below 1e-3 |s| counts as that. Arguments that hold integers are passed on as they are.
    Raises TypeError when f gives no Tensor or no argument holds floats, ValueError when f is random.
    """
    if order not in (1, 2):
        raise ValueError(f"gradcheck: order={order}; want 1 or 2")
    leaves = _leaves(xs)
    if not any(isinstance(x, Tensor) for x in leaves):
        raise TypeError("gradcheck: no argument holds floats, so there is nothing to differentiate")
    s = _paired(f) if order == 1 else _slope(_paired(f))
    y = s(leaves)
    if not np.array_equal(y.data, s(leaves).data, equal_nan=True):
        raise ValueError(
            "gradcheck: f gave two values for one input; let it make its generator anew in each call"
        )
    errors = []
    for x, analytic in zip(_floats(leaves), gradients(y, _floats(leaves)), strict=True):
        numeric = finite_difference(_along(s, leaves, x), x.data, eps)
        errors.append(relative_error(analytic.data, numeric, floor=1e-3 * abs(y.item())))
    return float(np.max(errors))


def relative_error(a, b, floor=0.0):
    """max |a - b| / max |b|, or 0 where a = b; NaN if either holds NaN. Raises ValueError for different shapes."""
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    if a.shape != b.shape:
        raise ValueError(
            f"shapes {a.shape} and {b.shape} differ, so there is nothing to compare; want one shape"
        )
    off, scale = np.max(np.abs(a - b), initial=0.0), max(np.max(np.abs(b), initial=0.0), floor)
    return 0.0 if off == 0 else float(off / scale) if scale != 0 else float("inf")


def _leaves(xs):
    """Float arrays as float64 Tensors to differentiate; anything else as it is."""
    arrays = [np.asarray(x.data if isinstance(x, Tensor) else x) for x in xs]
    return [
        Tensor(x.astype(np.float64), requires_grad=True) if x.dtype.kind == "f" else x
        for x in arrays
    ]


def _floats(leaves):
    return [x for x in leaves if isinstance(x, Tensor)]


def _paired(f):
    """leaves → <f(*leaves), v>, with a v that depends on nothing but the shape of f."""

    def s(leaves, create_graph=True):
        y = f(*leaves)
        if isinstance(y, tuple | list):  # as of np.split, or np.linalg.eigh
            y = np.concatenate([np.ravel(part) for part in y])
        if not isinstance(y, Tensor):
            raise TypeError(
                f"gradcheck: f gave {type(y).__name__}, not a Tensor: it left NumPy on the way (.data, float(), math)"
            )
        return np.sum(y * np.random.default_rng(0).normal(size=y.shape))

    return s


def _slope(s):
    """leaves → <grad s, u>: the derivative of s along a fixed random direction."""

    def along(leaves, create_graph=True):
        rng = np.random.default_rng(1)
        found = gradients(s(leaves), _floats(leaves), create_graph=create_graph)
        return sum(np.sum(g * rng.normal(size=g.shape)) for g in found)

    return along


def _along(s, leaves, x):
    """s as a function of the array in one leaf alone."""
    return lambda value: s(
        _leaves([value if leaf is x else leaf for leaf in leaves]), create_graph=False
    )


# PyTorch --------------------------------------------------------------------------------------------------------------


def has_torch():
    """Whether PyTorch is installed; without it, comparisons are left out and everything else runs."""
    return importlib.util.find_spec("torch") is not None


def _torch():
    if not has_torch():
        raise ImportError(
            "PyTorch, to compare with, is not installed: pip install torch, or ask verify.has_torch()"
        )
    import torch

    return torch


def against_torch(layer, torch_layer, *inputs):
    """How far a layer (or function) is from its PyTorch twin: {"output": e, "input0": e, parameter name: e, ...}.

    Each e is max |ours - theirs| / max |theirs|, in float64: of the output, of the gradients of sum(output * v) for a
    random v, and of the buffers after the call. Both are copied; the copy of PyTorch's gets our weights by name.
    Raises ImportError without PyTorch, ValueError when names or shapes differ.
    """
    torch = _torch()
    ours, theirs = _doubled(layer, torch_layer)
    xs = _leaves(inputs)
    zs = [
        torch.tensor(x.data if isinstance(x, Tensor) else x, requires_grad=isinstance(x, Tensor))
        for x in xs
    ]
    y, z = ours(*xs), theirs(*zs)
    errors = {"output": relative_error(y.data, z.detach().numpy())}
    v = np.random.default_rng(0).normal(size=y.shape)
    y.backward(v)
    z.backward(torch.tensor(v))
    pairs = {f"input{i}": (x.grad, zs[i].grad) for i, x in enumerate(xs) if isinstance(x, Tensor)}
    if hasattr(ours, "named_parameters"):
        twins = dict(theirs.named_parameters())
        pairs |= {name: (p.grad, twins[name].grad) for name, p in ours.named_parameters()}
        buffers = theirs.state_dict()
        pairs |= {
            name: (b, buffers[name]) for name, b in ours.state_dict().items() if name not in pairs
        }
    return errors | {
        name: relative_error(_filled(a, b), _filled(b, a)) for name, (a, b) in pairs.items()
    }


def _filled(a, other):
    """A gradient that was never written is zero, which counts as a difference unless the other one is, too."""
    return (
        np.zeros(other.shape)
        if a is None and other is not None
        else 0.0
        if a is None
        else np.asarray(a)
    )


def _doubled(layer, torch_layer):
    """Copies of the twins in float64, with the same weights and mode; functions as they are."""
    if not hasattr(layer, "named_parameters"):
        return layer, torch_layer
    ours, theirs = layer.copy(), copy.deepcopy(torch_layer).double()
    ours = ours.astype(np.float64) or ours
    ours.zero_grad()
    theirs.zero_grad()
    theirs.train(ours.training)
    _copy_weights(ours, theirs)
    return ours, theirs


def _copy_weights(ours, theirs):
    """Our parameters and buffers into the PyTorch module's, by name."""
    torch, target = _torch(), theirs.state_dict()
    state = {name: np.asarray(value) for name, value in ours.state_dict().items()}
    missing = {name for name, _ in theirs.named_parameters()} ^ {
        name for name, _ in ours.named_parameters()
    }
    if missing or not state.keys() <= target.keys():
        raise ValueError(
            f"the twins have different names: ours {sorted(state)}, PyTorch's {sorted(target)}; want the same model in both"
        )
    for name, value in state.items():
        if value.shape != tuple(target[name].shape):
            raise ValueError(
                f"{name}: ours has shape {value.shape}, PyTorch's {tuple(target[name].shape)}"
            )
    with torch.no_grad():
        for name, value in state.items():
            target[name].copy_(torch.tensor(value))


def trajectory(model, torch_model, optimizer, torch_optimizer, loss, torch_loss, batches):
    """|loss - PyTorch's loss| at each step of training both on the same batches, from the same weights: (steps,).

    PyTorch's model gets our weights by name. batches: an iterable of (X, y). Raises ValueError when the dtypes differ.
    """
    torch = _torch()
    _copy_weights(model, torch_model)
    dtype = next(iter(model.parameters())).dtype
    theirs = next(torch_model.parameters()).dtype
    if str(theirs) != f"torch.{dtype}":
        raise ValueError(
            f"our model is {dtype}, PyTorch's {theirs}; make both float64: .astype('float64'), .double()"
        )
    gaps = []
    for batch in batches:
        X, y = (np.asarray(a, dtype if np.asarray(a).dtype.kind == "f" else None) for a in batch)
        ours = _step(model, optimizer, loss, X, y)
        gaps.append(
            abs(
                ours
                - _step(torch_model, torch_optimizer, torch_loss, torch.tensor(X), torch.tensor(y))
            )
        )
    return np.array(gaps)


def _step(model, optimizer, loss, X, y):
    """One step of training, in the words that both libraries share; returns the loss."""
    optimizer.zero_grad()
    value = loss(model(X), y)
    value.backward()
    optimizer.step()
    return value.item()
