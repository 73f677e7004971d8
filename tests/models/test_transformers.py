"""GPT looks back only, BERT both ways, ViT at patches; each learns a batch by heart."""

import numpy as np
import pytest

from dlscratch import functional as F
from dlscratch.models import BERT, GPT, ViT
from dlscratch.optimizers import Adam

rng = np.random.default_rng(0)
IDS = rng.integers(0, 11, (4, 6))


@pytest.mark.parametrize("model", [GPT, BERT])
def test_equal_tokens_differ_by_their_place(model):
    y = model(5, 4, rng=0).eval()(np.full((1, 4), 2)).data[0]
    assert all(np.abs(a - b).max() > 1e-4 for a, b in zip(y, y[1:], strict=False))


@pytest.mark.parametrize("make, sees_ahead", [(GPT, False), (BERT, True)])
def test_what_a_later_token_changes(make, sees_ahead):
    model, other = make(11, 8, layers=2, heads=4, width=16, rng=0), IDS.copy()
    other[:, 4] = (other[:, 4] + 1) % 11
    a, b = model(IDS).data, model(other).data
    assert a.shape == (4, 6, 11) and a.dtype == np.float32
    assert np.array_equal(a[:, :4], b[:, :4]) != sees_ahead and not np.array_equal(
        a[:, 4:], b[:, 4:]
    )
    np.testing.assert_allclose(model(IDS[:, :3]).data, a[:, :3], atol=1e-5 if not sees_ahead else 1)


@pytest.mark.parametrize("make", [GPT, BERT])
def test_all_tokens_are_equally_likely_at_first(make):
    model = make(50, 16, rng=0)
    loss = F.cross_entropy(
        model(rng.integers(0, 50, (8, 16))).reshape(-1, 50), rng.integers(0, 50, 128)
    ).item()
    np.testing.assert_allclose(loss, np.log(50), rtol=0.02)


def test_padding_is_not_seen():
    model, padding, other = BERT(11, 8, rng=0), np.arange(6) >= [[4]] * 4, IDS.copy()
    other[:, 4:] = 0
    np.testing.assert_array_equal(
        model(IDS, padding).data[:, :4], model(other, padding).data[:, :4]
    )


def test_tied_weights_are_one_parameter():
    model = GPT(11, 8, layers=2, width=16, rng=0)
    blocks = 2 * (4 * 16 * 16 + 4 * 16 + 2 * 64 * 16 + 64 + 16 + 4 * 16)
    assert len(model.parameters().theta) == 11 * 16 + 8 * 16 + blocks + 2 * 16
    assert np.array_equal(model(IDS).data, GPT(11, 8, layers=2, width=16, rng=0)(IDS).data)


MODELS = {
    "GPT": (lambda: GPT(11, 8, width=16, rng=0), IDS[:, :-1], IDS[:, 1:]),
    "BERT": (lambda: BERT(12, 8, width=16, rng=0), np.where(np.arange(6) % 3 == 1, 11, IDS), IDS),
    "ViT": (
        lambda: ViT(8, 4, 5, width=16, channels=2, rng=0),
        rng.normal(size=(6, 2, 8, 8)).astype("float32"),
        np.arange(6) % 5,
    ),
}


@pytest.mark.parametrize("name", MODELS)
def test_learns_a_batch_by_heart(name):
    make, x, y = MODELS[name]
    model, losses = make(), []
    optimizer = Adam(model.parameters(), lr=1e-2)
    for _ in range(60):
        optimizer.zero_grad()
        logits = model(x)
        loss = F.cross_entropy(logits.reshape(-1, logits.shape[-1]), y.ravel())
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.2 * losses[0], losses[::10]
    assert all(
        np.any(p.grad) for n, p in model.named_parameters() if not n.endswith("in_proj_bias")
    )


def test_generate():
    model = GPT(11, 4, width=16, dropout=0.5, rng=0)
    start = IDS[:2, :3]
    drawn = model.generate(start, 5, rng=0)
    assert (
        drawn.shape == (2, 8) and np.array_equal(drawn[:, :3], start) and model.training
    )  # 8 > context: the last 4 are seen
    np.testing.assert_array_equal(drawn, model.generate(start, 5, rng=0))
    greedy = model.generate(start, 2, rng=1, temperature=0)
    np.testing.assert_array_equal(greedy[:, 3], model.eval()(start).data[:, -1].argmax(axis=1))
    np.testing.assert_array_equal(greedy[:, 4], model(greedy[:, :4]).data[:, -1].argmax(axis=1))
    counts = (
        np.bincount(
            model.generate(np.repeat(start[:1], 4000, axis=0), 1, rng=2, temperature=0.02)[:, 3],
            minlength=11,
        )
        / 4000
    )
    np.testing.assert_allclose(
        counts, F.softmax(model(start[:1]).data[0, -1].astype(float) / 0.02), atol=0.03
    )
    assert counts.max() > 0.2  # sharper than uniform, so the temperature counts


def shares(model, start, draws=4000, **options):
    """How often each token comes next."""
    many = np.repeat(start, draws, axis=0)
    return np.bincount(model.generate(many, 1, rng=2, **options)[:, -1], minlength=11) / draws


def filtered(logits, temperature, top_k, top_p):
    """The probabilities that are left, one token at a time."""
    p = np.exp(logits / temperature)
    p /= p.sum()
    order = np.argsort(-p)
    kept = order[:top_k] if top_k else order
    p = np.where(np.isin(np.arange(len(p)), kept), p, 0)
    p /= p.sum()
    total, left = 0.0, np.zeros_like(p)
    for token in np.argsort(-p):
        if total >= (top_p or 1):
            break
        left[token] = p[token]
        total += p[token]
    return left / left.sum()


@pytest.mark.parametrize("temperature", [0.02, 1.0, 3.0])
@pytest.mark.parametrize("top_k, top_p", [(3, None), (None, 0.6), (5, 0.5), (99, 1.0), (1, 0.3)])
def test_tokens_are_drawn_among_the_likely_only(temperature, top_k, top_p):
    model, start = GPT(11, 4, width=16, rng=0).eval(), IDS[:1, :3]
    for p in model.parameters():
        p.data *= 3  # less like a uniform distribution
    logits = model(start).data[0, -1].astype(float)
    expected = filtered(logits, temperature, top_k, top_p)
    got = shares(model, start, temperature=temperature, top_k=top_k, top_p=top_p)
    np.testing.assert_allclose(got, expected, atol=0.03)
    assert not got[expected == 0].any()
    assert (expected > 0).sum() < 11 or (top_k, top_p) == (99, 1.0) or temperature < 1


def test_without_a_temperature_the_likeliest_token_comes():
    model = GPT(11, 4, width=16, rng=0)
    greedy = model.generate(IDS[:2, :3], 3, rng=0, temperature=0)
    for options in ({"top_k": 2}, {"top_p": 0.5}, {"top_k": np.int64(4), "top_p": np.float32(0.9)}):
        same = model.generate(IDS[:2, :3], 3, rng=1, temperature=0, **options)
        np.testing.assert_array_equal(same, greedy)


def test_generate_leaves_frozen_parts_frozen():
    model = GPT(11, 4, width=16, dropout=0.5, rng=0)
    model.body.layers[0].eval()
    before = [m.training for m in model.modules()]
    model.generate(IDS[:1, :2], 1, rng=0)
    assert [m.training for m in model.modules()] == before and True in before and False in before


def test_a_gpt_without_biases():
    model = GPT(11, 8, layers=2, width=16, bias=False, rng=0)
    assert not [n for n, _ in model.named_parameters() if "bias" in n]
    biases = 2 * (4 * 16 + 64 + 16 + 2 * 16) + 16
    assert len(GPT(11, 8, layers=2, width=16, rng=0).parameters().theta) == biases + len(
        model.parameters().theta
    )
    assert model(IDS).shape == (4, 6, 11) and model.generate(IDS, 2, rng=0).shape == (4, 8)


def test_vit_shapes():
    model = ViT(12, 4, 7, width=8, rng=0)
    x = rng.normal(size=(2, 3, 12, 12)).astype("float32")
    y = model(x)
    assert y.shape == (2, 7) and y.dtype == np.float32 and model.positions.shape == (10, 8)
    moved = np.concatenate(
        [x[..., 4:], x[..., :4]], axis=-1
    )  # the same patches elsewhere: told apart by positions alone
    assert not np.allclose(model(moved).data, y.data, atol=1e-7)
    model.positions.data[...] = 0
    np.testing.assert_allclose(model(moved).data, model(x).data, atol=1e-6)


@pytest.mark.parametrize(
    "call, error, message",
    [
        (
            lambda: GPT(11, 4)(IDS),
            ValueError,
            r"GPT: ids \(4, 6\); want \(N, T\) with 1 <= T <= context = 4",
        ),
        (lambda: BERT(11, 4)(IDS), ValueError, "BERT: ids"),
        (lambda: GPT(11, 8)(IDS[0]), ValueError, r"ids \(6,\)"),
        (lambda: GPT(11, 8)(IDS.astype(float)), TypeError, "want integers"),
        (lambda: GPT(10, 8)(IDS * 0 + 10), ValueError, "want 0 to 9"),
        (lambda: GPT(11, 8, heads=3), ValueError, "must divide"),
        (lambda: GPT(11, 8).generate(IDS, 1, 0, temperature=-1), ValueError, "temperature=-1"),
        (lambda: GPT(11, 8).generate(IDS, 1, 0, top_k=0), ValueError, "top_k=0; want at least 1"),
        (lambda: GPT(11, 8).generate(IDS, 1, 0, top_p=0), ValueError, "top_p=0; want 0 < top_p"),
        (lambda: GPT(11, 8).generate(IDS, 1, 0, top_p=1.5), ValueError, "top_p=1.5; want 0 <"),
        (lambda: ViT(8, 4, 3)([[1.0]]), ValueError, r"ViT: input \(1, 1\); want"),
        (
            lambda: BERT(11, 8)(IDS, np.ones((2, 2), bool)),
            ValueError,
            r"key_padding_mask \(2, 2\); want \(4, 6\)",
        ),
        (lambda: ViT(10, 4, 3), ValueError, "ViT: image=10, patch=4"),
        (
            lambda: ViT(8, 4, 3)(np.ones((2, 1, 8, 8))),
            ValueError,
            r"ViT: input \(2, 1, 8, 8\); want \(N, 3, 8, 8\)",
        ),
    ],
)
def test_bad_input(call, error, message):
    with pytest.raises(error, match=message):
        call()
