"""Scenes: boxes, masks and pixels say the same."""

import sys

import numpy as np
import pytest

from dlscratch.data import SHAPES, scenes


def test_picture_boxes_and_masks_agree():
    X, boxes, labels, masks = made = scenes(0, n=200, size=32, most=4, noise=0)
    there = labels >= 0
    assert (
        X.shape == (200, 3, 32, 32)
        and X.dtype == boxes.dtype == np.float32
        and labels.dtype == np.int64
    )
    assert (
        (np.diff(there.astype(int), axis=1) <= 0).all()
        and there[:, 0].all()
        and there.all(axis=1).any()
        and not there[:, 1].all()
    )
    assert np.array_equal(masks.any(axis=(2, 3)), there) and masks.sum(axis=1).max() == 1
    for i, j in np.argwhere(there):
        x0, y0, x1, y1 = boxes[i, j].astype(int)
        rows, columns = np.nonzero(masks[i, j])
        assert [x0, y0, x1, y1] == [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
        assert np.ptp(X[i][:, masks[i, j]], axis=1).max() == 0  # one colour
    assert (boxes[~there] == 0).all() and (
        X.swapaxes(1, 2).swapaxes(2, 3)[~masks.any(axis=1)] == 0.5
    ).all()
    classes = made.classes()
    assert np.array_equal(classes > 0, masks.any(axis=1)) and np.bincount(
        classes.ravel()
    ).size == 1 + len(SHAPES)
    assert all((classes[i][masks[i, j]] == 1 + labels[i, j]).all() for i, j in np.argwhere(there))


def test_shapes_are_what_they_are_called():
    """Alone in a large picture, the share of its box that a shape fills: π/4, 1 and 1/2."""
    _, boxes, labels, masks = scenes(1, n=150, size=128, most=1)
    sides = boxes[:, 0, 2:] - boxes[:, 0, :2]
    share = masks[:, 0].sum(axis=(1, 2)) / sides.prod(axis=1)
    for label, (name, want) in enumerate(zip(SHAPES, (np.pi / 4, 1, 0.5))):
        assert abs(share[labels[:, 0] == label] - want).max() < 0.05, name
    triangles = masks[labels[:, 0] == SHAPES.index("triangle"), 0]
    assert (
        np.diff(triangles.sum(axis=2)[0][triangles[0].any(axis=1)]) >= 0
    ).all()  # the tip is above
    assert (
        (boxes[:, 0, :2] >= 0).all()
        and (boxes[:, 0, 2:] <= 128).all()
        and 21 < sides.min()
        and sides.max() < 53
    )


def test_at_least_half_of_each_shape_is_seen(monkeypatch):
    module, drawn = sys.modules["dlscratch.data.scenes"], []
    draw = module._draw
    monkeypatch.setattr(module, "_draw", lambda *args: drawn.append(draw(*args)) or drawn[-1])
    rng, hidden = np.random.default_rng(2), 0
    for _ in range(100):
        drawn.clear()
        for label, seen in module._place(rng, 20, 8):
            whole = [
                shape
                for k, shape in drawn
                if k == label and (seen <= shape).all() and 2 * seen.sum() >= shape.sum()
            ]
            assert whole
            hidden += all(seen.sum() < shape.sum() for shape in whole)
    assert hidden > 100


def test_noise_and_seeds():
    clean, noisy = scenes(5, n=20, noise=0), scenes(5, n=20, noise=0.2)
    assert np.array_equal(clean.masks, noisy.masks) and abs((noisy.X - clean.X).std() - 0.2) < 0.01
    again, other = scenes(np.random.default_rng(5), n=20, noise=0.2), scenes(6, n=20, noise=0.2)
    assert np.array_equal(noisy.X, again.X) and not np.array_equal(noisy.X, other.X)


@pytest.mark.parametrize("wrong", [{"size": 11}, {"n": 0}, {"most": 0}, {"noise": -0.1}])
def test_misuse(wrong):
    with pytest.raises(ValueError, match="want at least 1, 12, 1 and 0"):
        scenes(0, **wrong)
