"""A batch of no examples passes through every model and container, and gives gradients of 0."""

import numpy as np
import pytest

from dlscratch import Tensor, layers, models

none = np.zeros
ids = np.zeros((0, 4), int)
EMPTY = {
    "MLP": (lambda: models.MLP([6, 4, 3], rng=0), [none((0, 6))], (0, 3)),
    "LeNet": (lambda: models.LeNet(rng=0), [none((0, 1, 28, 28))], (0, 10)),
    "ResNet": (
        lambda: models.ResNet((1, 1), (4, 8), 5, rng=0).eval(),
        [none((0, 3, 8, 8))],
        (0, 5),
    ),
    "UNet": (lambda: models.UNet(3, 2, 4, 2, rng=0), [none((0, 3, 8, 8))], (0, 2, 8, 8)),
    "ViT": (lambda: models.ViT(8, 4, 5, width=8, rng=0), [none((0, 3, 8, 8))], (0, 5)),
    "GPT": (lambda: models.GPT(7, 8, width=8, rng=0), [ids], (0, 4, 7)),
    "BERT": (lambda: models.BERT(7, 8, width=8, rng=0), [ids], (0, 4, 7)),
    "LSTMLanguageModel": (lambda: models.LSTMLanguageModel(7, 8, rng=0), [ids], (0, 4, 7)),
    "VAE": (lambda: models.VAE(6, 2, 8, rng=0), [none((0, 6)), 0], (0, 6)),
    "TransformerEncoder": (
        lambda: layers.TransformerEncoder(
            layers.TransformerEncoderLayer(8, 2, 16, batch_first=True, rng=0), 2
        ),
        [none((0, 5, 8))],
        (0, 5, 8),
    ),
    "TransformerDecoder": (
        lambda: layers.TransformerDecoder(
            layers.TransformerDecoderLayer(8, 2, 16, batch_first=True, rng=0), 2
        ),
        [none((0, 5, 8)), none((0, 3, 8))],
        (0, 5, 8),
    ),
    "weight_norm": (lambda: layers.weight_norm(layers.Linear(6, 3)), [none((0, 6))], (0, 3)),
    "spectral_norm": (lambda: layers.spectral_norm(layers.Linear(6, 3)), [none((0, 6))], (0, 3)),
}


@pytest.mark.parametrize("name", EMPTY)
def test_no_examples(name):
    make, inputs, shape = EMPTY[name]
    model = make()
    given = [
        Tensor(x.astype("float32"), requires_grad=True)
        if isinstance(x, np.ndarray) and x.dtype.kind == "f"
        else x
        for x in inputs
    ]
    y = model(*given)
    y = y[0] if isinstance(y, tuple) else y
    assert y.shape == shape and y.dtype == np.float32
    np.sum(y).backward()
    for name, p in model.named_parameters():
        assert p.grad is None or not np.any(p.grad), name
    for x in given:
        assert not isinstance(x, Tensor) or x.grad.shape == x.shape


def test_backward_hooks_see_no_examples():
    layer, seen = layers.Tanh(), []
    layer.register_full_backward_hook(lambda m, i, o: seen.append((i[0].shape, o[0].shape)))
    np.sum(layer(Tensor(np.zeros((0, 3)), requires_grad=True))).backward()
    assert seen == [((0, 3), (0, 3))]


def test_gpt_goes_on_from_no_prompts():
    assert models.GPT(7, 8, width=8, rng=0).generate(ids, 2, rng=0, top_p=0.5).shape == (0, 6)


def test_summary_of_no_examples_counts_parameters():
    table = layers.summary(models.MLP([6, 4, 3], rng=0), np.zeros((0, 6), "float32"))
    assert table.loc["total", "parameters"] == 43 and table.loc["total", "FLOPs"] == 0
