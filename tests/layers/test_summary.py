"""summary: shapes, parameters and FLOPs, counted by hand and against PyTorch's counter."""

import numpy as np
import pytest

from dlscratch import layers
from dlscratch.layers import (
    Conv2d,
    ConvTranspose2d,
    Dropout,
    Flatten,
    Linear,
    Module,
    Parameter,
    ReLU,
    Sequential,
    summary,
)


def net():
    return Sequential(
        Conv2d(4, 6, 3, stride=2, padding=1, groups=2),
        ReLU(),
        ConvTranspose2d(6, 2, 3, stride=2),
        layers.BatchNorm1d(2),
        Flatten(),
        Linear(2 * 9 * 9, 5),
    )


class Flat(Module):
    """BatchNorm1d is for sequences, so rows follow each other."""

    def __init__(self):
        self.net = net()

    def forward(self, x):
        for i, m in enumerate(self.net):
            x = m(np.reshape(x, (len(x), 2, -1))) if i == 3 else m(x)
        return x


def test_rows_by_hand():
    table = summary(Flat(), np.ones((2, 4, 8, 8), "float32"))
    *rows, total = table.itertuples(name=None)
    assert rows == [
        ("net.0", "Conv2d", (2, 6, 4, 4), 6 * 2 * 9 + 6, 2 * (2 * 6 * 16) * (2 * 9)),
        ("net.1", "ReLU", (2, 6, 4, 4), 0, 0),
        ("net.2", "ConvTranspose2d", (2, 2, 9, 9), 6 * 2 * 9 + 2, 2 * (2 * 6 * 16) * (2 * 9)),
        ("net.3", "BatchNorm1d", (2, 2, 81), 4, 0),
        ("net.4", "Flatten", (2, 162), 0, 0),
        ("net.5", "Linear", (2, 5), 162 * 5 + 5, 2 * 2 * 5 * 162),
    ]
    assert total == ("total", "", None, sum(r[3] for r in rows), sum(r[4] for r in rows))
    assert (
        list(table.columns) == ["class", "output", "parameters", "FLOPs"]
        and table.index.name == "name"
    )


def test_flops_equal_torch_s_counter():
    torch = pytest.importorskip("torch")
    counter = pytest.importorskip("torch.utils.flop_counter").FlopCounterMode(display=False)
    nn = torch.nn
    theirs = nn.Sequential(
        nn.Conv1d(4, 6, 3, 2, groups=2), nn.ConvTranspose1d(6, 3, 4, 2), nn.Linear(18, 7)
    )
    ours = Sequential(
        layers.Conv1d(4, 6, 3, 2, groups=2), layers.ConvTranspose1d(6, 3, 4, 2), Linear(18, 7)
    )
    with counter:
        theirs(torch.ones(5, 4, 17))
    total = summary(ours, np.ones((5, 4, 17), "float32")).loc["total"]
    assert total["FLOPs"] == counter.get_total_flops() and total["parameters"] == sum(
        p.numel() for p in theirs.parameters()
    )


def test_flops_of_attention_equal_torch_s_counter():
    torch = pytest.importorskip("torch")
    counter = pytest.importorskip("torch.utils.flop_counter").FlopCounterMode(display=False)
    query, key = np.ones((5, 2, 8), "float32"), np.ones((7, 2, 8), "float32")
    with counter:
        torch.nn.MultiheadAttention(8, 2)(*map(torch.tensor, (query, key, key)))
    assert (
        summary(layers.MultiheadAttention(8, 2), query, key, key).loc["total", "FLOPs"]
        == counter.get_total_flops()
    )


@pytest.mark.parametrize("kind, gates", [("RNN", 1), ("LSTM", 4), ("GRU", 3)])
def test_flops_of_recurrent_layers_by_hand(kind, gates):
    model = getattr(layers, kind)(3, 4, num_layers=2, bidirectional=True)
    one_step = 2 * gates * 4 * (3 + 4) + 2 * gates * 4 * (8 + 4)
    assert (
        summary(model, np.ones((5, 2, 3), "float32")).loc["total", "FLOPs"] == 2 * 5 * 2 * one_step
    )
    assert summary(getattr(layers, f"{kind}Cell")(3, 4), np.ones((2, 3), "float32")).loc[
        "total", "FLOPs"
    ] == 2 * 2 * gates * 4 * (3 + 4)


def test_normalized_weights_multiply_no_more():
    model = layers.weight_norm(layers.LSTM(3, 4), "weight_hh_l0")
    assert summary(model, np.ones((5, 2, 3), "float32")).loc["total", "FLOPs"] == 2 * 5 * 2 * 16 * (
        3 + 4
    )


class Named(Module):
    """Layers whose inputs come by name."""

    def __init__(self, attention):
        self.layer, self.attention = Linear(3, 4), attention

    def forward(self, x):
        x = self.layer(x=x)
        return self.attention(x, key=x, value=x)[0] if self.attention else x


def test_inputs_by_name():
    assert summary(Named(None), np.ones((2, 3), "float32")).loc["total", "FLOPs"] == 2 * 2 * 3 * 4
    with pytest.raises(TypeError, match="want the inputs of MultiheadAttention.* by place"):
        summary(Named(layers.MultiheadAttention(4, 2)), np.ones((2, 3), "float32"))


class Twice(Module):
    """A layer called twice, a weight of its own, tied weights, and a layer never called."""

    def __init__(self):
        self.scale = Parameter(np.ones(3, "float32"))
        self.layer, self.tied, self.idle = Linear(3, 3), Linear(3, 3), Linear(3, 3)
        self.tied.weight = self.layer.weight

    def forward(self, x):
        return self.tied(self.layer(self.layer(x * self.scale)))


def test_what_is_shared_counts_once_and_each_call_counts():
    model = Twice()
    table = summary(model, np.ones((1, 3), "float32"))
    assert list(table[["parameters", "FLOPs"]].itertuples(name=None)) == [
        ("model", 3, 0),
        ("layer", 12, 36),
        ("tied", 3, 18),
        ("idle", 12, 0),
        ("total", sum(p.size for p in model.parameters()), 54),
    ]
    assert table.loc["idle", "output"] is None


@pytest.mark.parametrize("normed, more", [(layers.weight_norm, 4), (layers.spectral_norm, 0)])
def test_a_weight_computed_from_others_counts_in_its_layer(normed, more):
    table = summary(Sequential(normed(Linear(3, 4)), layers.Tanh()), np.ones((2, 3), "float32"))
    assert list(table.itertuples(name=None)) == [
        ("0", "ParametrizedLinear", (2, 4), 16 + more, 48),
        ("1", "Tanh", (2, 4), 0, 0),
        ("total", "", None, 16 + more, 48),
    ]


def test_the_model_is_left_as_it_was():
    model = Sequential(Dropout(0.5, rng=0), layers.BatchNorm1d(3), Linear(3, 2)).train()
    model[1].eval()
    before = {name: value.copy() for name, value in model.state_dict().items()}
    summary(model, np.ones((4, 3), "float32"))
    with pytest.raises(ValueError, match="expected 3"):
        summary(Sequential(model[2]), np.ones((4, 5), "float32"))
    assert [m.training for m in model] == [True, False, True] and not any(
        vars(m).get("_hooks") for m in model.modules()
    )
    assert all(np.array_equal(before[name], value) for name, value in model.state_dict().items())
    assert model[0].rng.random() == np.random.default_rng(0).random()


@pytest.mark.parametrize("args", [(np.tanh, np.ones(3)), (Linear(3, 2),)])
def test_bad_input(args):
    with pytest.raises(TypeError, match="want a Module and an input"):
        summary(*args)
