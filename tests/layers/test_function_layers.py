"""Layers without parameters, and normalization layers, equal PyTorch's of the same arguments."""

import inspect

import numpy as np
import pytest

from dlscratch import layers, testing

LAYERS = [
    *(
        (name, (), (3, 4))
        for name in (
            "ReLU LeakyReLU ELU SELU GELU SiLU Mish Softplus Hardtanh Sigmoid Tanh LogSigmoid GLU"
        ).split()
    ),
    ("LeakyReLU", (0.3,), (3, 4)),
    ("ELU", (0.5,), (3, 4)),
    ("GELU", ("tanh",), (3, 4)),
    ("Hardtanh", (-0.2, 0.4), (3, 4)),
    ("Flatten", (), (2, 3, 4)),
    ("Flatten", (0, 1), (2, 3, 4)),
    ("Flatten", (-2,), (2, 3, 4)),
    ("Softplus", (3.0,), (3, 4)),
    ("GLU", (0,), (4, 3)),
    ("Softmax", (0,), (3, 4)),
    ("LogSoftmax", (1,), (3, 4)),
    ("LayerNorm", ((3, 4),), (2, 3, 4)),
    ("LayerNorm", (4, 1e-3, False), (3, 4)),
    ("LayerNorm", (4, 1e-5, True, False), (3, 4)),
    ("RMSNorm", (4,), (3, 4)),
    ("RMSNorm", ((3, 4), 1e-3, False), (2, 3, 4)),
    ("BatchNorm1d", (3,), (4, 3, 5)),
    ("BatchNorm2d", (3, 1e-3), (2, 3, 4, 4)),
    ("BatchNorm2d", (3, 1e-5, 0.1, False), (2, 3, 4, 4)),
    ("InstanceNorm1d", (3,), (2, 3, 5)),
    ("InstanceNorm2d", (3,), (2, 3, 4, 5)),
    ("GroupNorm", (2, 4), (3, 4, 5)),
    ("GroupNorm", (2, 4, 1e-3, False), (3, 4, 2, 2)),
]


@pytest.mark.parametrize("name, args, shape", LAYERS)
def test_layer_equals_torch(name, args, shape):
    torch = pytest.importorskip("torch")
    ours, theirs = getattr(layers, name)(*args), getattr(torch.nn, name)(*args)
    errors = testing.against_torch(ours, theirs, np.random.default_rng(7).normal(size=shape))
    assert len(errors) == 2 + len(theirs.state_dict()) and max(errors.values()) < 1e-9, errors


def test_batch_norm_of_images_in_evaluation_equals_torch():
    torch = pytest.importorskip("torch")
    x = np.random.default_rng(0).normal(2, 3, (4, 3, 5, 5)).astype("float32")
    ours, theirs = layers.BatchNorm2d(3), torch.nn.BatchNorm2d(3)
    ours(x), theirs(torch.tensor(x))
    np.testing.assert_allclose(
        ours.eval()(x).data, theirs.eval()(torch.tensor(x)).detach().numpy(), rtol=1e-4, atol=1e-6
    )
    with pytest.raises(ValueError, match="use a larger batch or model.eval"):
        layers.BatchNorm2d(3)(np.ones((1, 3, 1, 1), "float32"))


def test_options_show_where_they_are_not_the_defaults():
    assert (
        repr(layers.ELU()) == "ELU()"
        and repr(layers.MaxPool2d(3, padding=1)) == "MaxPool2d(kernel_size=3, padding=1)"
    )


OPTIONS = {
    "LeakyReLU": (0.3,),
    "ELU": (0.5,),
    "Softplus": (2.0, 20.0),
    "Hardtanh": (-0.2, 0.4),
    "MSELoss": (),
    "SmoothL1Loss": ("mean", 0.5),
    "HuberLoss": ("mean", 0.3),
    "MaxPool1d": (2, 1),
    "AvgPool1d": (2, 1),
    "PixelShuffle": (2,),
}


@pytest.mark.parametrize("scalar", [np.float64, np.float32, np.float16])
@pytest.mark.parametrize("name", OPTIONS)
def test_options_given_as_numpy_numbers_leave_the_dtype(name, scalar):
    options = OPTIONS[name]
    as_numpy = [
        np.int64(v) if isinstance(v, int) else scalar(v) if isinstance(v, float) else v
        for v in options
    ]
    plain = [v.item() if isinstance(v, np.generic) else v for v in as_numpy]
    shape = (2, 4, 3, 3) if name == "PixelShuffle" else (2, 3, 4)
    x = np.random.default_rng(0).normal(size=shape).astype("float32")
    inputs = (x, 0 * x) if name.endswith("Loss") else (x,)
    layer, expected = (getattr(layers, name)(*given) for given in (as_numpy, plain))
    y = np.asarray(layer(*inputs))
    assert y.dtype == np.float32
    np.testing.assert_array_equal(y, np.asarray(expected(*inputs)))
    assert repr(layer) == repr(expected)


def test_a_function_layer_shows_its_options_and_refuses_others():
    assert list(inspect.signature(layers.Hardtanh).parameters) == ["min_val", "max_val"]
    told = r"Hardtanh: .*unexpected.*'maximum'; want \(min_val: float = -1.0"
    with pytest.raises(TypeError, match=told):
        layers.Hardtanh(maximum=3)
    with pytest.raises(TypeError, match=r"PixelShuffle: missing.*'upscale_factor'; want \(upsc"):
        layers.PixelShuffle()
