"""Weight and spectral normalization equal PyTorch's: names, both modes, whole trainings."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dlscratch import Tensor, layers, optimizers
from tests.parity import remember

few = settings(max_examples=12, deadline=None)


def torch():
    return pytest.importorskip("torch")


KINDS = {
    "Linear": ((3, 4), (5, 3)),
    "Conv1d": ((2, 4, 3), (3, 2, 6)),
    "Conv2d": ((2, 4, 2), (2, 2, 4, 4)),
    "ConvTranspose1d": ((2, 4, 3), (3, 2, 5)),
    "ConvTranspose2d": ((2, 4, 3), (2, 2, 3, 3)),
}


def pair(name, kind, **options):
    """Ours and PyTorch's, of float64, from different weights."""
    args, shape = KINDS[kind]
    own = {"rng": 1} if name == "spectral_norm" else {}
    ours = getattr(layers, name)(
        getattr(layers, kind)(*args, rng=0).astype("float64"), **options, **own
    )
    theirs = getattr(torch().nn.utils.parametrizations, name)(
        getattr(torch().nn, kind)(*args).double(), **options
    )
    return ours, theirs, np.random.default_rng(2).normal(size=shape)


def close(ours, theirs, x):
    y, z = ours(Tensor(x)), theirs(torch().tensor(x))
    np.testing.assert_allclose(y.data, z.detach().numpy(), rtol=1e-9, atol=1e-12)
    return y, z


def copy_over(ours, theirs, back):
    if back:
        theirs.load_state_dict({k: torch().tensor(v) for k, v in ours.state_dict().items()})
    else:
        ours.load_state_dict({k: v.numpy() for k, v in theirs.state_dict().items()})


@pytest.mark.parametrize("name", ["weight_norm", "spectral_norm"])
@pytest.mark.parametrize("back", [True, False])
@few
@given(st.data())
def test_state_moves_by_name_and_training_is_the_same(name, back, data):
    kind, options = data.draw(st.sampled_from(list(KINDS))), {}
    if data.draw(st.booleans()):
        options = {"dim": data.draw(st.sampled_from([0, 1, None]))}
    if name == "spectral_norm":
        options["n_power_iterations"] = data.draw(st.integers(1, 3))
    ours, theirs, x = pair(name, kind, **options)
    assert [n for n, _ in ours.named_parameters()] == [n for n, _ in theirs.named_parameters()]
    assert {k: v.shape for k, v in ours.state_dict().items()} == {
        k: tuple(v.shape) for k, v in theirs.state_dict().items()
    }
    copy_over(ours, theirs, back)
    close(ours.eval(), theirs.eval(), x)
    ours.train(), theirs.train()
    mine, torchs = (
        optimizers.SGD(ours.parameters(), lr=0.05),
        torch().optim.SGD(theirs.parameters(), lr=0.05),
    )
    for _ in range(20):
        y, z = close(ours, theirs, x)
        mine.zero_grad(), torchs.zero_grad()
        np.mean(y**2 - y).backward(), (z**2 - z).mean().backward()
        mine.step(), torchs.step()
    close(ours.eval(), theirs.eval(), x)
    off = [np.max(np.abs(v - theirs.state_dict()[k].numpy())) for k, v in ours.state_dict().items()]
    assert remember(float(max(off))) <= 1e-8


@pytest.mark.parametrize("name", ["weight_norm", "spectral_norm"])
def test_names_and_defaults_are_torchs(name):
    import inspect

    ours, theirs = (
        inspect.signature(getattr(m, name)).parameters
        for m in (layers, torch().nn.utils.parametrizations)
    )
    assert list(theirs) == [n for n in ours if n != "rng"] and all(
        ours[n].default == theirs[n].default for n in theirs
    )


def test_inside_a_model_and_on_a_recurrent_weight():
    ours = layers.Sequential(
        layers.weight_norm(layers.Linear(3, 3, rng=0)),
        layers.weight_norm(layers.LSTM(3, 2, rng=1), "weight_hh_l0"),
    )
    nn = torch().nn
    norm = nn.utils.parametrizations.weight_norm
    theirs = nn.Sequential(norm(nn.Linear(3, 3)), norm(nn.LSTM(3, 2), "weight_hh_l0"))
    copy_over(ours, theirs, True)
    x = np.random.default_rng(0).normal(size=(4, 2, 3)).astype("float32")
    np.testing.assert_allclose(
        ours(x)[0].data, theirs(torch().tensor(x))[0].detach().numpy(), atol=1e-6
    )


def test_weight_norm_changes_no_output_and_direction_alone_counts():
    inner, x = (
        layers.Linear(3, 4, rng=0).astype("float64"),
        np.random.default_rng(0).normal(size=(5, 3)),
    )
    plain = inner(x).data
    layer = layers.weight_norm(inner)
    assert layer is inner and isinstance(layer, layers.Linear)
    np.testing.assert_allclose(layer(x).data, plain, rtol=1e-12)
    v, g = (getattr(layer.parametrizations["weight"], name) for name in ("original1", "original0"))
    v.data *= 7
    np.testing.assert_allclose(layer(x).data, plain, rtol=1e-12)
    np.sum(layer(Tensor(x))).backward()
    assert abs(np.sum(v.grad * v.data, axis=1)).max() < 1e-12 and g.grad.any()


def test_copies_and_dtypes():
    layer = layers.spectral_norm(layers.Linear(6, 5, rng=0), n_power_iterations=200, rng=0)
    copy = layer.copy().astype("float64")
    x = np.random.default_rng(0).normal(size=(2, 6))
    assert copy(x).dtype == np.float64 and all(
        v.dtype == np.float64 for v in copy.state_dict().values()
    )
    np.testing.assert_allclose(copy(x).data, layer(x.astype("float32")).data, atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(copy.weight.data, 2), 1, rtol=1e-9)
    copy.parametrizations["weight"].original.data *= 2
    assert (
        np.abs(
            layer.parametrizations["weight"].original.data
            - copy.parametrizations["weight"].original.data
        ).max()
        > 0.1
    )
    before = layer.state_dict()
    layer.eval()(x.astype("float32"))
    assert all(np.array_equal(before[k], v) for k, v in layer.state_dict().items())


@pytest.mark.parametrize(
    "call, error, message",
    [
        (lambda: layers.weight_norm(layers.ReLU()), TypeError, "want a Parameter"),
        (
            lambda: layers.weight_norm(layers.Linear(2, 3), "bias"),
            TypeError,
            r"bias of .*\(3,\); want",
        ),
        (
            lambda: layers.weight_norm(layers.weight_norm(layers.Linear(2, 3))),
            TypeError,
            "want a Parameter",
        ),
        (
            lambda: layers.spectral_norm(layers.Linear(2, 3), n_power_iterations=0),
            ValueError,
            "n_power_iterations=0",
        ),
    ],
)
def test_bad_input(call, error, message):
    with pytest.raises(error, match=message):
        call()
