"""Activations and losses in float32 are the right numbers to a few units in the last place, at every magnitude and at ±∞.

The right numbers are textbook formulas in 80 digits. A unit (ulp) is that of the right number, or what half a unit of the
input makes of it, if that is more: no formula can do better than the numbers that it is given.
`python -m tests.functional.test_precision` prints the table of the worst errors.
"""

import numpy as np
import pytest

from dlscratch import functional as F

mp = pytest.importorskip("mpmath")
mp.mp.dps = 80

WORST = 6  # ulps
TINY = float(np.finfo(np.float32).tiny)  # numbers below are not held to so many digits
FAR = np.concatenate(
    [np.geomspace(1e-30, 1e-3, 28), np.geomspace(2e-3, 30, 400), np.geomspace(32, 1e30, 60)]
)
GRID = np.concatenate([-FAR[::-1], [0], FAR]).astype(np.float32)


def _log1p_exp(x):
    return mp.log1p(mp.exp(x)) if x < 200 else x


def _sigmoid(x):
    return 1 / (1 + mp.exp(-x)) if x > -1e5 else mp.mpf(0)


def _gelu_tanh(x):
    return x * _sigmoid(2 * mp.sqrt(2 / mp.pi) * (x + mp.mpf("0.044715") * x**3))


def _normal(x):
    return mp.ncdf(x) if abs(x) < 1e3 else mp.mpf(x > 0)


def _elu(x, alpha=1):
    return x if x > 0 else alpha * mp.expm1(x) if x > -1e5 else -mp.mpf(alpha)


ENTRYWISE = {  # name: (ours, the formula, the limits of value and slope at -∞ and ∞)
    "relu": (F.relu, lambda x: max(x, 0), (0, np.inf), (0, 1)),
    "leaky_relu": (F.leaky_relu, lambda x: x if x > 0 else x / 100, (-np.inf, np.inf), (0.01, 1)),
    "prelu": (
        lambda x: F.prelu(x, np.full(1, 0.25, "float32")),
        lambda x: x if x > 0 else x / 4,
        (-np.inf, np.inf),
        (0.25, 1),
    ),
    "elu": (F.elu, _elu, (-1, np.inf), (0, 1)),
    "selu": (
        F.selu,
        lambda x: 1.0507009873554805 * _elu(x, 1.6732632423543772),
        (-1.7580993408473766, np.inf),
        (0, 1.0507009873554805),
    ),
    "hardtanh": (F.hardtanh, lambda x: min(max(x, -1), 1), (-1, 1), (0, 0)),
    "sigmoid": (F.sigmoid, _sigmoid, (0, 1), (0, 0)),
    "tanh": (F.tanh, lambda x: mp.tanh(x) if abs(x) < 1e5 else mp.sign(x), (-1, 1), (0, 0)),
    "logsigmoid": (F.logsigmoid, lambda x: -_log1p_exp(-x), (-np.inf, 0), (1, 0)),
    "softplus": (lambda x: F.softplus(x, threshold=1e30), _log1p_exp, (0, np.inf), (0, 1)),
    "gelu": (F.gelu, lambda x: x * _normal(x), (0, np.inf), (0, 1)),
    "gelu, tanh": (lambda x: F.gelu(x, approximate="tanh"), _gelu_tanh, (0, np.inf), (0, 1)),
    "silu": (F.silu, lambda x: x * _sigmoid(x), (0, np.inf), (0, 1)),
    "mish": (F.mish, lambda x: x * mp.tanh(_log1p_exp(x)), (0, np.inf), (0, 1)),
    "glu, gate": (
        lambda x: F.glu(np.stack([np.ones(len(x), "float32"), x], axis=-1))[:, 0],
        _sigmoid,
        (0, 1),
        (0, 0),
    ),
    **{
        f"binary_cross_entropy_with_logits, t = {t}": (
            lambda x, t=t: F.binary_cross_entropy_with_logits(
                x, np.full(x.shape, t, "float32"), reduction="none"
            ),
            lambda x, t=t: t * _log1p_exp(-x) + (1 - t) * _log1p_exp(x),
            (np.inf if t else 0, np.inf if t < 1 else 0),
            (-t, 1 - t),
        )
        for t in (0, 0.25, 1)
    },
    **{
        f"cross_entropy of 2 classes, {name}": (
            lambda x, options=options: F.cross_entropy(
                np.stack([np.zeros(len(x), "float32"), x], axis=1),
                np.zeros(len(x), int),
                reduction="none",
                **options,
            ),
            lambda x: _log1p_exp(x),
            None,
            None,
        )
        for name, options in {"fast": {}, "weighted": {"weight": np.ones(2)}}.items()
    },
    "log_softmax of 2 classes": (
        lambda x: F.log_softmax(np.stack([np.zeros(len(x), "float32"), x], axis=1))[:, 0],
        lambda x: -_log1p_exp(x),
        None,
        None,
    ),
    "softmax of 2 classes": (
        lambda x: F.softmax(np.stack([np.zeros(len(x), "float32"), x], axis=1))[:, 0],
        lambda x: _sigmoid(-x),
        None,
        None,
    ),
    "nll_loss": (
        lambda x: F.nll_loss(
            F.log_softmax(np.stack([np.zeros(len(x), "float32"), x], axis=1)),
            np.zeros(len(x), int),
            reduction="none",
        ),
        _log1p_exp,
        None,
        None,
    ),
    "focal_loss": (
        lambda x: F.focal_loss(
            np.stack([np.zeros(len(x), "float32"), x], axis=1),
            np.zeros(len(x), int),
            reduction="none",
        ),
        lambda x: _sigmoid(x) ** 2 * _log1p_exp(x),
        None,
        None,
    ),
    "ctc_loss of one symbol": (
        lambda x: F.ctc_loss(
            F.log_softmax(np.stack([x, np.zeros(len(x), "float32")], axis=1)[None]),
            np.ones((len(x), 1), int),
            np.ones(len(x), int),
            np.ones(len(x), int),
            reduction="none",
        ),
        _log1p_exp,
        None,
        None,
    ),
}
