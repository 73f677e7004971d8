"""Layers equal PyTorch's by name; parameters live in one vector; errors say what was wanted."""

import numpy as np
import pytest

from dlscratch import Tensor, default_dtype, layers, no_grad, testing
from dlscratch.layers import Linear, Module, Parameter, Parameters, Sequential
from dlscratch.optimizers import SGD, Adam

rng = np.random.default_rng(0)
LAYERS = {
    "Linear": ((6, 4), (8, 6)),
    "LayerNorm": ((6,), (8, 6)),
    "BatchNorm1d": ((6,), (8, 6)),
    "Conv2d": ((3, 5, 3, 2, 1), (4, 3, 9, 8)),
    "MaxPool2d": ((2,), (2, 3, 6, 4)),
    "Flatten": ((), (3, 4, 2)),
    "ReLU": ((), (3, 4)),
    "Tanh": ((), (3, 4)),
    "Sigmoid": ((), (3, 4)),
    "GELU": ((), (3, 4)),
}


@pytest.mark.parametrize("name", LAYERS)
def test_layer_equals_torch(name):
    torch = pytest.importorskip("torch")
    args, shape = LAYERS[name]
    ours, theirs = (
        getattr(layers, name)(*args).astype("float64"),
        getattr(torch.nn, name)(*args).double(),
    )
    errors = testing.against_torch(ours, theirs, rng.normal(size=shape))
    assert errors and max(errors.values()) < 1e-9, errors


def test_batch_norm_state_equals_torch():
    torch = pytest.importorskip("torch")
    ours, theirs = layers.BatchNorm1d(3).astype("float64"), torch.nn.BatchNorm1d(3).double()
    for shape in ((8, 3), (4, 3, 5)):
        x = rng.normal(2, 3, size=shape)
        ours(Tensor(x)), theirs(torch.tensor(x))
    for name, value in theirs.state_dict().items():
        np.testing.assert_allclose(ours.state_dict()[name], value.numpy(), rtol=1e-12)
    x = rng.normal(size=(5, 3))
    np.testing.assert_allclose(
        ours.eval()(Tensor(x)).data, theirs.eval()(torch.tensor(x)).detach().numpy(), rtol=1e-12
    )


def test_what_is_refused_is_not_counted():
    norm = layers.BatchNorm1d(3)
    for shape in ((2, 4), (1, 3)):
        with pytest.raises(ValueError):
            norm(np.ones(shape, "float32"))
    assert norm.num_batches_tracked == 0


def net():
    return Sequential(Linear(4, 5, rng=0), layers.Tanh(), Sequential(Linear(5, 3, rng=1)))


def test_parameters_are_views_of_one_vector():
    model = net()
    ps = model.parameters()
    assert [n for n, _ in model.named_parameters()] == [
        "0.weight",
        "0.bias",
        "2.0.weight",
        "2.0.bias",
    ]
    assert ps.theta.shape == (43,) and all(np.shares_memory(p.data, ps.theta) for p in ps)
    np.sum(model(Tensor(np.ones((2, 4), "float32")))).backward()
    assert (
        np.array_equal(ps.dtheta, np.concatenate([p.grad.ravel() for p in ps])) and ps.dtheta.any()
    )
    ps.theta[:] = 0
    assert not model[0].weight.data.any()
    model[0].bias.data = np.arange(5)
    assert ps.theta[20:25].tolist() == [0, 1, 2, 3, 4]
    inner = model[2].parameters()
    assert np.shares_memory(inner.theta, ps.theta) and inner.theta.shape == (18,)
    model[0].weight.grad = None
    assert not ps.dtheta[:20].any() and model[0].weight.grad is None


def test_parts_packed_before_the_whole_stay_together():
    model = net()
    head = SGD(model[2].parameters(), lr=1.0)
    ps = model.parameters()
    ps.write_grad(np.ones(43))
    before = ps.theta.copy()
    head.step()
    np.testing.assert_allclose(before - ps.theta, [0] * 25 + [1] * 18, atol=1e-6)


def test_a_parameter_added_too_late_is_told():
    model = net()
    optimizer = SGD(model.parameters(), lr=0.1)
    model[0].extra = Parameter(np.ones(2, "float32"))
    model.parameters()
    with pytest.raises(RuntimeError, match="make the optimizer after the model is complete"):
        optimizer.step()


def test_copy_and_astype_repack():
    model = net()
    theta = model.parameters().theta.copy()
    twin = model.copy()
    twin.parameters().theta[:] = 0
    assert np.array_equal(model.parameters().theta, theta) and not twin[0].weight.data.any()
    assert model.astype("float64").parameters().theta.dtype == np.float64


def test_tied_and_frozen_parameters():
    model = Sequential(Linear(3, 3, bias=False, rng=0), Linear(3, 3, bias=False, rng=1))
    model[1].weight = model[0].weight
    assert len(model.parameters()) == 1
    model = net()
    model[0].weight.requires_grad = False
    before = model[0].weight.data.copy()
    optimizer = Adam(model.parameters(), lr=0.1, weight_decay=0.1)
    np.sum(model(Tensor(np.ones((2, 4), "float32")))).backward()
    optimizer.step()
    assert np.array_equal(model[0].weight.data, before) and model[0].bias.data.any()


def test_stepping_between_forward_and_backward_raises():
    model = net()
    optimizer = SGD(model.parameters(), lr=0.1)
    np.sum(model(Tensor(np.ones((2, 4), "float32")))).backward()
    loss = np.sum(model(Tensor(np.ones((2, 4), "float32"))))
    optimizer.step()
    with pytest.raises(RuntimeError, match="was written after"):
        loss.backward()


def test_state_dict():
    a, b = net(), Sequential(Linear(4, 5, rng=5), layers.Tanh(), Sequential(Linear(5, 3, rng=6)))
    b.load_state_dict(a.state_dict())
    assert np.array_equal(a.parameters().theta, b.parameters().theta)
    state = a.state_dict()
    del state["0.bias"]
    with pytest.raises(KeyError, match=r"missing \['0.bias'\], unexpected \['extra'\]"):
        b.load_state_dict({**state, "extra": np.ones(1)})
    with pytest.raises(KeyError, match=r"missing \['0.bias'\], unexpected \[\]"):
        b.load_state_dict(state)
    b.load_state_dict(state, strict=False)
    before = b.parameters().theta.copy()
    with pytest.raises(ValueError, match=r"2.0.bias came with shape \(4,\), want \(3,\)"):
        b.load_state_dict({**{k: v * 0 for k, v in a.state_dict().items()}, "2.0.bias": np.ones(4)})
    assert np.array_equal(b.parameters().theta, before)


def test_modes_hooks_and_names():
    model = Sequential(layers.Dropout(0.5, rng=0), Linear(4, 2, rng=0))
    seen = []
    handle = model[1].register_forward_hook(
        lambda module, inputs, output: seen.append(output.shape)
    )
    x = Tensor(np.ones((3, 4), "float32"))
    assert np.array_equal(model.eval()(x).data, model(x).data) and not model[0].training
    assert not np.array_equal(model.train()(x).data, model(x).data)
    handle.remove()
    model(x)
    assert seen == [(3, 2)] * 4
    assert "(1): Linear(4→2)" in repr(model) and len(model) == 2 and len(model[:1]) == 1


def test_evaluation_gives_each_module_its_own_mode_back():
    model = Sequential(Linear(2, 2), layers.Dropout(), Sequential(layers.BatchNorm1d(2)))
    model[2][0].eval()
    before = [m.training for m in model.modules()]
    assert before == [True, True, True, True, False]
    with pytest.raises(ZeroDivisionError), model.evaluation() as same:
        assert same is model and not any(m.training for m in model.modules())
        raise ZeroDivisionError
    assert [m.training for m in model.modules()] == before


def test_default_dtype_of_new_layers():
    with default_dtype("float64"):
        assert Linear(2, 2).weight.dtype == np.float64
    assert Linear(2, 2).weight.dtype == np.float32
    with no_grad():
        assert Linear(2, 2)(np.ones((1, 2), "float32")).dtype == np.float32


class Bare(Module):
    pass


@pytest.mark.parametrize(
    "call, error, message",
    [
        (
            lambda: Linear(784, 10)(np.ones((32, 28, 28))),
            ValueError,
            r"Linear\(784→10\): input \(32, 28, 28\) has last axis 28, expected 784; flatten",
        ),
        (lambda: Linear(0, 10), ValueError, r"Linear\(0→10\): want at least one feature"),
        (lambda: layers.Conv2d(3, 4, 0), ValueError, "kernel_size=0; want at least 1"),
        (lambda: layers.LayerNorm(4)(np.ones((2, 3), "float32")), ValueError, "expected"),
        (lambda: layers.BatchNorm1d(4)(np.ones((2, 3))), ValueError, r"want \(N, 4\)"),
        (lambda: layers.BatchNorm1d(3)(np.ones((1, 3), "float32")), ValueError, "no variance"),
        (lambda: layers.Conv2d(3, 4, 3)(np.ones((2, 1, 8, 8))), ValueError, r"want \(N, 3, H, W\)"),
        (
            lambda: layers.Conv2d(3, 4, 9)(np.ones((2, 3, 8, 8), "float32")),
            ValueError,
            "larger than the padded image",
        ),
        (lambda: layers.MaxPool2d(2)(np.ones((2, 3))), ValueError, r"want \(N, C, H, W\)"),
        (lambda: layers.Dropout(1.5), ValueError, "want 0 <= p <= 1"),
        (lambda: Sequential(np.tanh), TypeError, "want a Module"),
        (lambda: Bare()(1), NotImplementedError, "defines no forward"),
        (lambda: Bare().parameters(), ValueError, "no parameters"),
        (lambda: Parameters([Tensor([1.0], requires_grad=True)]), TypeError, "wrap it"),
        (
            lambda: Parameters([Parameter(np.ones(1)), Parameter(np.ones(1, "float32"))]),
            ValueError,
            "use model.astype",
        ),
    ],
)
def test_bad_input(call, error, message):
    with pytest.raises(error, match=message):
        call()
