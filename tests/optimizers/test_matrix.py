"""Adafactor and Muon follow PyTorch's trajectories, LAMB and Shampoo their papers'."""

import numpy as np
import pytest

from dlscratch import optimizers

from .twins import pseudocode, run_together, trajectory, twins

CASES = [
    ("Adafactor", dict()),
    ("Adafactor", dict(lr=0.1, beta2_decay=-0.5, eps=(0.0001, 0.01), d=1.5, weight_decay=0.1)),
]


@pytest.mark.parametrize("name, options", CASES, ids=str)
def test_trajectory_equals_torch(name, options):
    assert trajectory(name, options) <= 1e-8


def exact(monkeypatch):
    """PyTorch's Muon computes Newton-Schulz in bfloat16; here in the parameters' precision."""
    torch = pytest.importorskip("torch")
    monkeypatch.setattr(torch.Tensor, "bfloat16", torch.Tensor.clone)
    return torch


@pytest.mark.parametrize(
    "options",
    [
        {},
        dict(lr=0.02, nesterov=False, momentum=0.8, ns_steps=3, weight_decay=0.0),
        dict(lr=0.02, adjust_lr_fn="match_rms_adamw"),
    ],
    ids=str,
)
def test_muon_on_matrices_and_adamw_on_the_rest_equal_torch(monkeypatch, options):
    torch = exact(monkeypatch)
    ours, theirs = twins()
    mine = [
        optimizers.Muon([p for p in ours.parameters() if p.ndim == 2], **options),
        optimizers.AdamW([p for p in ours.parameters() if p.ndim != 2]),
    ]
    torchs = [
        torch.optim.Muon([p for p in theirs.parameters() if p.ndim == 2], **options),
        torch.optim.AdamW([p for p in theirs.parameters() if p.ndim != 2]),
    ]
    assert run_together(ours, theirs, mine, torchs) <= 1e-8


@pytest.mark.parametrize("shape", [(5, 5), (3, 8), (8, 3)])
def test_orthogonalize(shape):
    G = np.random.default_rng(0).normal(size=shape)
    U, _, V = np.linalg.svd(G, full_matrices=False)
    O = optimizers.orthogonalize(G)
    assert O.shape == shape and np.all(np.abs(np.linalg.svd(O, compute_uv=False) - 0.95) < 0.35)
    np.testing.assert_allclose(
        U.T @ O @ V.T, np.diag(np.diag(U.T @ O @ V.T)), atol=1e-9
    )  # the same singular vectors
    cubic = optimizers.orthogonalize(
        G, (1.5, -0.5, 0.0), steps=40
    )  # the classic Newton-Schulz goes all the way
    np.testing.assert_allclose(cubic, U @ V, atol=1e-9)


def lamb(W, lr=0.01, b1=0.9, b2=0.999, eps=1e-6, decay=0.1):
    m, v, t = [0.0] * len(W), [0.0] * len(W), 0
    while True:
        G = yield W
        t, W = t + 1, list(W)
        for i, g in enumerate(G):
            m[i] = b1 * m[i] + (1 - b1) * g
            v[i] = b2 * v[i] + (1 - b2) * g**2
            r = m[i] / (1 - b1**t) / (np.sqrt(v[i] / (1 - b2**t)) + eps) + decay * W[i]
            W[i] = W[i] - lr * np.sqrt((W[i] ** 2).sum()) / np.sqrt((r**2).sum()) * r


def power(S, exponent):
    """By the singular value decomposition: not the way of the package."""
    U, s, _ = np.linalg.svd(S)
    return U @ np.diag(s**exponent) @ U.T


def shampoo(W, lr=0.1, eps=1e-4):
    L = [eps * np.eye(len(w)) for w in W]
    R = [eps * np.eye(w.shape[-1]) for w in W]
    while True:
        G = yield W
        W = list(W)
        for i, g in enumerate(G):
            if g.ndim == 1:  # one axis: the power is -1/2
                L[i] = L[i] + np.outer(g, g)
                W[i] = W[i] - lr * power(L[i], -1 / 2) @ g
            else:
                L[i], R[i] = L[i] + g @ g.T, R[i] + g.T @ g
                W[i] = W[i] - lr * power(L[i], -1 / 4) @ g @ power(R[i], -1 / 4)


@pytest.mark.parametrize(
    "make, reference",
    [
        (lambda m: optimizers.LAMB(m.parameters(), lr=0.01, weight_decay=0.1), lamb),
        (lambda m: optimizers.Shampoo(m.parameters()), shampoo),
    ],
    ids=["LAMB", "Shampoo"],
)
def test_trajectory_equals_the_papers(make, reference):
    assert pseudocode(make, reference) <= 1e-8


def test_shampoo_on_three_axes():
    from dlscratch.layers import Parameter

    rng = np.random.default_rng(0)
    W, G = rng.normal(size=(2, 3, 4)), rng.normal(size=(2, 3, 4))
    w, s = Parameter(W), Parameter(np.array(2.0))
    optimizer = optimizers.Shampoo([w, s], lr=0.5, eps=0.1)
    w.grad, s.grad = G, 3.0
    optimizer.step()
    A, B, C = (
        power(0.1 * np.eye(n) + np.einsum(f"{i},{j}->{i[k]}{j[k]}", G, G), -1 / 6)
        for k, (n, i, j) in enumerate([(2, "abc", "dbc"), (3, "abc", "adc"), (4, "abc", "abe")])
    )
    np.testing.assert_allclose(w.data, W - 0.5 * np.einsum("ai,bj,ck,ijk", A, B, C, G), rtol=1e-10)
    assert s.data == 2.0 - 0.5 * 3.0  # no axis, no matrix
