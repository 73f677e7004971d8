"""Attention and Transformer layers equal PyTorch's by name, and start as they do."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dlscratch import Tensor, layers
from dlscratch import functional as F
from tests.parity import same

few = settings(max_examples=12, deadline=None)
rng = np.random.default_rng(0)


def torch():
    return pytest.importorskip("torch")


class Weights:
    """A module as a function of (its parameters, inputs), so that `same` differentiates by both."""

    def __init__(self, ours, theirs):
        self.ours, self.theirs = ours.eval(), theirs.eval()
        self.names = [name for name, _ in ours.named_parameters()]
        assert self.names and self.names == [name for name, _ in theirs.named_parameters()]

    def joined(self, y, module):
        """Output and weights in a row, if there are both."""
        return (
            module.concatenate([part.reshape(-1) for part in y if part is not None])
            if isinstance(y, tuple)
            else y
        )

    def compare(self, rng, inputs, masks):
        """Parameters are drawn anew: biases that start at zero would hide their use."""
        n, state = len(self.names), self.ours.state_dict()
        arrays = [state[k] + 0.1 * rng.normal(size=state[k].shape) for k in self.names]

        def ours(*a):
            weights = dict(zip(self.names, a[:n], strict=True))
            y = layers.functional_call(self.ours, weights, a[n:], masks)
            return self.joined(y, np)

        def theirs(*a):
            from torch.nn.attention import SDPBackend, sdpa_kernel

            tensors = {
                k: torch().tensor(m) if isinstance(m, np.ndarray) else m for k, m in masks.items()
            }
            tensors = {
                k: m.to(a[0].dtype) if getattr(m, "dtype", None) == torch().float64 else m
                for k, m in tensors.items()
            }
            with sdpa_kernel(SDPBackend.MATH):
                y = torch().func.functional_call(
                    self.theirs, dict(zip(self.names, a[:n], strict=True)), a[n:], tensors
                )
            return self.joined(y, torch())

        same(ours, theirs, *arrays, *inputs)


def masks(draw, rng, N, T, S, H):
    """A padding mask that leaves the first key, and an attention mask of any kind, None mostly."""
    padding = draw(st.sampled_from([None, (rng.random((N, S)) < 0.4) & (np.arange(S) > 0)]))
    kinds = [None, np.triu(np.ones((T, S), bool), 1)]
    if padding is None:  # PyTorch wants both to be of one kind
        kinds += [rng.normal(size=(T, S)), rng.normal(size=(N * H, T, S))]
    return padding, draw(st.sampled_from(kinds))


@few
@given(st.data())
def test_multihead_attention_equals_torch(data):
    n = lambda low, high: data.draw(st.integers(low, high))
    rng = np.random.default_rng(n(0, 999))
    N, T, S, H, first, batched = n(1, 3), n(1, 4), n(1, 4), n(1, 3), bool(n(0, 1)), bool(n(0, 3))
    E, N = H * n(1, 3), N if batched else 1
    options = {name: bool(n(0, 1)) for name in ("bias", "add_bias_kv", "add_zero_attn")} | {
        "batch_first": first
    }
    options |= {name: data.draw(st.sampled_from([None, E, 5])) for name in ("kdim", "vdim")}
    twins = Weights(*(m.MultiheadAttention(E, H, 0.5, **options) for m in (layers, torch().nn)))
    shaped = lambda x: (x if first else x.swapaxes(0, 1)) if batched else x[0]
    padding, mask = masks(data.draw, rng, N, T, S, H)
    padding = padding if padding is None or batched else padding[0]
    widths = [E, *(options[name] or E for name in ("kdim", "vdim"))]
    inputs = [shaped(rng.normal(size=(N, L, D))) for L, D in zip((T, S, S), widths)]
    given = {
        "key_padding_mask": padding,
        "attn_mask": mask,
        "need_weights": bool(n(0, 1)),
        "average_attn_weights": bool(n(0, 1)),
    }
    twins.compare(rng, inputs, given)


@few
@given(st.data())
def test_transformer_layers_equal_torch(data):
    n = lambda low, high: data.draw(st.integers(low, high))
    rng = np.random.default_rng(n(0, 999))
    N, T, S, H, decoder = n(1, 2), n(1, 4), n(1, 3), n(1, 2), bool(n(0, 1))
    activation = data.draw(st.sampled_from(["relu", "gelu", "silu"]))
    options = {
        "activation": activation if activation != "silu" else F.silu,
        "norm_first": bool(n(0, 1)),
        "layer_norm_eps": 1e-3,
    }
    options |= {"batch_first": bool(n(0, 1)), "bias": bool(n(0, 1))}
    swap = lambda x: x if options["batch_first"] else x.swapaxes(0, 1)
    name, args = (
        "TransformerDecoderLayer" if decoder else "TransformerEncoderLayer",
        (4 * H, H, 5, 0.3),
    )
    their_options = options | {
        "activation": activation if activation != "silu" else torch().nn.functional.silu
    }
    twins = Weights(
        getattr(layers, name)(*args, **options, rng=0),
        getattr(torch().nn, name)(*args, **their_options),
    )
    padding, mask = masks(data.draw, rng, N, T, T, H)
    names = (
        ("tgt_key_padding_mask", "tgt_mask") if decoder else ("src_key_padding_mask", "src_mask")
    )
    given, memory = dict(zip(names, (padding, mask))), []
    if decoder:
        given |= dict(
            zip(("memory_key_padding_mask", "memory_mask"), masks(data.draw, rng, N, T, S, H))
        )
        memory = [swap(rng.normal(size=(N, S, 4 * H)))]
    twins.compare(rng, [swap(rng.normal(size=(N, T, 4 * H))), *memory], given)


BUILT = [
    ("MultiheadAttention", (8, 2)),
    ("TransformerEncoderLayer", (8, 2, 16)),
    ("TransformerDecoderLayer", (8, 2, 16)),
]


@pytest.mark.parametrize("name, args", BUILT)
def test_state_moves_both_ways(name, args):
    ours, theirs = (
        getattr(layers, name)(*args, rng=0).eval(),
        getattr(torch().nn, name)(*args).eval(),
    )
    x = rng.normal(size=(2, 3, 8)).astype("float32")
    inputs = [x] * {
        "MultiheadAttention": 3,
        "TransformerEncoderLayer": 1,
        "TransformerDecoderLayer": 2,
    }[name]

    def outputs():
        y, z = ours(*inputs), theirs(*map(torch().tensor, inputs))
        return (
            (y[0].data, z[0].detach().numpy())
            if isinstance(y, tuple)
            else (y.data, z.detach().numpy())
        )

    a, b = outputs()
    assert np.abs(a - b).max() > 0.01
    ours.load_state_dict({k: v.numpy() for k, v in theirs.state_dict().items()})
    a, c = outputs()
    np.testing.assert_allclose(a, c, atol=1e-5)
    np.testing.assert_array_equal(b, c)
    fresh = getattr(layers, name)(*args, rng=1)
    theirs.load_state_dict({k: torch().tensor(v) for k, v in fresh.state_dict().items()})
    ours = fresh.eval()
    np.testing.assert_allclose(*outputs(), atol=1e-5)


def test_first_weights_are_spread_as_in_torch():
    ours, theirs = layers.MultiheadAttention(64, 4, rng=0), torch().nn.MultiheadAttention(64, 4)
    for (name, p), (twin, t) in zip(
        ours.named_parameters(), theirs.named_parameters(), strict=True
    ):
        assert name == twin and p.shape == tuple(t.shape) and p.dtype == np.float32
        np.testing.assert_allclose(p.data.std(), t.detach().numpy().std(), rtol=0.05)
        np.testing.assert_allclose(
            np.abs(p.data).max(), np.abs(t.detach().numpy()).max(), rtol=0.02
        )


def test_weights_and_causality():
    x = rng.normal(size=(2, 4, 6))
    m = layers.MultiheadAttention(6, 2, batch_first=True, rng=0).astype("float64")
    padding = np.array([[False] * 4, [False, False, False, True]])
    y, weights = m(x, x, x, padding, is_causal=True)
    other, same_weights = m(x, x, x, key_padding_mask=padding, attn_mask=~np.tri(4, dtype=bool))
    fused, nothing = m(x, x, x, padding, is_causal=True, need_weights=False)
    np.testing.assert_array_equal(y.data, other.data)
    np.testing.assert_array_equal(weights.data, same_weights.data)
    np.testing.assert_allclose(fused.data, y.data, rtol=1e-12, atol=1e-14)
    each = m(x, x, x, padding, average_attn_weights=False, is_causal=True)[1]
    np.testing.assert_allclose(each.data.mean(axis=1), weights.data, rtol=1e-12)
    assert nothing is None and each.shape == (2, 2, 4, 4)
    twin = torch().nn.MultiheadAttention(6, 2, batch_first=True).double()
    twin.load_state_dict({k: torch().tensor(v) for k, v in m.state_dict().items()})
    z = torch().tensor(x)
    _, expected = twin(
        z,
        z,
        z,
        key_padding_mask=torch().tensor(padding),
        attn_mask=torch().tensor(~np.tri(4, dtype=bool)),
    )
    np.testing.assert_allclose(weights.data, expected.detach().numpy(), rtol=1e-9)
    assert not np.triu(weights.data, 1).any() and not weights.data[1, :, 3].any()


def test_weights_in_training_are_those_that_met_the_values():
    """As in PyTorch, dropout's zeros are among the weights returned."""
    x, m = (
        rng.normal(size=(2, 30, 6)),
        layers.MultiheadAttention(6, 2, dropout=0.5, batch_first=True, rng=0).astype("float64"),
    )
    twin = torch().nn.MultiheadAttention(6, 2, dropout=0.5, batch_first=True).double()
    z = torch().tensor(x)
    y, weights = m(x, x, x, average_attn_weights=False)
    v = np.swapaxes((x @ m.in_proj_weight.data[12:].T).reshape(2, 30, 2, 3), 1, 2)
    np.testing.assert_allclose(
        np.swapaxes(weights.data @ v, 1, 2).reshape(2, 30, 6) @ m.out_proj.weight.data.T,
        y.data,
        rtol=1e-9,
    )
    for w in (weights.data, twin(z, z, z, average_attn_weights=False)[1].detach().numpy()):
        assert 0.45 < np.mean(w == 0) < 0.55 and abs(w.sum(axis=-1).mean() - 1) < 0.05


@pytest.mark.parametrize("name, args", BUILT)
def test_dropout_acts_in_training_only_and_from_the_seed(name, args):
    make = lambda: getattr(layers, name)(*args, dropout=0.5, rng=3)
    x = rng.normal(size=(2, 3, 8)).astype("float32")
    inputs = [x] * {
        "MultiheadAttention": 3,
        "TransformerEncoderLayer": 1,
        "TransformerDecoderLayer": 2,
    }[name]
    a, b = make(), make()
    output = lambda layer: layer(*inputs)[0].data
    first, second = output(a), output(a)
    assert np.array_equal(first, output(b)) and not np.array_equal(first, second)
    assert np.array_equal(output(a.eval()), output(b.eval()))


def test_dropout_acts_on_hidden_units():
    layer, zeros = (
        layers.TransformerEncoderLayer(8, 2, 200, dropout=0.5, activation="gelu", rng=0),
        [],
    )
    layer.linear2.register_forward_hook(
        lambda m, inputs, y: zeros.append(np.mean(inputs[0].data == 0))
    )
    layer(X)
    layer.eval()(X)
    assert 0.45 < zeros[0] < 0.55 and zeros[1] == 0


def test_encoder_is_its_layers_in_a_row():
    norm = layers.LayerNorm(4)
    stack = layers.TransformerEncoder(
        layers.TransformerEncoderLayer(4, 2, 8, rng=0), 2, norm=norm
    ).eval()
    x, seen = Tensor(rng.normal(size=(1, 3, 4)).astype("float32")), []
    stack.layers[1].register_forward_hook(lambda m, inputs, y: seen.append(inputs))
    y = stack(x, is_causal=True)
    np.testing.assert_array_equal(
        y.data, norm(stack.layers[1](stack.layers[0](x, is_causal=True), is_causal=True)).data
    )
    assert (
        seen[0][1:] == (None, None, True)
        and [k for k, _ in stack.named_parameters()][0] == "layers.0.self_attn.in_proj_weight"
    )
    one, two = stack.train().layers
    a, b = one.linear1.weight.data, two.linear1.weight.data
    assert np.array_equal(a, b) and not np.shares_memory(a, b)
    assert not np.array_equal(one(x).data, two(x).data)  # dropout


@pytest.mark.parametrize("norm", [True, False])
@pytest.mark.parametrize("kind", ["Encoder", "Decoder"])
def test_stacks_of_layers_equal_torchs(kind, norm):
    """Layers that differ from each other, and masks of every kind."""
    twins, N, T, S = [], 2, 4, 3
    for m in (layers, torch().nn):
        layer = getattr(m, f"Transformer{kind}Layer")(6, 2, 8, batch_first=True)
        last = m.LayerNorm(6) if norm else None
        twins.append(getattr(m, f"Transformer{kind}")(layer, 2, norm=last))
    twins = Weights(*twins)
    padding = np.arange(T) >= [[4], [3]]
    mask = np.triu(np.ones((T, T), bool), 1)
    if kind == "Encoder":
        inputs, given = [rng.normal(size=(N, T, 6))], {"mask": mask}
        given["src_key_padding_mask"] = padding
    else:
        inputs = [rng.normal(size=(N, T, 6)), rng.normal(size=(N, S, 6))]
        given = {"tgt_mask": mask, "tgt_key_padding_mask": padding}
        given["memory_key_padding_mask"] = np.arange(S) >= [[2], [3]]
        given["memory_mask"] = rng.random((T, S)) < 0.3
        given["memory_mask"][:, 0] = False
    twins.compare(rng, inputs, given)


def test_a_decoder_that_predicts_what_comes_next_sees_no_later_token():
    layer = layers.TransformerDecoderLayer(4, 2, 8, batch_first=True, rng=0)
    decoder = layers.TransformerDecoder(layer, 2).eval()
    memory = rng.normal(size=(1, 2, 4)).astype("float32")
    x = rng.normal(size=(1, 5, 4)).astype("float32")
    other = x.copy()
    other[:, 3:] += 1
    a, b = (decoder(t, memory, tgt_is_causal=True).data for t in (x, other))
    assert np.array_equal(a[:, :3], b[:, :3]) and not np.allclose(a[:, 3:], b[:, 3:])
    one, two = decoder.train().layers
    assert not np.array_equal(one(x, memory).data, two(x, memory).data)  # masks of their own


X = np.ones((2, 3, 8), "float32")
first = layers.MultiheadAttention(8, 2, batch_first=True)


@pytest.mark.parametrize(
    "call, message",
    [
        (
            lambda: layers.MultiheadAttention(8, 3),
            r"MultiheadAttention\(8, 3, kdim=8, vdim=8\): num_heads must divide embed_dim",
        ),
        (lambda: layers.MultiheadAttention(8, 2, dropout=1.5), "dropout=1.5"),
        (lambda: first(X[0], X, X), r"query \(3, 8\).*want \(N, T, 8\)"),
        (lambda: first(X[0], X[0, :, :4], X[0]), r"key \(1, 3, 4\)"),
        (
            lambda: layers.MultiheadAttention(8, 2, kdim=4, vdim=0),
            r"kdim=4, vdim=0\): num_heads must divide embed_dim, and all be at least 1",
        ),
        (
            lambda: layers.MultiheadAttention(8, 2, kdim=4, vdim=3, batch_first=True)(X, X, X),
            r"want \(N, T, 8\), \(N, S, 4\), \(N, S, 3\)",
        ),
        (lambda: first(X, X[:1], X[:1]), r"key \(1, 3, 8\)"),
        (lambda: layers.MultiheadAttention(8, 2)(X, X[:, :1], X[:, :1]), r"want \(T, N, 8\)"),
        (lambda: first(X, X, X[:, :2]), r"value \(2, 2, 8\)"),
        (
            lambda: first(X, X, X, np.ones((3, 2), bool)),
            r"key_padding_mask \(3, 2\); want \(2, 3\)",
        ),
        (
            lambda: first(X, X, X, attn_mask=np.ones((2, 3, 3), bool)),
            r"want \(3, 3\) or \(4, 3, 3\)",
        ),
        (
            lambda: layers.TransformerEncoderLayer(8, 2, activation="swish"),
            "TransformerEncoderLayer: activation='swish'",
        ),
        (lambda: layers.TransformerDecoderLayer(8, 3), "must divide"),
        (lambda: layers.TransformerDecoderLayer(8, 2)(X, X[..., :4]), r"key \(2, 3, 4\)"),
        (lambda: layers.TransformerEncoder(None, 0), "num_layers=0"),
        (lambda: layers.TransformerDecoder(None, 0), r"TransformerDecoder\(num_layers=0\)"),
    ],
)
def test_bad_input(call, message):
    with pytest.raises(ValueError, match=message):
        call()
