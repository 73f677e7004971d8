"""Layers for images equal PyTorch's by name, start as they do, and refuse what does not fit."""

import numpy as np
import pytest

from dlscratch import layers, testing

rng = np.random.default_rng(0)
LAYERS = [
    ("Conv1d", (4, 6, 3), {"stride": 2, "padding": 1, "dilation": 2, "groups": 2}, (3, 4, 9)),
    ("Conv1d", (4, 6, (3,)), {"bias": False}, (3, 4, 9)),
    ("Conv2d", (4, 6, (3, 2), 2, 1, 2, 2), {}, (3, 4, 9, 8)),
    ("Conv2d", (3, 3, 3), {"groups": 3, "bias": False}, (2, 3, 5, 5)),
    ("Conv1d", (4, 6, 4), {"padding": "same", "dilation": 3}, (3, 4, 12)),
    ("Conv2d", (4, 6, (3, 4)), {"padding": "same", "padding_mode": "circular"}, (3, 4, 9, 8)),
    (
        "Conv2d",
        (4, 6, 3),
        {"padding": (2, 1), "stride": 2, "padding_mode": "reflect"},
        (3, 4, 9, 8),
    ),
    ("Conv2d", (4, 6, 3), {"padding": "valid"}, (3, 4, 9, 8)),
    ("ConvTranspose1d", (4, 6, 3, 2, 1, 1, 2), {"dilation": 2}, (3, 4, 5)),
    ("ConvTranspose2d", (4, 6, 3, 2, 1, 1, 2), {}, (3, 4, 5, 4)),
    ("ConvTranspose2d", (4, 6, (3, 2)), {"bias": False}, (3, 4, 5, 4)),
    ("MaxPool1d", (3, 2, 1), {}, (2, 3, 7)),
    ("MaxPool2d", (3, 2, 1), {}, (2, 3, 7, 6)),
    ("MaxPool2d", (2,), {"stride": 2, "dilation": (2, 1)}, (2, 3, 8, 6)),
    ("MaxPool1d", (3,), {"dilation": 2}, (2, 3, 16)),
    ("AvgPool1d", (3, 2, 1), {"count_include_pad": False}, (2, 3, 7)),
    ("AvgPool2d", (3,), {}, (2, 3, 7, 6)),
    ("AdaptiveAvgPool2d", ((2, None),), {}, (2, 3, 7, 6)),
    ("Upsample", (), {"scale_factor": 2}, (2, 3, 4, 5)),
    ("Upsample", ((7, 3),), {"mode": "bilinear", "align_corners": True}, (2, 3, 4, 5)),
    ("PixelShuffle", (2,), {}, (2, 8, 3, 2)),
]


@pytest.mark.filterwarnings(
    "ignore:Using padding='same' with even kernel"
)  # PyTorch regrets its own copy
@pytest.mark.parametrize("name, args, options, shape", LAYERS)
def test_layer_equals_torch(name, args, options, shape):
    torch = pytest.importorskip("torch")
    ours, theirs = (
        getattr(layers, name)(*args, **options),
        getattr(torch.nn, name)(*args, **options),
    )
    errors = testing.against_torch(ours, theirs, rng.normal(size=shape))
    assert (
        len(errors) == 2 + len(list(theirs.named_parameters())) and max(errors.values()) < 1e-9
    ), errors


@pytest.mark.parametrize("name", ["Conv1d", "Conv2d", "ConvTranspose1d", "ConvTranspose2d"])
def test_first_weights_are_spread_as_in_torch(name):
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    ours = getattr(layers, name)(32, 48, 3, groups=2, rng=0)
    theirs = getattr(torch.nn, name)(32, 48, 3, groups=2)
    for (_, p), t in zip(ours.named_parameters(), theirs.parameters(), strict=True):
        assert p.shape == tuple(t.shape) and p.dtype == np.float32
        bound = np.sqrt(
            1 / ours.weight.data[0].size
        )  # of a uniform distribution that both reach and neither exceeds
        assert 0.9 * bound < np.abs(p.data).max() <= bound and t.abs().max() <= bound * 1.0001
        np.testing.assert_allclose(p.data.std(), t.detach().numpy().std(), rtol=0.25)
    again = getattr(layers, name)(32, 48, 3, groups=2, rng=0)
    assert np.array_equal(ours.weight.data, again.weight.data)


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: layers.Conv1d(3, 4, 3, groups=2), r"Conv1d\(3→4\): groups=2 must divide both"),
        (
            lambda: layers.ConvTranspose2d(4, 3, 3, groups=2),
            r"ConvTranspose2d\(4→3\): groups=2 must divide both",
        ),
        (lambda: layers.Conv2d(3, 0, 3), "at least 1"),
        (
            lambda: layers.Conv2d(3, 4, 3, stride=2, padding="same"),
            'padding="same" with stride=2; want stride 1',
        ),
        (
            lambda: layers.Conv2d(3, 4, 3, padding=1, padding_mode="mirror")(np.ones((2, 3, 8, 8))),
            "mode 'mirror'; want",
        ),
        (lambda: layers.Conv1d(3, 4, 3)(np.ones((2, 5, 8))), r"want \(N, 3, L\)"),
        (lambda: layers.ConvTranspose1d(3, 4, 3)(np.ones((2, 5, 8))), r"want \(N, 3, L\)"),
        (lambda: layers.ConvTranspose2d(3, 4, 3)(np.ones((2, 5, 8))), r"want \(N, 3, H, W\)"),
        (lambda: layers.MaxPool1d(2)(np.ones(3)), r"want \(N, C, L\)"),
        (lambda: layers.AvgPool1d(2)(np.ones(3)), r"want \(N, C, L\)"),
        (lambda: layers.AvgPool2d(2)(np.ones((2, 3))), r"want \(N, C, H, W\)"),
        (lambda: layers.AdaptiveAvgPool2d(0)(np.ones((2, 3, 4, 4))), "want numbers >= 1"),
        (lambda: layers.Upsample()(np.ones((2, 3, 4, 4))), "want one of the two"),
        (lambda: layers.PixelShuffle(2)(np.ones((2, 3, 4, 4))), "C·4"),
    ],
)
def test_bad_input(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_names():
    assert (
        repr(layers.Conv2d(3, 8, (3, 2))) == "Conv2d(3→8, 3×2)"
        and repr(layers.ConvTranspose1d(3, 8, 4)) == "ConvTranspose1d(3→8, 4)"
    )
