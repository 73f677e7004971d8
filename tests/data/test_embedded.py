"""The embedded sets: what they hold, and that chance comes from the caller's generator alone."""

import random

import numpy as np
import pytest

from dlscratch.data import Split, digits, mnist1d, photograph, split, table
from dlscratch.engine import default_dtype


def same(a, b):
    return all(np.array_equal(x, y) for x, y in zip(a, b, strict=True))


def test_digits():
    got = digits()
    assert isinstance(got, Split)
    assert got.X_train.shape == (1348, 64) and got.X_test.shape == (449, 64)
    assert got.X_train.dtype == np.float32 and got.y_test.dtype == np.int64
    assert got.X_train.min() == 0 and got.X_train.max() == 1
    counts = np.bincount(np.concatenate([got.y_train, got.y_test]))
    assert counts.tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]


def test_digits_follow_the_generator():
    assert same(digits(3), digits(np.random.default_rng(3)))
    assert not same(digits(3), digits(4))


def test_the_default_dtype_rules():
    with default_dtype("float64"):
        assert (
            digits().X_train.dtype
            == mnist1d(n=10).X_train.dtype
            == photograph().dtype
            == np.float64
        )


def test_split_keeps_pairs_and_loses_nothing():
    X = np.arange(40).reshape(20, 2)
    got = split(X, X[:, 0], rng=1, test_fraction=0.3)
    assert len(got.X_test) == 6
    assert np.array_equal(got.X_train[:, 0], got.y_train) and np.array_equal(
        got.X_test[:, 0], got.y_test
    )
    assert sorted(np.concatenate([got.y_train, got.y_test])) == X[:, 0].tolist()


@pytest.mark.parametrize("fraction", [0, 1, -0.1, 25])
def test_split_refuses_a_share_outside_0_1(fraction):
    with pytest.raises(ValueError, match="between 0 and 1"):
        digits(test_fraction=fraction)


def test_split_refuses_what_does_not_match():
    with pytest.raises(ValueError, match="3 inputs but 2 targets"):
        split(np.zeros((3, 1)), np.zeros(2))
    with pytest.raises(ValueError, match="change test_fraction"):
        split(np.zeros((3, 1)), np.zeros(3), test_fraction=0.01)


def test_mnist1d_equals_the_package_and_leaves_global_randomness_alone():
    from mnist1d.data import get_dataset_args, make_dataset

    before = random.getstate(), np.random.get_state()[1].tolist()  # noqa: NPY002
    got = mnist1d(n=200)
    assert before == (random.getstate(), np.random.get_state()[1].tolist())  # noqa: NPY002
    args = get_dataset_args()
    args.num_samples = 200
    state = np.random.get_state()  # noqa: NPY002
    theirs = make_dataset(args)
    np.random.set_state(state)  # noqa: NPY002
    assert got.X_train.shape == (160, 40) and got.X_test.shape == (40, 40)
    assert np.array_equal(got.X_train, theirs["x"].astype(np.float32)) and np.array_equal(
        got.y_test, theirs["y_test"]
    )


def test_mnist1d_depends_on_rng_only():
    np.random.seed(5)  # noqa: NPY002
    first = mnist1d(np.random.default_rng(1), n=50)
    np.random.seed(6)  # noqa: NPY002
    assert same(first, mnist1d(np.random.default_rng(1), n=50))
    assert not same(first, mnist1d(np.random.default_rng(2), n=50))
    assert same(mnist1d(7, n=50), mnist1d(np.int64(7), n=50))


def test_mnist1d_options():
    assert mnist1d(n=50, final_seq_length=20).X_train.shape == (40, 20)
    with pytest.raises(TypeError, match="no option length.*shuffle_seq"):
        mnist1d(n=50, length=20)
    with pytest.raises(TypeError, match="no option seed"):
        mnist1d(n=50, seed=3)
    with pytest.raises(ValueError, match="n=9"):
        mnist1d(n=9)


SIZES = {"wine": (178, 13), "breast_cancer": (569, 30), "iris": (150, 4), "diabetes": (442, 10)}


@pytest.mark.parametrize("name", SIZES)
def test_table(name):
    rows, columns = SIZES[name]
    got = table(name)
    assert got.X_train.shape[1] == columns and len(got.X_train) + len(got.X_test) == rows
    assert np.allclose(got.X_train.mean(axis=0, dtype=np.float64), 0, atol=1e-6)
    assert np.allclose(got.X_train.std(axis=0, dtype=np.float64), 1, atol=1e-6)
    assert got.X_train.dtype == np.float32 and got.y_train.dtype == (
        np.float32 if name == "diabetes" else np.int64
    )


def test_table_scales_the_test_rows_with_the_training_rows():
    scaled, raw = table("wine", rng=2), table("wine", rng=2, standardize=False)
    mean, std = (
        raw.X_train.mean(axis=0, dtype=np.float64),
        raw.X_train.std(axis=0, dtype=np.float64),
    )
    assert np.allclose(scaled.X_test, (raw.X_test - mean) / std, atol=1e-4)
    assert not np.allclose(scaled.X_test.mean(axis=0), 0, atol=1e-3)


def test_unknown_names():
    with pytest.raises(ValueError, match="want one of wine"):
        table("whine")
    with pytest.raises(ValueError, match="'china' or 'flower'"):
        photograph("dog")


def test_photograph():
    for name in ("china", "flower"):
        picture = photograph(name)
        assert picture.shape == (427, 640, 3) and picture.dtype == np.float32
        assert picture.min() == 0 and 0.95 < picture.max() <= 1
