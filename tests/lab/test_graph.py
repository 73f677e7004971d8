"""The picture of a graph: every node and edge is there, nothing overlaps, inputs stand above."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

from dlscratch.engine import Tensor
from dlscratch.lab import plot


@pytest.fixture(autouse=True)
def clean_figures():
    yield
    plt.close("all")


def leaf(*shape):
    return Tensor(np.ones(shape), requires_grad=True)


def boxes(ax):
    return [p for p in ax.patches if isinstance(p, FancyBboxPatch)]


def arrows(ax):
    return [p for p in ax.patches if isinstance(p, FancyArrowPatch)]


def texts(ax):
    return [t.get_text() for t in ax.texts]


def height(ax, text):
    return next(t.get_position()[1] for t in ax.texts if t.get_text() == text)


def test_a_layer():
    x, W, b = leaf(5, 3), leaf(3, 2), leaf(2)
    h = np.tanh(x @ W + b)
    ax = plot.graph(h, {"x": x, "W": W, "h": h})
    assert set(texts(ax)) == {
        "h = tanh",
        "+",
        "@",
        "x",
        "W",
        "leaf",
        "5 × 2",
        "5 × 3",
        "3 × 2",
        "2",
    }
    assert len(boxes(ax)) == 6 and len(arrows(ax)) == 5
    assert (
        height(ax, "x")
        == height(ax, "W")
        > height(ax, "@")
        > height(ax, "+")
        > height(ax, "h = tanh")
    )
    assert height(ax, "leaf") == pytest.approx(height(ax, "@"))  # right above its first use


def test_constants_and_options():
    ax = plot.graph(np.sum(2.5 * leaf(3, 4), axis=0) + np.zeros(4))
    assert {"2.5", "array 4", "sum", "axis=0 → 4"} <= set(texts(ax))
    assert len(boxes(ax)) == 4 and len(arrows(ax)) == 5


def test_an_input_used_twice_is_one_node_with_two_arrows():
    x = leaf(2)
    ax = plot.graph(x * x)
    assert len(boxes(ax)) == 2 and len(arrows(ax)) == 2


def tangled():
    a, b, c = leaf(), leaf(), leaf()
    return np.exp(a * b) + np.sin(a) * b / c + np.logaddexp(a, c) * np.exp(a * c)


def test_no_boxes_overlap_and_all_are_inside():
    ax = plot.graph(tangled())
    found = [box.get_bbox() for box in boxes(ax)]
    assert len(found) > 10
    for i, one in enumerate(found):
        assert ax.get_xlim()[0] <= one.x0 and one.x1 <= ax.get_xlim()[1]
        assert ax.get_ylim()[0] <= one.y0 and one.y1 <= ax.get_ylim()[1]
        assert not any(one.overlaps(other) for other in found[i + 1 :])


def test_arrows_point_down_from_box_to_box():
    ax = plot.graph(tangled())
    found = [box.get_bbox() for box in boxes(ax)]
    for arrow in arrows(ax):
        (x0, y0), (x1, y1) = arrow._path_original.vertices[[0, -1]]
        assert y1 < y0
        assert any(b.x0 < x0 < b.x1 and abs(y0 - b.y0) < 1e-9 for b in found)
        assert any(b.x0 < x1 < b.x1 and abs(y1 - b.y1) < 1e-9 for b in found)


def test_a_given_axis_is_used():
    ax = plt.subplots()[1]
    assert plot.graph(leaf(2) * 2, ax=ax) is ax


def test_misuse():
    y = np.sum(leaf(2) * 2)
    y.backward()
    with pytest.raises(ValueError, match="freed this graph"):
        plot.graph(y)
    with pytest.raises(TypeError, match="came ndarray"):
        plot.graph(np.ones(2))
    x = leaf(2)
    for _ in range(70):
        x = np.sin(x)
    with pytest.raises(ValueError, match="more than 60 nodes"):
        plot.graph(x)
