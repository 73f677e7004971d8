"""Random changes of images that leave their class, or change it by a known amount.

Images: (N, C, H, W) or (N, H, W). All draw from a Generator that is given first, raise TypeError
for a seed in its place (which would draw the same change each time), and ValueError for other
shapes. Of no images they make none.
"""

import numpy as np

from .split import check_rng

__all__ = ["random_crop", "random_shift", "random_flip", "cutout", "mixup", "cutmix"]


def random_crop(rng: np.random.Generator, X: np.ndarray, size: int, padding: int = 0) -> np.ndarray:
    """A random square of each image, after `padding` zeros on each side.

    Source: Krizhevsky, Sutskever & Hinton 2012.

    Parameters
    ----------
    rng : Generator
    X : ndarray
        (N, ..., H, W).
    size : int
        The side of the square.
    padding : int
        Zeros on each side of an image, before the square is drawn.

    Returns
    -------
    ndarray
        (N, ..., size, size).

    Raises
    ------
    ValueError
        Where no such square fits.

    Examples
    --------
    >>> X = np.ones((5, 3, 32, 32), np.float32)
    >>> random_crop(np.random.default_rng(0), X, size=32, padding=4).shape
    (5, 3, 32, 32)
    """
    _check("random_crop", rng, X)
    return _window(rng, X, (size, size), padding)


def random_shift(rng: np.random.Generator, X: np.ndarray, most: int = 2) -> np.ndarray:
    """Each image moved by up to `most` pixels along both axes, zeros moving in.

    (N, ..., H, W) → the same.
    """
    _check("random_shift", rng, X)
    return _window(rng, X, X.shape[-2:], most)


def random_flip(rng: np.random.Generator, X: np.ndarray, p: float = 0.5) -> np.ndarray:
    """Each image, with probability p, mirrored left to right: (N, ..., H, W) → the same.

    Raises ValueError for p outside [0, 1].

    Examples
    --------
    >>> X = np.array([[[1, 2, 3]], [[4, 5, 6]]])
    >>> random_flip(np.random.default_rng(0), X, p=1.0).tolist()
    [[[3, 2, 1]], [[6, 5, 4]]]
    """
    _check("random_flip", rng, X)
    if not 0 <= p <= 1:
        raise ValueError(f"random_flip: p={p}; want a probability from 0 to 1")
    return np.where(_column(rng.random(len(X)) < p, X), X[..., ::-1], X)


def cutout(rng: np.random.Generator, X: np.ndarray, size: int = 8) -> np.ndarray:
    """A square of zeros around a random pixel of each image, cut off at the edges.

    (N, ..., H, W) → the same. Raises ValueError for size below 1. Source: DeVries & Taylor 2017.
    """
    _check("cutout", rng, X)
    if size < 1:
        raise ValueError(f"cutout: size={size}; want at least 1")
    return np.where(_box(rng, X, np.full((len(X), 2), size)), X.dtype.type(0), X)


def mixup(
    rng: np.random.Generator, X: np.ndarray, Y: np.ndarray, alpha: float = 0.2
) -> tuple[np.ndarray, np.ndarray]:
    """Points on straight lines between examples, and their targets likewise.

    λ x_i + (1 - λ) x_j and λ y_i + (1 - λ) y_j, with one λ ~ Beta(α, α) and j a random order.
    Source: Zhang et al. 2018.

    Parameters
    ----------
    rng : Generator
    X : ndarray
        (N, ...).
    Y : ndarray
        (N, K) of floats: one-hot, or shares.
    alpha : float
        Above 0; the smaller, the nearer to one of the two.

    Returns
    -------
    X, Y : ndarray
        Of the same shapes and dtypes.

    Raises
    ------
    ValueError
        For integer classes, and for alpha not above 0.

    Examples
    --------
    >>> X = np.array([[0.0], [1.0]])
    >>> mixed, shares = mixup(np.random.default_rng(1), X, np.eye(2), alpha=1.0)
    >>> mixed.round(2).tolist(), shares.round(2).tolist()
    ([[0.58], [0.42]], [[0.42, 0.58], [0.58, 0.42]])
    """
    share, other = _partners("mixup", rng, X, Y, alpha)
    return _blend(X, X[other], share), _blend(Y, Y[other], share)


def cutmix(
    rng: np.random.Generator, X: np.ndarray, Y: np.ndarray, alpha: float = 1.0
) -> tuple[np.ndarray, np.ndarray]:
    """A box of another image in each image, and targets in the ratio of their pixels.

    λ and the other image are drawn as in `mixup`. The box has √(1 - λ) times the image's
    sides, and its middle anywhere; the edges cut it off, and the targets count the pixels
    that are really there. Source: Yun et al. 2019.

    Parameters
    ----------
    rng : Generator
    X : ndarray
        (N, ..., H, W).
    Y : ndarray
        (N, K) of floats: one-hot, or shares.
    alpha : float
        Above 0; 1 draws λ uniformly.

    Returns
    -------
    X, Y : ndarray
        Of the same shapes and dtypes.

    Raises
    ------
    ValueError
        As `mixup`.
    """
    _check("cutmix", rng, X)
    share, other = _partners("cutmix", rng, X, Y, alpha)
    sides = np.rint(np.sqrt(1 - share) * np.array(X.shape[-2:])).astype(int)
    box = _box(rng, X, np.tile(sides, (len(X), 1)))
    kept = 1 - box.mean(axis=tuple(range(1, box.ndim)))
    return np.where(box, X[other], X), _blend(Y, Y[other], kept[:, None])


def _check(name, rng, X):
    check_rng(name, rng)
    if np.ndim(X) not in (3, 4):
        raise ValueError(f"{name}: images {np.shape(X)}; want (N, C, H, W) or (N, H, W)")


def _partners(name, rng, X, Y, alpha):
    """λ, and the order of those that are mixed in."""
    check_rng(name, rng)
    if np.ndim(Y) != 2 or len(X) != len(Y) or not np.issubdtype(Y.dtype, np.floating):
        raise ValueError(
            f"{name}: targets {Y.dtype} {Y.shape} for {len(X)} inputs; "
            "want shares (N, K), such as np.eye(K)[y]"
        )
    if not alpha > 0:
        raise ValueError(f"{name}: alpha={alpha}; want a positive number")
    return rng.beta(alpha, alpha), rng.permutation(len(X))


def _blend(a, b, share):
    return (share * a + (1 - share) * b).astype(a.dtype)


def _column(v, X):
    """(N,) with as many axes of length 1 behind it as X has."""
    return v.reshape(-1, *[1] * (X.ndim - 1))


def _window(rng, X, shape, padding):
    H, W = (s + 2 * padding for s in X.shape[-2:])
    if padding < 0 or min(shape) < 1 or shape[0] > H or shape[1] > W:
        raise ValueError(
            f"a window of {shape} from images {X.shape[-2:]} padded by {padding} does not fit; "
            "make it smaller or pad more"
        )
    padded = np.pad(X, [(0, 0)] * (X.ndim - 2) + [(padding, padding)] * 2)
    windows = np.lib.stride_tricks.sliding_window_view(padded, shape, axis=(-2, -1))
    top = rng.integers(H - shape[0] + 1, size=len(X))
    left = rng.integers(W - shape[1] + 1, size=len(X))
    return windows[np.arange(len(X)), ..., top, left, :, :]


def _box(rng, X, sides):
    """True in a box of (height, width) around a random pixel of each image.

    sides: (N, 2) → (N, 1, H, W), or (N, H, W) as X has it.
    """
    ranges = []
    for side, length in zip(sides.T, X.shape[-2:]):
        start = rng.integers(length, size=len(X)) - side // 2
        at = np.arange(length)
        ranges.append((at >= start[:, None]) & (at < (start + side)[:, None]))
    box = ranges[0][:, :, None] & ranges[1][:, None, :]
    return box if X.ndim == 3 else box[:, None]
