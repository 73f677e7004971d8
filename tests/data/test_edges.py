"""No examples, NumPy's scalars as options, other dtypes: what holds for all of `data` alike."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlscratch import data, default_dtype

GENERATORS = {  # f(n, scalar): n examples, every option through `scalar`
    "moons": lambda n, s: data.moons(0, n, noise=s(0.2)),
    "circles": lambda n, s: data.circles(0, n, noise=s(0.2)),
    "spirals": lambda n, s: data.spirals(0, n, noise=s(0.2), turns=s(1.5), classes=3),
    "xor": lambda n, s: data.xor(0, n, noise=s(0.2)),
    "blobs": lambda n, s: data.blobs(0, n, noise=s(0.2), classes=3),
    "teacher_student": lambda n, s: data.teacher_student(0, n, 3, 2, noise=s(0.1)),
    "sparse_parity": lambda n, s: data.sparse_parity(0, n, 5, 2),
    "planted_graphs": lambda n, s: data.planted_graphs(0, n, 8, p_in=s(0.5), p_out=s(0.1)),
    "correlated_gaussians": lambda n, s: data.correlated_gaussians(0, n, rho=s(0.3)),
    "scenes": lambda n, s: data.scenes(0, n, 16, noise=s(0.1)),
    "hold_symbol": lambda n, s: data.hold_symbol(0, n, 6, noise=s(0.3)),
    "mnist1d": lambda n, s: data.mnist1d(0, n, test_fraction=s(0.5)),
}
AUGMENTATIONS = {
    "random_crop": lambda rng, X: data.random_crop(rng, X, 4, 1),
    "random_shift": lambda rng, X: data.random_shift(rng, X, 2),
    "random_flip": lambda rng, X: data.random_flip(rng, X, np.float64(0.5)),
    "cutout": lambda rng, X: data.cutout(rng, X, np.int64(3)),
    "mixup": lambda rng, X: data.mixup(rng, X, shares(X), np.float64(0.3))[0],
    "cutmix": lambda rng, X: data.cutmix(rng, X, shares(X), np.float64(0.3))[0],
}


def shares(X):
    return np.ones((len(X), 3), np.float32) / 3


@pytest.mark.parametrize("n", [0, -1])
@pytest.mark.parametrize("name", GENERATORS)
def test_generators_refuse_to_make_nothing_and_say_who_refuses(name, n):
    with pytest.raises(ValueError, match=f"^{name}: .*(at least|want)"):
        GENERATORS[name](n, float)


@pytest.mark.parametrize("scalar", [float, np.float64, np.float32])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", GENERATORS)
def test_floats_have_the_default_dtype_whatever_type_the_options_are(name, dtype, scalar):
    with default_dtype(dtype):
        made = GENERATORS[name](20, scalar)
    arrays = [a for a in made if isinstance(a, np.ndarray)]
    assert arrays[0].dtype == dtype
    assert all(a.dtype == dtype for a in arrays if a.dtype.kind == "f")


@pytest.mark.parametrize("n", [1, 7, 10, 11])
def test_classes_differ_by_at_most_one_where_n_is_not_divisible(n):
    for make in (data.spirals, data.blobs):
        counts = np.bincount(make(0, n, classes=1 if n == 1 else 3).y)
        assert counts.sum() == n and counts.max() - counts.min() <= 1
    sizes = np.bincount(data.planted_graphs(0, 1, max(n, 3), 3).y[0])
    assert sizes.max() - sizes.min() <= 1


@pytest.mark.parametrize("make", [data.spirals, data.blobs])
def test_no_classes_are_refused(make):
    with pytest.raises(ValueError, match="expected at least 1 class"):
        make(0, 10, classes=0)


def test_one_class_is_certain():
    X, y, truth = data.blobs(0, 10, classes=1)
    assert (y == 0).all() and np.array_equal(truth(X), np.ones((10, 1)))


@pytest.mark.parametrize("shape", [(0, 6, 5), (0, 2, 6, 5)])
@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_of_no_images_none_are_made(name, shape):
    X = np.zeros(shape, np.float32)
    got = AUGMENTATIONS[name](np.random.default_rng(0), X)
    want = (*shape[:-2], 4, 4) if name == "random_crop" else shape
    assert got.shape == want and got.dtype == np.float32


@pytest.mark.parametrize("dtype", [np.uint8, np.float16, np.float32, np.float64])
@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_images_keep_their_dtype(name, dtype):
    X = np.ones((3, 2, 6, 5), dtype)
    assert AUGMENTATIONS[name](np.random.default_rng(0), X).dtype == dtype


@given(st.integers(0, 40), st.integers(1, 12), st.booleans(), st.integers(0, 3))
def test_batches_cut_any_number_into_any_size(n, size, drop_last, seed):
    rows, y = np.arange(2 * n).reshape(n, 2), np.arange(n)
    epoch = list(data.batches(np.random.default_rng(seed), rows, y, size=size, drop_last=drop_last))
    sizes = [len(targets) for _, targets in epoch]
    assert len(sizes) == (n // size if drop_last else -(-n // size))
    assert all(s == size for s in (sizes if drop_last else sizes[:-1]))
    assert all(np.array_equal(x[:, 0], 2 * targets) for x, targets in epoch)
    seen = [int(t) for _, targets in epoch for t in targets]
    assert len(set(seen)) == len(seen) == (n - n % size if drop_last else n)
    kept = list(data.batches(np.random.default_rng(seed), y, size=size))
    assert seen == [int(t) for b in kept for t in b][: len(seen)], "the same order, cut short"


def test_what_leaves_out_examples_leaves_out_others_each_epoch():
    rng, y = np.random.default_rng(0), np.arange(10)
    left_out = set()
    for _ in range(50):
        kept = np.concatenate(list(data.batches(rng, y, size=9, drop_last=True)))
        left_out |= set(range(10)) - {int(k) for k in kept}
    assert left_out == set(range(10))


def test_tokenizers_take_nothing():
    for tokens in (data.CharTokenizer("ab"), data.BPETokenizer.train("", 300)):
        assert tokens.encode("").shape == (0,) and tokens.encode("").dtype == np.int64
        assert tokens.decode(tokens.encode("")) == "" and tokens.decode([]) == ""
