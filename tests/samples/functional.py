"""Samples for the operations of deep learning: fast gradients at order 1, the textbook's at 2."""

import numpy as np

from dlscratch import functional as F
from dlscratch.functional.activations import erf

from .case import case, within

__all__ = ["SAMPLES"]

_classes = np.array([2, 0, 1, 2])


def _targets(x):
    """Soft targets between 0 and 1, of the shape of x."""
    return np.linspace(0, 1, x.size, dtype=x.dtype).reshape(x.shape)


def _batch_norm(x, *parameters):
    return F.batch_norm(x, None, None, *parameters, training=True)


def _trained_batch_norm(x, *parameters):
    return F.batch_norm(
        x, np.array([0.5, 0, -1], x.dtype), np.array([1, 2, 0.5], x.dtype), *parameters
    )


SAMPLES = [
    case(erf.__wrapped__, (2, 3), f=erf, label="erf", smooth=True),
    *(case(f, (2, 4), smooth=True) for f in (F.sigmoid, F.tanh, F.gelu, F.softmax, F.log_softmax)),
    case(F.relu, (2, 4)),
    *(case(f, (2, 4), smooth=True) for f in (F.silu, F.mish, F.softplus, F.logsigmoid)),
    case(F.softplus, (2, 4), beta=2.0, smooth=True),
    case(F.elu, (2, 4), alpha=0.7),
    case(F.leaky_relu, (2, 4), negative_slope=0.2),
    case(F.gelu, (2, 4), approximate="tanh", smooth=True),
    case(F.softmax, (3, 2), axis=0),
    case(F.log_softmax, (3, 2), axis=0),
    case(F.linear, (2, 3), (4, 3), (4,)),
    case(F.linear, (2, 2, 3), (2, 3)),
    case(F.linear, (3,), (2, 3), (2,)),
    case(F.rnn, (2, 3, 2), (2, 3), (3, 2), (3, 3), (3,), (3,), smooth=True),
    case(F.lstm, (2, 3, 2), (2, 2), (2, 2), (8, 2), (8, 2), (8,), (8,), smooth=True),
    case(F.gru, (2, 3, 2), (2, 2), (6, 2), (6, 2), (6,), (6,), smooth=True),
    case(F.scaled_dot_product_attention, (2, 3, 2), (2, 4, 2), (2, 4, 3), smooth=True),
    case(F.tiled_attention, (2, 5, 2), (2, 5, 2), (2, 5, 3), is_causal=True, block=2, smooth=True),
    case(F.tiled_attention, (2, 3, 2), (2, 5, 2), (2, 5, 3), (3, 5), block=2, smooth=True),
    case(F.conv2d, (2, 2, 4, 3), (2, 2, 3, 2), (2,), padding=1),
    case(F.conv2d, (1, 2, 5, 4), (2, 2, 2, 2), stride=2, padding=(0, 1)),
    case(F.conv2d, (1, 4, 5, 3), (2, 2, 2, 2), (2,), dilation=(2, 1), groups=2),
    case(
        F.conv_transpose2d,
        (1, 2, 3, 2),
        (2, 2, 2, 3),
        (2,),
        stride=2,
        padding=1,
        output_padding=(1, 0),
    ),
    case(F.conv_transpose2d, (2, 4, 2, 2), (4, 1, 2, 2), dilation=2, groups=2),
    case(F.unfold, (1, 2, 4, 3), args=(2,), smooth=True, padding=1, stride=2),
    case(F.fold, (1, 8, 6), args=((4, 3), 2), smooth=True),
    case(F.max_pool2d, (2, 2, 4, 4), args=(2,)),
    case(F.max_pool2d, (1, 4, 3), args=(3,), stride=2, padding=1),
    case(F.max_pool2d, (1, 4, 5), args=(2,), stride=3, ceil_mode=True),
    case(
        F.max_pool2d,
        (1, 2, 5, 3),
        f=lambda x: F.max_pool2d(x, 3, stride=(2, 1)),
        label="overlapping",
    ),
    case(F.avg_pool2d, (1, 2, 4, 5), args=(2,)),
    case(F.interpolate, (1, 2, 3, 2), scale_factor=2, mode="bilinear"),
    case(F.normalize, (3, 4)),
    case(F.cosine_similarity, (3, 4), (3, 4)),
    case(F.layer_norm, (3, 4), (4,), (4,), f=lambda x, *p: F.layer_norm(x, 4, *p)),
    case(F.layer_norm, (2, 2, 3), args=((2, 3),)),
    case(F.batch_norm, (4, 3), (3,), (3,), f=_batch_norm),
    case(F.batch_norm, (2, 2, 2, 2), (2,), (2,), f=_batch_norm),
    case(
        F.batch_norm,
        (2, 3, 2),
        (3,),
        (3,),
        f=_trained_batch_norm,
        label="in evaluation",
        smooth=True,
    ),
    case(F.mse_loss, (2, 3), (2, 3)),
    case(
        F.binary_cross_entropy,
        (2, 3),
        draw=within(0.1, 0.9),
        f=lambda p: F.binary_cross_entropy(p, _targets(p)),
    ),
    case(F.gaussian_nll_loss, (2, 3), (2, 3), (2, 3), draw=within(0.5, 2)),
    *(
        case(F.cross_entropy, (4, 3), args=(_classes,), reduction=r)
        for r in ("mean", "sum", "none")
    ),
    case(F.cross_entropy, (2, 3, 2), args=(_classes.reshape(2, 2),)),
    case(
        F.binary_cross_entropy_with_logits,
        (2, 3),
        f=lambda z: F.binary_cross_entropy_with_logits(z, _targets(z)),
    ),
    case(
        F.binary_cross_entropy_with_logits,
        (5,),
        draw=within(30, 60),
        f=lambda z: F.binary_cross_entropy_with_logits(z, _targets(z)),
    ),
    case(F.dropout, (3, 4), f=lambda x: F.dropout(x, 0.5, rng=0), label="p = 0.5, one draw"),
]
