"""Hooks equal PyTorch's: what they are given, what they change, and that they can be removed."""

import numpy as np
import pytest

from dlscratch import Tensor, grad, layers
from dlscratch.layers import Linear, Module, Sequential

x = np.random.default_rng(0).normal(size=(4, 3))


class Product(Module):
    """A module of two inputs and two outputs, and an option."""

    def __init__(self, inner):
        self.inner = inner

    def forward(self, a, b, shift=0.0):
        return self.inner(a) * b + shift, a + b


def pair():
    """Equal models, ours and PyTorch's, of float64."""
    torch = pytest.importorskip("torch")

    class Twin(torch.nn.Module):
        def __init__(self, inner):
            super().__init__()
            self.inner = inner

        forward = Product.forward

    ours, theirs = (
        Product(Linear(3, 3, rng=0).astype("float64")),
        Twin(torch.nn.Linear(3, 3).double()),
    )
    theirs.load_state_dict({k: torch.tensor(v) for k, v in ours.state_dict().items()})
    return ours, theirs


def run(model, make):
    a, b = (make(v) for v in (x, 2 * x[::-1].copy()))
    y, z = model(a, b, shift=0.5)
    ((y * y).sum() + (z * z * z).sum()).backward()
    return [
        *(np.asarray(v.detach()) for v in (y, z)),
        *map(np.asarray, (a.grad, b.grad, model.inner.weight.grad)),
    ]


def both(register):
    """The results of both models, after `register(model, seen)` gave each its hooks."""
    torch, results = pytest.importorskip("torch"), []
    for model, make in zip(
        pair(),
        (lambda v: Tensor(v, requires_grad=True), lambda v: torch.tensor(v, requires_grad=True)),
    ):
        seen = []
        handles = register(model, seen)
        got = run(model, make)
        flat = [
            np.asarray(v.detach() if hasattr(v, "detach") else v)
            for group in seen
            for v in group
            if v is not None
        ]
        count = len(seen)
        for handle in handles:
            handle.remove()
        run(model, make)
        assert len(seen) == count > 0, "removed hooks are not called"
        results.append(got + flat)
    for ours, theirs in zip(*results, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-12)


def test_hooks_around_forward_equal_torch():
    def register(model, seen):
        def before(module, inputs):
            seen.append(inputs)
            return inputs[0] * 2, inputs[1]

        def after(module, inputs, y):
            seen.append((*inputs, *y))
            return y[0] - 1, y[1]

        inner = lambda module, inputs: (
            seen.append(inputs) or inputs[0] + 1
        )  # one input, not in a tuple
        return [
            model.register_forward_pre_hook(before),
            model.register_forward_hook(after),
            model.inner.register_forward_pre_hook(inner),
        ]

    both(register)


def test_backward_hooks_equal_torch():
    def register(model, seen):
        def all_of_it(module, grad_input, grad_output):
            seen.append((*grad_input, *grad_output))
            return grad_input[0] * 3, grad_input[1] + 1

        def inner(module, grad_input, grad_output):
            seen.append((*grad_input, *grad_output))

        return [
            model.register_full_backward_hook(all_of_it),
            model.inner.register_full_backward_hook(inner),
        ]

    both(register)


def test_a_backward_hook_without_an_input_that_needs_gradients():
    layer, seen = Linear(3, 2, rng=0), []
    layer.register_full_backward_hook(
        lambda module, before, after: seen.append((before, after[0].shape))
    )
    layer(x.astype("float32")).sum().backward()
    assert seen == [((None,), (4, 2))]


def test_gradients_of_gradients_pass_backward_hooks():
    layer = layers.Tanh()
    slope = lambda x: grad(lambda x: np.sum(layer(x)))(x)
    plain = grad(lambda x: np.sum(slope(x)))(x).data
    layer.register_full_backward_hook(lambda module, before, after: (2 * before[0],))
    np.testing.assert_allclose(
        grad(lambda x: np.sum(slope(x) / 2))(x).data, 2 * plain, rtol=1e-12
    )  # the outer walk passes it, too


def test_a_backward_hook_leaves_dtypes_as_they_are():
    a, b = (Tensor(x.astype(dtype), requires_grad=True) for dtype in ("float32", "float64"))
    model = Product(layers.Tanh())
    model.register_full_backward_hook(lambda module, before, after: None)
    model.inner.register_full_backward_hook(lambda module, before, after: None)
    y, _ = model(a, b)
    y.sum().backward()
    assert (
        y.dtype == np.float64
        and model.inner(a).dtype == a.grad.dtype == np.float32
        and model(b, a)[1].dtype == np.float64
    )
    inputs = []
    model.register_forward_hook(lambda module, given, y: inputs.append([v.dtype for v in given]))
    model(a, b)
    assert inputs == [[np.float32, np.float64]]


@pytest.mark.parametrize("new", [lambda g: (g, g), lambda g: (), lambda g: g[:2]])
def test_a_backward_hook_that_returns_other_gradients_says_so(new):
    layer = layers.Tanh()
    layer.register_full_backward_hook(lambda module, before, after: new(before[0]))
    with pytest.raises(ValueError, match=r"hook of Tanh.*want \[\(4, 3\)\]"):
        layer(Tensor(x, requires_grad=True)).sum().backward()


def test_a_gradient_that_comes_past_the_outputs_tells_of_none():
    layer, seen = layers.LSTM(3, 4, rng=0).astype("float64"), []
    layer.register_full_backward_hook(
        lambda module, before, after: seen.append((before[0].shape, [g is None for g in after]))
    )
    inputs = Tensor(x[:, None], requires_grad=True)
    y, (h, _) = layer(inputs)  # hooks see the outputs in the tuple, (h, c) is none
    np.sum(h).backward(retain_graph=True)
    np.sum(y).backward(retain_graph=True)
    np.sum(h).backward()
    assert seen == [((4, 1, 3), [past, True]) for past in (True, False, True)]
    silent = layers.Tanh()
    silent.forward = lambda x: None
    silent.register_full_backward_hook(lambda module, before, after: None)
    assert silent(inputs) is None


def test_hooks_are_called_in_turn_and_travel_with_copies():
    model, seen = Sequential(layers.Tanh()), []
    model.register_forward_hook(lambda m, i, y: seen.append(1) or y * 2)
    handle = model.register_forward_hook(lambda m, i, y: seen.append(2) or y + 1)
    np.testing.assert_allclose(model.copy()(x), np.tanh(x) * 2 + 1)
    handle.remove(), handle.remove()
    np.testing.assert_allclose(model(x), np.tanh(x) * 2)
    assert seen == [1, 2, 1]


def test_bad_input():
    for kind in ("forward_pre", "forward", "full_backward"):
        with pytest.raises(TypeError, match="a hook of type int; want a function"):
            getattr(layers.Tanh(), f"register_{kind}_hook")(3)
