"""Figures in the house style: measured is solid, theory is dashed, an interval is a band. All take arrays, give Axes.

This file and `graph.py` are the only ones that import matplotlib.
"""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import CenteredNorm, LogNorm, Normalize, to_rgb

from ..engine import Tensor
from .claim import interval
from .graph import graph

__all__ = [
    "COLORS",
    "style",
    "curves",
    "sweep_curves",
    "layers",
    "images",
    "decision_regions",
    "graph",
]

# Okabe and Ito's colours, which people with any kind of colour vision tell apart; yellow, too pale for lines, is last.
COLORS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#555555", "#F0E442"]
INK, FAINT = "#333333", "#DDDDDD"

_STYLE = {
    "figure.figsize": (7.0, 3.8),
    "figure.dpi": 85,
    "savefig.dpi": 85,
    "figure.constrained_layout.use": True,
    "font.size": 11,
    "axes.titlesize": 12,
    "axes.labelsize": 11,
    "legend.fontsize": 10,
    "xtick.labelsize": 10,
    "ytick.labelsize": 10,
    "axes.titlelocation": "left",
    "axes.titlepad": 9,
    "axes.prop_cycle": plt.cycler(color=COLORS),
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": "#888888",
    "xtick.color": "#666666",
    "ytick.color": "#666666",
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "grid.color": "#E8E8E8",
    "grid.linewidth": 0.8,
    "lines.linewidth": 1.8,
    "lines.markersize": 5,
    "legend.frameon": False,
    "image.cmap": "viridis",
    "image.interpolation": "nearest",
}


def style():
    """Set the house style; in a notebook also small PNG figures (85 dpi, cropped). Other backends stay as they are."""
    plt.rcParams.update(_STYLE)
    try:
        from IPython import get_ipython
    except ImportError:
        return
    if get_ipython() is not None and hasattr(get_ipython(), "kernel"):
        from matplotlib_inline.backend_inline import set_matplotlib_formats

        get_ipython().run_line_magic("matplotlib", "inline")
        plt.rcParams.update(_STYLE)  # the backend sets a size and a resolution of its own
        set_matplotlib_formats("png", dpi=85, bbox_inches="tight", pil_kwargs={"optimize": True})


def curves(x, lines, ax=None, *, xlabel="", ylabel="", title="", theory=None):
    """One line for each method: the mean over seeds in its 95 % t-interval, and theory dashed in the same colour.

    x: (T,) or None for 0, 1, 2, ...; lines: {label: (S, T) over seeds, or (T,)}; theory: {label: (T,)}.
    A theory with a label that no line has is drawn dark. Raises ValueError when a line does not fit x, or there is none.
    """
    if not lines and not theory:
        raise ValueError("curves: no lines; want {label: (T,) or (S, T)}")
    ax = ax or plt.subplots()[1]
    colors = {}
    for label, values in lines.items():
        values = np.atleast_2d(_array(values))
        at = _abscissa(x, values.shape[-1], label)
        mean = values.mean(axis=0)
        (drawn,) = ax.plot(at, mean, label=label, marker="o" if len(at) <= 15 else None)
        colors[label] = drawn.get_color()
        if len(values) > 1:
            half = interval(values)[1]
            ax.fill_between(
                at, mean - half, mean + half, color=drawn.get_color(), alpha=0.2, linewidth=0
            )
    for label, values in (theory or {}).items():
        named = label if label not in lines else f"{label}, theory"
        at = _abscissa(x, len(_array(values)), label)
        ax.plot(at, _array(values), "--", color=colors.get(label, INK), label=named, linewidth=1.4)
    if at.dtype.kind == "i" and ax.get_xscale() == "linear":
        ax.xaxis.get_major_locator().set_params(integer=True)  # there is no epoch 2.5
    ax.set(xlabel=xlabel, ylabel=ylabel, title=title)
    if len(lines) + len(theory or {}) > 1:
        ax.legend()
    return ax


def sweep_curves(frame, x, y, by=None, ax=None, **labels):
    """`curves` of a tidy frame of runs: y against x, the mean over seeds in its interval, one line for each value of `by`.

    frame: one row a run with a column `seed`, as `sweep` gives it. A failed run leaves a gap. Raises ValueError when runs share a point,
    since another parameter varies too: choose one of its values, or give it as `by`.
    """
    groups = (
        {y: frame} if by is None else {f"{by} {value}": rows for value, rows in frame.groupby(by)}
    )
    if frame.duplicated([x, "seed", *([] if by is None else [by])]).any():
        names = ", ".join([x, "seed"] + ([] if by is None else [by]))
        raise ValueError(
            f"sweep_curves: several runs for one {names}; want one: choose a value of each other parameter first"
        )
    tables = {
        label: rows.pivot(index="seed", columns=x, values=y) for label, rows in groups.items()
    }
    at = np.unique(frame[x])
    lines = {label: table.reindex(columns=at).to_numpy(float) for label, table in tables.items()}
    return curves(at, lines, ax, **{"xlabel": x, "ylabel": y} | labels)


def _abscissa(x, length, label):
    at = np.arange(length) if x is None else _array(x)
    if at.shape != (length,):
        raise ValueError(
            f"curves: {label!r} has {length} points, x has shape {at.shape}; they must be the same points"
        )
    return at


def layers(
    matrix, ax=None, *, xlabel="step", ylabel="layer", title="", label="", log=False, center=None
):
    """A heat map with one row a layer, the first on top; a DataFrame brings the names of its rows and columns.

    matrix: (L, T). `log` for positive values over decades; `center` gives the value that is drawn white.
    Raises ValueError for another shape.
    """
    values = _array(matrix)
    if values.ndim != 2:
        raise ValueError(f"layers: came shape {values.shape}, want (L, T), one row a layer")
    ax = ax or plt.subplots(figsize=(7.0, 1.4 + 0.28 * min(len(matrix), 14)))[1]
    norm = LogNorm() if log else Normalize() if center is None else CenteredNorm(center)
    picture = ax.imshow(
        values, aspect="auto", norm=norm, cmap="viridis" if center is None else "RdBu_r"
    )
    rows, columns = (
        getattr(matrix, "index", range(len(values))),
        getattr(matrix, "columns", range(values.shape[1])),
    )
    _name_ticks(ax.yaxis, rows, most=14)
    _name_ticks(ax.xaxis, columns, most=8)
    ax.grid(False)
    ax.set(xlabel=xlabel, ylabel=ylabel, title=title)
    ax.spines[:].set_visible(False)
    ax.figure.colorbar(picture, ax=ax, label=label, pad=0.02).outline.set_visible(False)
    return ax


def _name_ticks(axis, names, most):
    """At most `most` ticks, a round number of places apart."""
    names = list(names)
    apart = next(k * 10**e for e in range(9) for k in (1, 2, 5) if k * 10**e * most >= len(names))
    places = range(0, len(names), apart)
    axis.set_ticks(list(places), [str(names[i]) for i in places])


def images(pictures, titles=None, columns=8, *, cmap="gray_r", limits=None):
    """A grid of pictures on one scale of grey, 0 white; returns the array of Axes.

    pictures: (N, H, W), or (N, H, W, 3) in [0, 1]; titles: N texts; limits: (white, black), else the range of all.
    """
    pictures = _array(pictures)
    if pictures.ndim not in (3, 4):
        raise ValueError(
            f"images: came shape {pictures.shape}, want (N, H, W) or (N, H, W, 3); reshape flat pictures"
        )
    columns = min(columns, len(pictures))
    rows = -(-len(pictures) // columns)
    side = min(
        7.0 / max(columns, 2), 0.9 + pictures.shape[2] / 200
    )  # inches: coarse pictures need no room
    tall = side * pictures.shape[1] / pictures.shape[2] + (0.22 if titles is not None else 0.04)
    figure, axes = plt.subplots(rows, columns, figsize=(side * columns, tall * rows), squeeze=False)
    low, high = limits or (pictures.min(), pictures.max())
    for i, ax in enumerate(axes.flat):
        ax.axis("off")
        if i < len(pictures):
            ax.imshow(pictures[i], cmap=cmap, vmin=low, vmax=high)
            ax.set_title("" if titles is None else str(titles[i]), loc="center", fontsize=10, pad=3)
    return axes


def decision_regions(predict, X, y, ax=None, *, truth=None, title="", resolution=200):
    """Where a classifier of the plane puts its classes: colour is probability, borders are solid, the truth's dashed.

    predict: (M, 2) → P(y = 1 | x) as (M,), or P(y = c | x) as (M, C). X: (N, 2), y: (N,) classes.
    Raises ValueError when `predict` gives no probabilities.
    """
    ax = ax or plt.subplots(figsize=(4.6, 4.2))[1]
    X, y = _array(X), _array(y)
    (left, bottom), (right, top) = X.min(axis=0), X.max(axis=0)
    edge = 0.08 * max(right - left, top - bottom)
    across = np.linspace(left - edge, right + edge, resolution)
    up = np.linspace(bottom - edge, top + edge, resolution)
    grid = np.stack(np.meshgrid(across, up), axis=-1)  # (R, R, 2)
    p = _probabilities(predict, grid)
    palette = np.array([to_rgb(c) for c in COLORS])
    tint = 1 - 0.45 * (1 - p @ palette[np.arange(p.shape[-1]) % len(palette)])
    ax.imshow(
        tint,
        origin="lower",
        extent=(across[0], across[-1], up[0], up[-1]),
        interpolation="bilinear",
    )
    _borders(ax, across, up, p, "solid", 1.6)
    if truth is not None:
        _borders(ax, across, up, _probabilities(truth, grid), "dashed", 1.2)
    ax.scatter(
        *X.T, c=palette[y.astype(int) % len(palette)], s=16, edgecolors="white", linewidths=0.5
    )
    ax.grid(False)
    ax.set(xlabel="$x_1$", ylabel="$x_2$", title=title, aspect="equal")
    return ax


def _probabilities(predict, grid):
    """P(y = c | x) for every point of the grid: (R, R, 2) → (R, R, C)."""
    p = _array(predict(grid.reshape(-1, 2)))
    p = np.stack([1 - p, p], axis=-1) if p.ndim == 1 else p
    if (
        p.ndim != 2
        or len(p) != grid.size // 2
        or p.min() < -1e-6
        or not np.allclose(p.sum(axis=1), 1, atol=1e-4)
    ):
        raise ValueError(
            f"decision_regions: predict gave shape {p.shape} from {p.min():.3g} to {p.max():.3g}; want probabilities, "
            "(M,) or (M, C) with rows that sum to 1. Apply sigmoid or softmax to logits"
        )
    return p.reshape(*grid.shape[:2], -1)


def _borders(ax, across, up, p, linestyle, linewidth):
    """The lines on which a class stops being the likeliest."""
    for c in range(p.shape[-1] if p.shape[-1] > 2 else 1):
        lead = p[..., c] - np.delete(p, c, axis=-1).max(axis=-1)
        if lead.min() < 0 < lead.max():
            ax.contour(
                across, up, lead, levels=[0], colors=INK, linestyles=linestyle, linewidths=linewidth
            )


def _array(values):
    return np.asarray(values.data if isinstance(values, Tensor) else values)
