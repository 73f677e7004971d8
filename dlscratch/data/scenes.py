"""Pictures of shapes whose boxes and masks are exact: the pictures are painted from them."""

from typing import NamedTuple

import numpy as np

from ..engine import default_dtype

__all__ = ["Scenes", "scenes", "SHAPES"]

SHAPES = ("disc", "square", "triangle")


class Scenes(NamedTuple):
    """Pictures, and what is on them, of N scenes of up to M shapes.

    X: (N, 3, H, H); boxes: (N, M, 4) of x0, y0, x1, y1; labels: (N, M); masks: (N, M, H, H).
    A box reaches from the left and upper edge of its first pixel to the right and lower edge
    of its last one. Where a scene has fewer than M shapes, labels are -1, boxes 0 and masks
    False. Masks are what can be seen, so that no two share a pixel.
    """

    X: np.ndarray
    boxes: np.ndarray
    labels: np.ndarray
    masks: np.ndarray

    def classes(self) -> np.ndarray:
        """The class of each pixel, 0 for the ground and 1 + label for a shape: (N, H, H)."""
        return np.where(self.masks, 1 + self.labels[:, :, None, None], 0).sum(axis=1)


def scenes(
    rng: np.random.Generator | int | None,
    n: int = 100,
    size: int = 32,
    most: int = 3,
    noise: float = 0.05,
) -> Scenes:
    """Scenes of coloured discs, squares and triangles on grey ground, later ones in front.

    X is 0.5 on the ground, on a shape its colour (three channels uniform on [0, 1)), plus
    noise · z with z standard normal. Of each shape at least half remains in sight.

    Parameters
    ----------
    rng : Generator or int, optional
    n : int
        How many scenes.
    size : int
        The side H of a picture, at least 12.
    most : int
        Up to how many shapes, M; at least 1 is there.
    noise : float
        The standard deviation of what is added, at least 0.

    Returns
    -------
    Scenes

    Raises
    ------
    ValueError
        For size below 12, a count below 1, or negative noise.

    Examples
    --------
    >>> pictures = scenes(rng=0, n=4)
    >>> pictures.X.shape, pictures.boxes.shape, pictures.masks.shape
    ((4, 3, 32, 32), (4, 3, 4), (4, 3, 32, 32))
    >>> SHAPES[pictures.labels[0, 0]], pictures.boxes[0, 0].tolist()
    ('square', [1.0, 1.0, 9.0, 8.0])
    """
    if size < 12 or n < 1 or most < 1 or not noise >= 0:
        raise ValueError(
            f"scenes: n={n}, size={size}, most={most}, noise={noise}; want at least 1, 12, 1 and 0"
        )
    rng = np.random.default_rng(rng)
    X = np.full((n, 3, size, size), 0.5)
    masks = np.zeros((n, most, size, size), bool)
    labels = np.full((n, most), -1)
    for i in range(n):
        found = _place(rng, size, rng.integers(1, most + 1))
        for j, (label, mask) in enumerate(found):
            labels[i, j] = label
            masks[i, j] = mask
            X[i][:, mask] = rng.random((3, 1))
    X += noise * rng.standard_normal(X.shape)
    return Scenes(X.astype(default_dtype()), _boxes(masks), labels, masks)


def _place(rng, size, count):
    """Up to `count` pairs (label, visible mask).

    A shape that would hide most of another is drawn anew, and left out after 20 tries.
    """
    placed = []  # (label, visible mask, area of the whole shape)
    for _ in range(count):
        for _ in range(20):
            label, shape = _draw(rng, size)
            rest = [(k, seen & ~shape, area) for k, seen, area in placed]
            if all(2 * seen.sum() >= area for _, seen, area in rest):
                placed = [*rest, (label, shape, shape.sum())]
                break
    return [(label, seen) for label, seen, _ in placed]


def _draw(rng, size):
    """One shape wholly inside the picture: its number and the pixels whose centre is in it."""
    label = int(rng.integers(len(SHAPES)))
    r = rng.uniform(size / 10, size / 5)
    x0, y0 = rng.uniform(r, size - r, 2)
    centre = np.arange(size) + 0.5
    x = (centre - x0) / r
    y = (centre[:, None] - y0) / r
    inside = (
        x**2 + y**2 <= 1,
        np.maximum(abs(x), abs(y)) <= 0.9,
        (y <= 0.8) & (abs(x) <= (y + 1) / 1.8),
    )
    return label, inside[label]


def _boxes(masks):
    """The smallest box around each mask: (N, M, H, W) → (N, M, 4)."""
    x0, x1 = _ends(masks.any(axis=-2))
    y0, y1 = _ends(masks.any(axis=-1))
    return np.stack([x0, y0, x1, y1], axis=-1).astype(default_dtype())


def _ends(line):
    """The first and one after the last True along the last axis; 0, 0 where there is none."""
    some = line.any(axis=-1)
    first = line.argmax(axis=-1)
    end = line.shape[-1] - line[..., ::-1].argmax(axis=-1)
    return first * some, end * some
