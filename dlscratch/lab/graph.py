"""The graph that an expression leaves behind, as a picture: each operation below its inputs."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch
from matplotlib.path import Path

from ..engine import Tensor
from ..engine.operation import describe

__all__ = ["graph"]

_SIGNS = {
    "np.add": "+",
    "np.subtract": "−",
    "np.multiply": "×",
    "np.divide": "÷",
    "np.matmul": "@",
    "np.power": "power",
    "np.negative": "negate",
    "np.square": "square",
    "getitem": "[ ]",
}
_COLORS = {
    "leaf": ("#CFE4F3", "#0072B2"),
    "operation": ("#F6F6F6", "#999999"),
    "result": ("#FBDFCC", "#D55E00"),
}
_WIDE, _TALL = 0.84, 0.56  # of a box, in units of the grid on which boxes stand
_UNIT = (1.2, 0.9)  # inches


def graph(tensor: Tensor, names: dict[str, Tensor] | None = None, ax: Axes | None = None) -> Axes:
    """Draw how `tensor` was computed: leaves blue, the result orange, constants bare.

    names: {"x": x, ...}, labels for Tensors. Shapes stand in small print. Call it before backward,
    which frees the graph. Raises TypeError for what is no Tensor, ValueError for a graph that was
    freed or has more than 60 nodes.

    Examples
    --------
    >>> x = Tensor(np.ones(3), requires_grad=True)
    >>> ax = graph(np.tanh(2 * x), {"x": x})
    >>> [text.get_text() for text in ax.texts]
    ['tanh', '3', '×', '3', '2', 'x', '3']
    """
    if not isinstance(tensor, Tensor):
        raise TypeError(
            f"graph: came {type(tensor).__name__}, want the Tensor whose making is to be drawn"
        )
    nodes, edges = _collect(tensor)
    place, routes = _layout(nodes, edges)
    taken = [*place.values(), *(point for route in routes for point in route[1:-1])]
    (left, bottom), (right, top) = np.min(taken, axis=0), np.max(taken, axis=0)
    size = min((right - left + 1.1) * _UNIT[0], 9.0), (top - bottom + 0.8) * _UNIT[1]
    ax = ax or plt.subplots(figsize=size)[1]
    ax.set(xlim=(left - 0.55, right + 0.55), ylim=(bottom - 0.4, top + 0.4))
    ax.axis("off")
    for route in routes:
        _arrow(ax, route)
    labels = {id(t): name for name, t in (names or {}).items()}
    for key, node in nodes.items():
        _draw(ax, place[key], node, labels.get(key), key == id(tensor))
    return ax


# What there is to draw ----------------------------------------------------------------------------


def _collect(root):
    """({key: Tensor or constant}, [edge]).

    An edge is (key of input, key of output, place among the inputs from -1 to 1).
    """
    nodes = {id(root): root}
    edges = []
    stack = [root]
    while stack:
        node = stack.pop()
        if node.inputs is None:
            raise ValueError(
                "graph: a backward freed this graph; draw it first, or backward(retain_graph=True)"
            )
        for i, x in enumerate(node.inputs):
            is_tensor = isinstance(x, Tensor)
            key = id(x) if is_tensor else (id(node), i)  # the number 2, used twice, is drawn twice
            edges.append((key, id(node), 2 * (i + 1) / (len(node.inputs) + 1) - 1))
            if key not in nodes:
                nodes[key] = x
                if is_tensor:
                    stack.append(x)
        if len(nodes) > 60:
            raise ValueError("graph: more than 60 nodes make no picture; draw a smaller expression")
    return nodes, edges


# Where it goes ------------------------------------------------------------------------------------
#
# Layers by depth, then sweeps that draw neighbours together (Sugiyama, Tagawa & Toda 1981).


def _layout(nodes, edges):
    """({key: (x, y)}, [the points of each edge]).

    An edge over several layers passes through a free place in each.
    """
    depth = _depths(nodes, edges)
    layers = [[key for key in nodes if depth[key] == d] for d in range(max(depth.values()) + 1)]
    links = []
    chains = []
    for number, (a, b, port) in enumerate(edges):
        between = [("edge", number, d) for d in range(depth[a] + 1, depth[b])]
        for key in between:
            layers[key[2]].append(key)
        chain = [a, *between, b]
        is_constant = _is_constant(nodes[a])
        chains.append((chain, port, is_constant))
        weight = 0.05 if is_constant else 1.0  # a number stands beside the flow, and bends it not
        ports = [0.0] * len(between) + [port]
        links += [(u, v, p, weight) for u, v, p in zip(chain[:-1], chain[1:], ports, strict=True)]
    x = _columns(layers, links)
    place = {key: (x[key], -d) for d, layer in enumerate(layers) for key in layer}
    routes = [_points([place[k] for k in chain], *how) for chain, *how in chains]
    return {key: place[key] for key in nodes}, routes


def _depths(nodes, edges):
    """The longest way from a leaf to each node; leaves stand right above their first use."""
    depth = dict.fromkeys(nodes, 0)
    for _ in nodes:
        before = dict(depth)
        for a, b, _port in edges:
            depth[b] = max(depth[b], depth[a] + 1)
        if depth == before:
            break
    computed = {b for _, b, _ in edges}
    for key in nodes.keys() - computed:
        depth[key] = min((depth[b] - 1 for a, b, _ in edges if a == key), default=0)
    return depth


def _columns(layers, links):
    """The x of every place.

    Each layer is ordered by the mean of its neighbours, then places are pulled to that mean, 1
    apart.
    """
    above = {}
    below = {}
    for a, b, port, weight in links:
        above.setdefault(b, []).append((a, -0.4 * port, weight))
        below.setdefault(a, []).append((b, 0.4 * port, weight))
    x = {key: float(i) for layer in layers for i, key in enumerate(layer)}
    for sweep in range(24):
        near = above if sweep % 2 == 0 else below
        for layer in layers if near is above else layers[::-1]:
            wish = {key: _wish(key, near.get(key), x) for key in layer}
            if sweep < 12:
                layer.sort(key=wish.get)
            x.update(zip(layer, _spaced([wish[key] for key in layer]), strict=True))
    return x


def _wish(key, neighbours, x):
    """Where a place would stand if its layer were empty: over or under what it is tied to."""
    if not neighbours:
        return x[key]
    places = [x[n] + shift for n, shift, _ in neighbours]
    return float(np.average(places, weights=[w for *_, w in neighbours]))


def _spaced(wishes):
    """The points nearest to the wishes that keep their order, 1 apart.

    They are the mean of pushing right and pushing left.
    """
    right = list(wishes)
    left = list(wishes)
    for i in range(1, len(wishes)):
        right[i] = max(right[i], right[i - 1] + 1)
        left[-1 - i] = min(left[-1 - i], left[-i] - 1)
    return [(a + b) / 2 for a, b in zip(left, right, strict=True)]


def _points(route, port, constant):
    """From the lower edge of the first box to the upper edge of the last.

    There the inputs stand side by side.
    """
    (x0, y0), *middle, (x1, y1) = route
    begin = (x0, y0 - (0.13 if constant else _TALL / 2))
    end = (x1 + port * _WIDE / 2, y1 + _TALL / 2)
    return [begin, *middle, end]


# How it looks -------------------------------------------------------------------------------------


def _arrow(ax, points):
    """A curve that leaves and enters every point vertically."""
    vertices = [points[0]]
    codes = [Path.MOVETO]
    for (x0, y0), (x1, y1) in zip(points, points[1:], strict=False):
        half = (y0 + y1) / 2
        vertices += [(x0, half), (x1, half), (x1, y1)]
        codes += [Path.CURVE4] * 3
    head = {"arrowstyle": "-|>", "mutation_scale": 9, "shrinkA": 0, "shrinkB": 0}
    line = {"color": "#999999", "linewidth": 1.1}
    ax.add_patch(FancyArrowPatch(path=Path(vertices, codes), **head, **line))


def _draw(ax, at, node, label, is_last):
    x, y = at
    centred = {"ha": "center", "va": "center"}
    if _is_constant(node):
        ax.text(x, y, label or _said(node), fontsize=10, color="#666666", **centred)
        return
    face, edge = _COLORS[_kind(node, is_last)]
    corner = x - _WIDE / 2, y - _TALL / 2
    shape = {"boxstyle": "round,pad=0,rounding_size=0.1", "mutation_aspect": _UNIT[0] / _UNIT[1]}
    color = {"facecolor": face, "edgecolor": edge, "linewidth": 1.2}
    ax.add_patch(FancyBboxPatch(corner, _WIDE, _TALL, **color, **shape))
    name = _name(node, label)
    ax.text(x, y + 0.09, name, fontsize=11 if len(name) < 11 else 8.5, **centred)
    ax.text(x, y - 0.15, _detail(node), fontsize=8, color="#666666", **centred)


def _kind(node, is_last):
    if is_last:
        return "result"
    return "leaf" if node.op is None else "operation"


def _name(node, label):
    if node.op is None:
        return label or getattr(node, "name", None) or "leaf"
    said = describe(node.op)
    said = _SIGNS.get(said, said.removeprefix("np."))
    return f"{label} = {said}" if label else said


def _detail(node):
    given = {k: v for k, v in (node.kwargs or {}).items() if v is not None and v is not False}
    options = ", ".join(f"{k}={v}" for k, v in given.items())
    shape = " × ".join(map(str, node.shape)) or "scalar"
    return f"{options} → {shape}" if 0 < len(options) < 9 else shape


def _is_constant(node):
    return not (isinstance(node, Tensor) and node.requires_grad)


def _said(value):
    """A number or an index as it is, an array by its shape."""
    if isinstance(value, Tensor | np.ndarray):
        if value.size == 1:
            return f"{value.item():.4g}"
        return "array " + " × ".join(map(str, value.shape))
    return f"{value:.4g}" if isinstance(value, int | float | np.number) else str(value)[:14]
