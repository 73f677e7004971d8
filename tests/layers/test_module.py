"""Module holds what it is given, under PyTorch's names, and refuses what would drop out unseen."""

import copy
import pickle

import numpy as np
import pytest

from dlscratch import Tensor, layers, optimizers
from dlscratch import functional as F
from dlscratch.layers import Linear, Module, Parameter, Sequential

x = np.random.default_rng(0).normal(size=(5, 4)).astype("float32")


def fill(model, nn, zeros):
    """Give the model the same parts with our layers and with PyTorch's."""
    model.first = nn.Linear(4, 4)
    model.blocks = nn.ModuleList([nn.Linear(4, 4), nn.ModuleList([nn.BatchNorm1d(4)])])
    model.heads = nn.ModuleDict({"a": nn.Linear(4, 2), "b": nn.Linear(4, 3)})
    model._private = nn.Linear(2, 2)
    model.register_buffer("saved", zeros(3))
    model.register_buffer("passing", zeros(2), persistent=False)
    model.register_buffer("_hidden", zeros(1))
    model.blocks[0].weight = model.first.weight


class Net(Module):
    """Buffers of both kinds, a list, a dict, a private layer, and a tied weight."""

    def __init__(self):
        super().__init__()
        fill(self, layers, lambda n: np.zeros(n, "float32"))

    def forward(self, x):
        return self.heads["a"](self.blocks[1][0](self.blocks[0](F.relu(self.first(x)))))


def twins():
    """The same model here and in PyTorch."""
    torch = pytest.importorskip("torch")
    theirs = torch.nn.Module()
    fill(theirs, torch.nn, torch.zeros)
    return Net(), theirs


@pytest.mark.parametrize("many", [True, False])
@pytest.mark.parametrize("method", ["named_parameters", "named_buffers", "named_modules"])
def test_names_are_torchs(method, many):
    ours, theirs = ([n for n, _ in getattr(m, method)(remove_duplicate=many)] for m in twins())
    assert sorted(ours) == sorted(theirs) and len(ours) > 3


def test_state_and_children_have_torchs_names():
    ours, theirs = twins()
    assert sorted(ours.state_dict()) == sorted(theirs.state_dict())
    assert "_hidden" in ours.state_dict() and "passing" not in ours.state_dict()
    assert [n for n, _ in ours.named_children()] == [n for n, _ in theirs.named_children()]
    for recurse in (True, False):
        ours_, theirs_ = (
            [n for n, _ in m.named_parameters(recurse=recurse)] for m in (ours, theirs)
        )
        assert sorted(ours_) == sorted(theirs_)
        assert len(list(ours.buffers(recurse))) == len(list(theirs.buffers(recurse)))


def test_a_module_in_two_places_comes_once():
    layer = Linear(2, 2, rng=0)
    model = Sequential(layer, layer)
    assert len(list(model.modules())) == 2 and len(list(model.children())) == 1
    assert [n for n, _ in model.named_modules(remove_duplicate=False)] == ["", "0", "1"]
    assert len(model.state_dict()) == 4


def test_apply_visits_children_first_and_get_finds_by_name():
    model = Net()
    seen = []
    assert model.apply(seen.append) is model
    assert seen[-1] is model and set(seen) == set(model.modules())
    assert seen.index(model.heads["a"]) < seen.index(model.heads)
    assert model.get_submodule("blocks.1.0") is model.blocks[1][0]
    assert model.get_submodule("") is model
    assert model.get_parameter("blocks.0.weight") is model.first.weight
    assert model.get_buffer("blocks.1.0.running_mean") is model.blocks[1][0].running_mean


def test_requires_grad_freezes_and_thaws():
    model = Sequential(Linear(4, 3, rng=0), Linear(3, 2, rng=1))
    assert model[0].requires_grad_(False) is model[0]
    np.sum(model(x)).backward()
    assert not np.any(model[0].weight.grad) and np.any(model[1].weight.grad)
    model.requires_grad_()
    np.sum(model(x)).backward()
    assert np.any(model[0].weight.grad)


@pytest.mark.parametrize(
    "value", [np.ones((3, 4), "float32"), Tensor(np.ones((3, 4))), [[1.0]], 0.5]
)
def test_a_parameter_is_replaced_by_a_parameter_only(value):
    layer = Linear(4, 3, rng=0)
    before = layer.state_dict()
    with pytest.raises(TypeError, match=r"Linear\.weight: expected a Parameter, got .*\.data = "):
        layer.weight = value
    assert list(layer.state_dict()) == list(before)
    layer.weight.data = np.ones((3, 4))
    assert layer.state_dict()["weight"].min() == 1
    layer.weight = new = Parameter(np.zeros((3, 4), "float32"))
    assert layer.parameters()[0] is new and not layer.state_dict()["weight"].any()
    layer.bias = None
    assert list(layer.state_dict()) == ["weight"]


def test_a_module_and_a_buffer_stay_what_they_are():
    model = Net()
    with pytest.raises(
        TypeError, match=r"Net\.first: expected a Module, got function; make a layer"
    ):
        model.first = lambda x: x
    norm = model.blocks[1][0]
    for value in (Tensor(np.ones(4)), [0.0] * 4, 0.5, np.float32(1)):
        with pytest.raises(
            TypeError, match=r"BatchNorm1d\.running_mean: expected an array.*\[\.\.\.\]"
        ):
            norm.running_mean = value
    norm.running_mean = np.ones(4, "float32")
    assert model.state_dict()["blocks.1.0.running_mean"].min() == 1


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
@pytest.mark.parametrize("packed", [True, False])
def test_copies_keep_ties_modes_vectors_and_computed_weights(duplicate, packed):
    model = Sequential(layers.weight_norm(Linear(4, 4, rng=0)), layers.BatchNorm1d(4), Net())
    model[1].eval()
    if packed:
        model.parameters()
    twin = duplicate(model)
    assert type(twin[0]) is type(model[0]) and isinstance(twin[0], Linear)
    assert twin[2].blocks[0].weight is twin[2].first.weight
    assert [m.training for m in twin.modules()] == [m.training for m in model.modules()]
    assert list(twin.state_dict()) == list(model.state_dict())
    np.testing.assert_array_equal(twin(x).data, model(x).data)
    assert len(twin.parameters().theta) == len(model.parameters().theta)
    twin.parameters().theta[:] = 0
    assert model(x).data.any() and not twin.parameters()[0].data.any()
    assert not np.shares_memory(twin[1].running_mean, model[1].running_mean)


def test_hooks_travel_with_copies_and_belong_to_them():
    model = Linear(4, 3, rng=0)
    handle = model.register_forward_hook(lambda m, i, y: y * 2)
    twin = copy.deepcopy(model)
    handle.remove()
    np.testing.assert_allclose(twin(x).data, 2 * model(x).data)


def test_astype_reaches_buffers_in_lists_and_tuples():
    model = Net()
    model.averages = [np.zeros(2, "float32"), (np.zeros(2, "float32"), {"a": np.zeros(1, "f4")})]
    model.counts = [np.zeros(2, int)]
    kept = model.averages
    model.astype("float64")
    assert model.averages is kept
    kinds = {name: value.dtype for name, value in model.state_dict().items()}
    whole = [kinds.pop(name).kind for name in ("counts.0", "blocks.1.0.num_batches_tracked")]
    assert whole == ["i", "i"]
    assert set(kinds.values()) == {np.dtype("float64")} and len(kinds) > 15


def test_zero_grad():
    model = Linear(4, 3, rng=0)
    for options in ({}, {"set_to_none": True}, {"set_to_none": False}):
        np.sum(model(x)).backward()
        assert np.any(model.weight.grad)
        model.zero_grad(**options)
        assert model.weight.grad is None or not np.any(model.weight.grad)
    assert model.weight.grad is not None
    Sequential(layers.ReLU()).zero_grad()


def test_what_pytorch_has_elsewhere_is_named():
    model = Linear(2, 2)
    for name in ("to", "float", "double", "half", "cuda", "cpu", "compile", "fit"):
        assert not hasattr(model, name)
        with pytest.raises(
            AttributeError, match=f"Linear has no attribute '{name}'; .*(use|leave)"
        ):
            getattr(model, name)
    with pytest.raises(AttributeError, match="Linear has no attribute 'weigth'$"):
        _ = model.weigth


@pytest.mark.parametrize("name", ["weight", "bias"])
def test_an_optimizer_notices_that_a_parameter_was_replaced(name):
    model = Linear(4, 3, rng=0)
    stale = optimizers.SGD(model.parameters(), lr=1.0)
    old = getattr(model, name)
    numbers = old.data.copy()
    setattr(model, name, Parameter(np.zeros(old.shape, "float32")))
    np.sum(model(x)).backward()
    with pytest.raises(RuntimeError, match="make the optimizer"):
        stale.step()
    np.testing.assert_array_equal(old.data, numbers)
    fresh = optimizers.SGD(model.parameters(), lr=1.0)
    np.sum(model(x)).backward()
    fresh.step()
    assert getattr(model, name).data.any()
    setattr(model, name, getattr(model, name))
    fresh.step()


@pytest.mark.parametrize(
    "call, error, message",
    [
        (lambda m: m.train("yes"), TypeError, r"train\(mode='yes'\): expected True or False"),
        (lambda m: m.astype("int64"), TypeError, "expected a dtype of floats"),
        (lambda m: m.register_buffer("a", [1.0]), TypeError, "expected an array, got list"),
        (lambda m: m.register_buffer("a.b", x), ValueError, "expected a name without a dot"),
        (lambda m: m.register_buffer("forward", x), ValueError, "got 'forward'; give it another"),
        (lambda m: m.register_parameter("a", x), TypeError, "expected a Parameter, got ndarray"),
        (lambda m: m.add_module("a", np.tanh), TypeError, "expected a Module, got ufunc"),
        (lambda m: m.add_module("", m), ValueError, "expected a name"),
        (lambda m: m.get_submodule("second"), AttributeError, "expected one of '', 'first'"),
        (lambda m: m.get_parameter("first"), AttributeError, "expected one of 'first.weight'"),
        (lambda m: m.get_buffer("first.weight"), AttributeError, "expected one of 'blocks.1.0.run"),
    ],
)
def test_bad_input(call, error, message):
    with pytest.raises(error, match=message):
        call(Net())
