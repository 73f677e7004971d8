"""Augmentations move and mix pixels exactly as said, each image by its own chance."""

import numpy as np
import pytest

from dlscratch.data import augment, cutmix, cutout, mixup, random_crop, random_flip, random_shift

SHAPES = [(40, 9, 7), (40, 3, 9, 7)]
IMAGES = {
    "random_shift": random_shift,
    "random_flip": random_flip,
    "cutout": cutout,
    "random_crop": lambda r, X: random_crop(r, X, 5, 1),
}


def rng(seed=0):
    return np.random.default_rng(seed)


def images(shape, dtype=np.float32):
    """No two pixels alike, and none 0."""
    return np.arange(1, 1 + np.prod(shape)).reshape(shape).astype(dtype)


def planes(X):
    return X.reshape(len(X), -1, *X.shape[-2:])


@pytest.mark.parametrize("name", IMAGES)
@pytest.mark.parametrize("shape", SHAPES)
def test_chance_dtype_and_the_original(name, shape):
    for dtype in (np.float32, np.float64, np.uint8):
        X = images(shape, dtype)
        before = X.copy()
        first, again, other = (IMAGES[name](rng(s), X) for s in (1, 1, 2))
        assert (
            first.dtype == dtype
            and np.array_equal(first, again)
            and not np.array_equal(first, other)
            and np.array_equal(X, before)
        )


@pytest.mark.parametrize("shape", SHAPES)
def test_crop_and_shift_are_windows(shape):
    X, seen = images(shape), set()
    for got, pad in (
        (random_crop(rng(), X, 5), 0),
        (random_crop(rng(), X, 8, 2), 2),
        (random_shift(rng(), X, 2), 2),
    ):
        h, w = got.shape[-2:]
        padded = np.pad(planes(X), [(0, 0), (0, 0), (pad, pad), (pad, pad)])
        for one, whole in zip(planes(got), padded):
            all_places = [(i, j) for i in range(10 + 2 * pad - h) for j in range(8 + 2 * pad - w)]
            places = [
                (i, j) for i, j in all_places if np.array_equal(whole[:, i : i + h, j : j + w], one)
            ]
            assert len(places) == 1
            seen.add((h, *places[0]))
    assert (
        random_crop(rng(), X, 5).shape == (*shape[:-2], 5, 5)
        and random_shift(rng(), X).shape == shape
    )
    assert {(i, j) for h, i, j in seen if h == 5} <= {
        (i, j) for i in range(5) for j in range(3)
    } and len(seen) > 45
    assert np.array_equal(random_shift(rng(), X, 0), X)


@pytest.mark.parametrize("shape", SHAPES)
def test_flip(shape):
    X = images(shape)
    got = random_flip(rng(), X)
    turned = (got != X).reshape(40, -1).any(axis=1)
    assert 8 < turned.sum() < 32 and np.array_equal(got[turned], X[turned][..., ::-1])
    assert np.array_equal(random_flip(rng(), X, 1), X[..., ::-1]) and np.array_equal(
        random_flip(rng(), X, 0), X
    )


@pytest.mark.parametrize("shape", SHAPES)
def test_cutout_is_one_square_in_all_channels(shape):
    X = images(shape)
    got = planes(cutout(rng(), X, 4))
    gone = got == 0
    assert np.array_equal(got[~gone], planes(X)[~gone]) and (gone == gone[:, :1]).all()
    for hole in gone[:, 0]:
        rows, columns = np.flatnonzero(hole.any(axis=1)), np.flatnonzero(hole.any(axis=0))
        assert hole.sum() == len(rows) * len(columns) == (np.ptp(rows) + 1) * (np.ptp(columns) + 1)
        assert 2 <= len(rows) <= 4 and 2 <= len(columns) <= 4
        assert len(rows) == 4 or rows[0] == 0 or rows[-1] == 8
    assert (gone.sum(axis=(1, 2, 3)) == 16 * got.shape[1]).any()


def test_mixup_is_one_line_for_inputs_and_targets():
    X, Y = rng().normal(size=(40, 5)).astype(np.float32), np.eye(40, dtype=np.float32)
    got, targets = mixup(rng(3), X, Y, alpha=1.0)
    assert got.dtype == targets.dtype == np.float32 and np.allclose(
        targets.sum(axis=1), 1, atol=1e-6
    )
    assert np.allclose(got, targets @ X, atol=1e-5)  # one-hot targets name the partners
    share = rng(3).beta(1.0, 1.0)
    assert np.allclose(
        np.unique(targets.round(5)),
        np.unique(np.round([0, share, 1 - share, *targets.max(axis=1)], 5)),
        atol=1e-4,
    )
    shares = [mixup(rng(s), X, Y, alpha=0.1)[1].max(axis=1).min() for s in range(60)]
    assert np.mean(np.array(shares) > 0.95) > 0.5  # Beta(0.1, 0.1) lies at the ends


@pytest.mark.parametrize("shape", SHAPES)
def test_cutmix_counts_its_pixels(shape):
    X, Y = images(shape, np.float64), np.eye(40)
    got, targets = cutmix(rng(1), X, Y)
    owner = (planes(got).astype(int) - 1) // np.prod(
        shape[1:]
    )  # no two pixels alike: each tells its image
    assert (owner == owner[:, :1]).all()
    for i, one in enumerate(owner[:, 0]):
        assert np.allclose(np.bincount(one.ravel(), minlength=40) / 63, targets[i])
        foreign = one != i
        if foreign.any():
            rows, columns = np.flatnonzero(foreign.any(axis=1)), np.flatnonzero(foreign.any(axis=0))
            assert (
                foreign.sum()
                == len(rows) * len(columns)
                == (np.ptp(rows) + 1) * (np.ptp(columns) + 1)
            )
            assert len(set(one[foreign])) == 1
    place = (got.astype(int) - 1) % np.prod(shape[1:])
    assert (place == place[0]).all() and (
        owner[:, 0] != np.arange(40)[:, None, None]
    ).any()  # pixels come from their own place


def test_cutmix_keeps_lambda_on_average():
    """The box has the share 1 - λ, less where the edges cut it off: kept is at least λ."""
    X, Y = np.zeros((500, 40, 40)), np.eye(500)
    for seed in range(5):
        share = rng(seed).beta(1.0, 1.0)
        kept = cutmix(rng(seed), X, Y)[1].max(axis=1)
        assert (
            kept[kept < 1].min() > min(share, 1 - share) - 0.06
            and (abs(kept - max(share, 1 - share)) < 0.06).any()
        )


X, Y = images((4, 6, 6)), np.eye(4)
BAD = [
    (lambda: random_flip(rng(), X[0]), "want \\(N, C, H, W\\) or \\(N, H, W\\)"),
    (lambda: random_flip(rng(), X, 2), "p=2"),
    (lambda: random_crop(rng(), X, 7), "does not fit"),
    (lambda: random_crop(rng(), X, 0), "does not fit"),
    (lambda: random_shift(rng(), X, -1), "padded by -1"),
    (lambda: cutout(rng(), X, 0), "size=0"),
    (lambda: mixup(rng(), X, np.arange(4)), "such as np.eye"),
    (lambda: mixup(rng(), X, np.eye(4, dtype=int)), "want shares"),
    (lambda: mixup(rng(), X, Y[:3]), "for 4 inputs"),
    (lambda: mixup(rng(), X, Y, alpha=0), "alpha=0"),
    (lambda: cutmix(rng(), X[0], Y), "want \\(N, C, H, W\\)"),
]


@pytest.mark.parametrize("call, message", BAD, ids=[m for _, m in BAD])
def test_misuse(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize("name", augment.__all__)
def test_a_seed_would_change_every_batch_alike(name):
    more = {"random_crop": (3,), "mixup": (Y,), "cutmix": (Y,)}.get(name, ())
    with pytest.raises(TypeError, match=f"{name}: rng is 0.*make rng = np.random.default_rng"):
        getattr(augment, name)(0, X, *more)
