"""A batch of no examples gives an output of no examples and gradients of 0, as in PyTorch."""

import numpy as np
import pytest

from dlscratch import Tensor, layers

LAYERS = {  # arguments, options, shape of x
    "Linear": ((3, 4), {}, (0, 3)),
    "Linear of sequences": ((3, 4), {}, (0, 5, 3)),
    "Flatten": ((), {}, (0, 3, 4)),
    "Dropout": ((0.5,), {}, (0, 3)),
    "Conv1d": ((4, 6, 3), {"groups": 2, "padding": 1}, (0, 4, 8)),
    "Conv1d of the same size": ((4, 6, 3), {"padding": "same"}, (0, 4, 8)),
    "Conv2d": ((4, 6, 3), {"stride": 2, "dilation": 2}, (0, 4, 8, 8)),
    "Conv2d of one pixel": ((4, 6, 1), {}, (0, 4, 8, 8)),
    "Conv2d, reflected": ((4, 6, 3), {"padding": 1, "padding_mode": "reflect"}, (0, 4, 8, 8)),
    "ConvTranspose1d": ((4, 6, 3), {"groups": 2}, (0, 4, 8)),
    "ConvTranspose2d": ((4, 6, 3), {"stride": 2, "output_padding": 1}, (0, 4, 8, 8)),
    "MaxPool1d": ((2,), {}, (0, 3, 8)),
    "MaxPool2d": ((3, 2, 1), {}, (0, 3, 8, 8)),
    "AvgPool1d": ((2,), {}, (0, 3, 8)),
    "AvgPool2d": ((2,), {"ceil_mode": True}, (0, 3, 7, 7)),
    "AdaptiveAvgPool1d": ((2,), {}, (0, 3, 8)),
    "AdaptiveAvgPool2d": ((2,), {}, (0, 3, 8, 8)),
    "Upsample": ((), {"scale_factor": 2}, (0, 3, 8, 8)),
    "Upsample, bilinear": ((), {"scale_factor": 2, "mode": "bilinear"}, (0, 3, 8, 8)),
    "Upsample, exact": ((), {"size": 5, "mode": "nearest-exact"}, (0, 3, 8)),
    "PixelShuffle": ((2,), {}, (0, 4, 8, 8)),
    "RNN": ((3, 4), {"batch_first": True, "num_layers": 2}, (0, 5, 3)),
    "LSTM": ((3, 4), {"batch_first": True, "bidirectional": True}, (0, 5, 3)),
    "LSTM, projected": ((3, 4), {"proj_size": 2}, (5, 0, 3)),
    "GRU": ((3, 4), {}, (5, 0, 3)),
    "RNNCell": ((3, 4), {}, (0, 3)),
    "LSTMCell": ((3, 4), {}, (0, 3)),
    "GRUCell": ((3, 4), {}, (0, 3)),
}


def flat(results):
    return [y for r in results for y in flat(r)] if isinstance(results, tuple) else [results]


@pytest.mark.filterwarnings("ignore:LSTM with projections", "ignore:Using padding='same'")
@pytest.mark.parametrize("case", LAYERS)
def test_shapes_and_gradients_are_those_of_torch(case):
    torch = pytest.importorskip("torch")
    args, options, shape = LAYERS[case]
    name = case.split(",")[0].split(" ")[0]
    ours, theirs = (
        getattr(layers, name)(*args, **options),
        getattr(torch.nn, name)(*args, **options),
    )
    x = Tensor(np.zeros(shape, "float32"), requires_grad=True)
    found = flat(ours(x))
    wanted = flat(theirs(torch.zeros(shape)))
    assert [y.shape for y in found] == [tuple(z.shape) for z in wanted]
    sum(np.sum(y) for y in found).backward()
    assert x.grad.shape == shape
    for _, p in ours.named_parameters():
        assert not np.any(p.grad), "nothing was learned from nothing"


@pytest.mark.parametrize("need_weights", [True, False])
@pytest.mark.parametrize("mask", [None, np.tri(5, dtype=bool)])
def test_attention(need_weights, mask):
    layer = layers.MultiheadAttention(8, 2, batch_first=True, rng=0)
    x = Tensor(np.zeros((0, 5, 8), "float32"), requires_grad=True)
    y, weights = layer(x, x, x, need_weights=need_weights, attn_mask=mask)
    np.sum(y).backward()
    assert y.shape == x.grad.shape == (0, 5, 8)
    assert weights is None or weights.shape == (0, 5, 5)
    assert not any(np.any(p.grad) for _, p in layer.named_parameters())


def test_embedding():
    layer = layers.Embedding(5, 3, padding_idx=1, scale_grad_by_freq=True, max_norm=1.0, rng=0)
    y = layer(np.zeros((0, 4), int))
    np.sum(y).backward()
    assert y.shape == (0, 4, 3) and not layer.weight.grad.any()
