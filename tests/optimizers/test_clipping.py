"""Clipping is PyTorch's, for any parameters."""

import math

import numpy as np
import pytest

from dlscratch import optimizers

from .twins import backward, batches, small, torch_backward, twins


@pytest.mark.parametrize(
    "limit, kind", [(0.1, 2.0), (100.0, 2.0), (0.1, 1.0), (0.05, float("inf"))]
)
def test_clipping_equals_torchs(limit, kind):
    torch = pytest.importorskip("torch")
    ours, theirs = twins()
    backward(ours, *batches(1)[0]), torch_backward(theirs, *batches(1)[0])
    norm = optimizers.clip_grad_norm_(ours.parameters(), limit, kind)
    assert norm == pytest.approx(
        torch.nn.utils.clip_grad_norm_(theirs.parameters(), limit, kind).item(), rel=1e-12
    )
    for p, q in zip(ours.parameters(), theirs.parameters(), strict=True):
        np.testing.assert_allclose(p.grad, q.grad.numpy(), rtol=1e-10)
    (
        optimizers.clip_grad_value_(ours.parameters(), 0.01),
        torch.nn.utils.clip_grad_value_(theirs.parameters(), 0.01),
    )
    for p, q in zip(ours.parameters(), theirs.parameters(), strict=True):
        np.testing.assert_allclose(p.grad, q.grad.numpy(), rtol=1e-10)


def test_clipping_refuses_a_gradient_that_is_not_finite():
    ours, _ = twins()
    backward(ours, *batches(1)[0])
    g = ours.parameters().dtheta
    g[3] = math.nan
    before = g.copy()
    with pytest.raises(RuntimeError, match="norm is nan; want a finite one"):
        optimizers.clip_grad_norm_(ours.parameters(), 1.0, error_if_nonfinite=True)
    np.testing.assert_array_equal(g, before)


PICK = {
    "some": lambda m, other: [m[0].weight, m[2].bias],
    "one": lambda m, other: m[2].weight,
    "groups": lambda m, other: (
        optimizers.SGD(
            [dict(params=[p for p in m.parameters() if p.ndim > 1]), dict(params=[m[0].bias])]
        ).parameters
    ),
    "two models": lambda m, other: [*m.parameters(), *other.parameters()],
    "a generator": lambda m, other: (p for p in [*other.parameters(), m[0].bias]),
}


@pytest.mark.parametrize("pick", PICK)
@pytest.mark.parametrize("limit, kind", [(0.1, 2.0), (0.1, 1.0), (0.05, math.inf)])
@pytest.mark.parametrize("bad", [None, math.nan, math.inf])
def test_clipping_any_parameters_equals_torchs(pick, limit, kind, bad):
    """One that is not finite spoils all that are clipped with it, as in PyTorch, and no other."""
    torch = pytest.importorskip("torch")
    pairs = [twins(), twins()]
    for ours, theirs in pairs:
        backward(ours, *batches(1)[0]), torch_backward(theirs, *batches(1)[0])
        ours[0].weight.grad = None
        theirs[0].weight.grad = None
        if bad is not None:
            ours[2].bias.grad[1] = bad
            theirs[2].bias.grad[1] = bad
    (ours, theirs), (more, other) = pairs
    chosen = PICK[pick](ours, more)
    ids = (
        {id(p) for p in ([chosen] if pick == "one" else chosen)} if pick != "a generator" else None
    )
    if ids is None:
        ids = {id(p) for p in PICK[pick](ours, more)}
    match = [(p, q) for a, b in pairs for p, q in zip(a.parameters(), b.parameters(), strict=True)]
    of_torch = [q for p, q in match if id(p) in ids]
    norm = optimizers.clip_grad_norm_(chosen, limit, kind)
    expected = torch.nn.utils.clip_grad_norm_(of_torch, limit, kind).item()
    np.testing.assert_allclose(norm, expected, rtol=1e-12)
    for p, q in match:
        assert (p.grad is None) == (q.grad is None)
        if p.grad is not None:
            np.testing.assert_allclose(p.grad, q.grad.numpy(), rtol=1e-10)
    assert not ours.parameters().dtheta[:42].any(), "where there is no gradient zeros stay"


def test_numbers_of_numpy_leave_float32():
    model = small().astype("float32")
    backward(model, batches(1)[0][0].astype("float32"), batches(1)[0][1])
    assert type(optimizers.clip_grad_norm_(model.parameters(), np.float64(0.1))) is float
    optimizers.clip_grad_value_(list(model.parameters()), np.float64(0.01))
    assert all(p.grad.dtype == "float32" for p in model.parameters())


def test_nothing_to_clip_is_a_norm_of_zero():
    assert optimizers.clip_grad_norm_(small().parameters(), 1.0) == 0.0
    assert optimizers.clip_grad_norm_([], 1.0, math.inf) == 0.0


@pytest.mark.parametrize(
    "call, error, message",
    [
        (lambda m: optimizers.clip_grad_norm_(m, 1.0), TypeError, "pass model.parameters()"),
        (
            lambda m: optimizers.clip_grad_norm_(m.parameters(), 0),
            ValueError,
            "expected max_norm > 0",
        ),
        (lambda m: optimizers.clip_grad_value_(m.parameters(), -1), ValueError, "clip_value > 0"),
    ],
)
def test_bad_input(call, error, message):
    with pytest.raises(error, match=message):
        call(small())
