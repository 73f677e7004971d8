"""Clipping is PyTorch's, for any parameters."""

import math

import numpy as np
import pytest

from dlscratch import optimizers

from .twins import backward, batches, torch_backward, twins


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
