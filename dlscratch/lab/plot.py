"""Figures in the house style: measured is solid, theory is dashed, an interval is a band.

All take arrays or tidy frames and give Axes. This file and `graph.py` are the only ones that import
matplotlib, and this one alone imports seaborn, for heat maps, distributions and tidy frames.
"""

from collections.abc import Callable, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.colors import CenteredNorm, LogNorm, Normalize, to_rgb
from matplotlib.ticker import NullFormatter

from ..engine import Tensor
from .claim import interval
from .graph import graph

__all__ = [
    "COLORS",
    "style",
    "curves",
    "sweep_curves",
    "layers",
    "histograms",
    "densities",
    "images",
    "decision_regions",
    "valley",
    "graph",
]

# Okabe and Ito's colours, which people with any kind of colour vision tell apart; yellow, too pale
# for lines, is last.
COLORS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#555555", "#F0E442"]
INK = "#333333"

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


def style() -> None:
    """Set the house style; in a notebook also small PNG figures, of 85 dpi and cropped.

    Other backends stay as they are.
    """
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


# Curves ------------------------------------------------------------------------------------------


def curves(
    x: Any,
    lines: dict[str, Any],
    ax: Axes | None = None,
    *,
    xlabel: str = "",
    ylabel: str = "",
    title: str = "",
    theory: dict[str, Any] | None = None,
) -> Axes:
    """One line for each method: the mean over seeds in its 95 % t-interval; theory is dashed.

    Parameters
    ----------
    x : (T,) or None
        Where the points stand; None for 0, 1, 2, ...
    lines : {label: (S, T) or (T,)}
        Over S seeds, or of a single run, which has no band.
    ax : Axes, optional
        Where to draw; a new figure unless given.
    xlabel, ylabel, title : str
        What they say. A title states the finding.
    theory : {label: (T,)}, optional
        Dashed in the colour of the line with the same label, or dark if there is none.

    Returns
    -------
    Axes

    Raises
    ------
    ValueError
        When a line does not fit x, or there is none.

    Examples
    --------
    >>> ax = curves(None, {"SGD": [3.0, 2.0, 1.5]}, ylabel="loss", title="The loss falls")
    >>> ax.lines[0].get_ydata()
    array([3. , 2. , 1.5])
    """
    if not lines and not theory:
        raise ValueError("curves: no lines; want {label: (T,) or (S, T)}")
    ax = ax or plt.subplots()[1]
    colors = {}
    for label, values in lines.items():
        values = np.atleast_2d(_array(values))
        at = _abscissa(x, values.shape[-1], label)
        mean = values.mean(axis=0)
        (drawn,) = ax.plot(at, mean, label=label, marker=_marker(at))
        colors[label] = drawn.get_color()
        if len(values) > 1:
            _, half = interval(values)
            ax.fill_between(at, mean - half, mean + half, color=colors[label], **_BAND)
    for label, values in (theory or {}).items():
        values = _array(values)
        at = _abscissa(x, len(values), label)
        named = f"{label}, theory" if label in lines else label
        color = colors.get(label, INK)
        ax.plot(at, values, "--", color=color, label=named, linewidth=1.4)
    _whole_ticks(ax, at)
    ax.set(xlabel=xlabel, ylabel=ylabel, title=title)
    if len(lines) + len(theory or {}) > 1:
        ax.legend()
    return ax


def sweep_curves(
    frame: pd.DataFrame,
    x: str,
    y: str,
    by: str | None = None,
    ax: Axes | None = None,
    **labels: str,
) -> Axes:
    """`curves` of a frame of runs: y against x, the mean over seeds in its 95 % t-interval.

    A failed run leaves a gap.

    Parameters
    ----------
    frame : DataFrame
        One row a run with a column `seed`, as `sweep` gives it.
    x, y : str
        Its columns.
    by : str, optional
        The column for whose values there is one line each.
    ax : Axes, optional
        Where to draw; a new figure unless given.
    **labels : str
        xlabel, ylabel, title; the names of the columns unless given.

    Returns
    -------
    Axes

    Raises
    ------
    ValueError
        When runs share a point, since another parameter varies too: choose one of its values, or
        give it as `by`.
    """
    key = [x, "seed"] if by is None else [x, "seed", by]
    if frame.duplicated(key).any():
        raise ValueError(
            f"sweep_curves: several runs for one {', '.join(key)}; want one: choose a value of "
            "each other parameter first"
        )
    ax = ax or plt.subplots()[1]
    groups = {y: frame}
    if by is not None:
        groups = {f"{by} {value}": rows for value, rows in frame.groupby(by)}
    at = np.unique(frame[x])
    for label, rows in groups.items():
        seeds = rows["seed"].nunique()
        sns.lineplot(
            rows.astype({y: float}),
            x=x,
            y=y,
            label=label,
            estimator=_mean_of(seeds),
            errorbar=_interval_of(seeds),
            err_kws=_BAND,
            marker=_marker(at),
            markeredgewidth=0,
            legend=False,
            ax=ax,
        )
    _whole_ticks(ax, at)
    ax.set(**{"xlabel": x, "ylabel": y} | labels)
    if len(groups) > 1:
        ax.legend()
    return ax


def _mean_of(seeds):
    """The mean of as many values, and NaN, which leaves a gap, for fewer: some run has failed."""

    def mean(values):
        return np.mean(values) if len(values) == seeds else np.nan

    return mean


def _interval_of(seeds):
    """Both ends of the 95 % t-interval of as many values; None, so no band, for a single one."""

    def ends(values):
        if len(values) < seeds:
            return np.nan, np.nan
        mean, half = interval(values)
        return mean - half, mean + half

    return ends if seeds > 1 else None


_BAND = {"alpha": 0.2, "linewidth": 0}


def _marker(at):
    return "o" if len(at) <= 15 else None


def _whole_ticks(ax, at):
    """There is no epoch 2.5."""
    if at.dtype.kind == "i" and ax.get_xscale() == "linear":
        ax.xaxis.get_major_locator().set_params(integer=True)


def _abscissa(x, length, label):
    at = np.arange(length) if x is None else _array(x)
    if at.shape != (length,):
        raise ValueError(
            f"curves: {label!r} has {length} points, x has shape {at.shape}; they must be the "
            "same points"
        )
    return at


# Layers ------------------------------------------------------------------------------------------


def layers(
    matrix: Any,
    ax: Axes | None = None,
    *,
    xlabel: str = "step",
    ylabel: str = "layer",
    title: str = "",
    label: str = "",
    log: bool = False,
    center: float | None = None,
) -> Axes:
    """A heat map with one row a layer, the first on top.

    Parameters
    ----------
    matrix : (L, T)
        A DataFrame, as `probe.matrix` gives it, brings the names of its rows and columns.
    ax : Axes, optional
        Where to draw; a new figure unless given.
    xlabel, ylabel, title, label : str
        What they say; `label` stands at the scale of colours.
    log : bool
        For positive values over decades.
    center : float, optional
        The value that is drawn white.

    Returns
    -------
    Axes

    Raises
    ------
    ValueError
        For another shape.

    Examples
    --------
    >>> ax = layers([[1.0, 0.5], [1.0, 0.1]], label="std", title="The signal dies")
    >>> ax.collections[0].get_array().shape
    (2, 2)
    """
    values = _array(matrix)
    if values.ndim != 2:
        raise ValueError(f"layers: came shape {values.shape}, want (L, T), one row a layer")
    frame = matrix if isinstance(matrix, pd.DataFrame) else pd.DataFrame(values)
    if ax is None:
        _, ax = plt.subplots(figsize=(7.0, 1.4 + 0.28 * min(len(frame), 14)))
    if log:
        norm = LogNorm()
    else:
        norm = Normalize() if center is None else CenteredNorm(center)
    sns.heatmap(
        frame,
        norm=norm,
        cmap="viridis" if center is None else "RdBu_r",
        xticklabels=_apart(frame.shape[1], most=8),
        yticklabels=_apart(len(frame), most=14),
        cbar_kws={"label": label, "pad": 0.02},
        ax=ax,
    )
    ax.tick_params(rotation=0)
    ax.set(xlabel=xlabel, ylabel=ylabel, title=title)
    return ax


def _apart(count, most):
    """How many places apart ticks stand: a round number that leaves at most `most` of them."""
    return next(k * 10**e for e in range(9) for k in (1, 2, 5) if k * 10**e * most >= count)


def histograms(
    frame: Any,
    quantity: str | None = None,
    *,
    by: str | None = None,
    bins: int = 40,
    columns: int = 3,
    log: bool = False,
    xlabel: str = "",
    title: str = "",
) -> np.ndarray:
    """How values are spread in each layer: one panel a layer, bars of the share in each bin.

    Parameters
    ----------
    frame : DataFrame or {layer: array}
        Tidy, with the columns layer and value, as `probe.frame`; or the values of each layer, of
        any shape.
    quantity : str, optional
        Which rows of a probe's frame, such as "std".
    by : str, optional
        A column for whose values there is one histogram each.
    bins : int
        How many, the same in all panels.
    columns : int
        Panels side by side.
    log : bool
        For positive values over decades.
    xlabel, title : str
        What they say.

    Returns
    -------
    ndarray of Axes
        One for each layer, in the order in which layers first come.

    Raises
    ------
    ValueError
        For a frame without these columns, or a quantity that was not recorded.

    Examples
    --------
    >>> axes = histograms({"first": np.arange(9.0), "second": np.ones(5)}, bins=3)
    >>> len(axes)
    2
    """
    frame = _tidy("histograms", frame, quantity, by)
    shared = {"bins": bins, "stat": "proportion", "common_norm": False, "log_scale": log}
    bars = {"element": "step", "alpha": 0.35, "linewidth": 1.2}

    shared["binrange"] = _bin_range(frame["value"], log)

    def draw(rows, ax):
        sns.histplot(rows, x="value", ax=ax, **shared, **bars, **_hue(frame, by))

    return _panels(frame, by, draw, columns, xlabel or quantity or "value", "share", title)


def densities(
    frame: Any,
    quantity: str | None = None,
    *,
    by: str | None = None,
    columns: int = 3,
    log: bool = False,
    xlabel: str = "",
    title: str = "",
) -> np.ndarray:
    """How values are spread in each layer, smoothed: one panel a layer, by Gaussian kernels.

    The parameters are those of `histograms`. Where all values are equal there is no density to
    draw, and the panel stays empty.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> axes = densities({"narrow": rng.normal(size=99), "wide": 3 * rng.normal(size=99)})
    >>> bool(axes[0].lines[0].get_ydata().max() > axes[1].lines[0].get_ydata().max())
    True
    """
    frame = _tidy("densities", frame, quantity, by)

    def draw(rows, ax):
        spread = rows.groupby(by)["value"].std() if by else rows["value"].std()
        if np.any(spread > 0):
            curve = {"common_norm": False, "fill": False, "log_scale": log, "cut": 1}
            sns.kdeplot(rows, x="value", warn_singular=False, ax=ax, **curve, **_hue(frame, by))

    return _panels(frame, by, draw, columns, xlabel or quantity or "value", "density", title)


_TIDY = ["layer", "value"]


def _tidy(name, frame, quantity, by):
    """A frame with the columns layer and value, and `by` if there is one."""
    if not isinstance(frame, pd.DataFrame):
        parts = [pd.DataFrame({"layer": k, "value": _array(v).ravel()}) for k, v in frame.items()]
        frame = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=_TIDY)
    wanted = [*_TIDY, *([by] if by else []), *(["quantity"] if quantity else [])]
    missing = [column for column in wanted if column not in frame]
    if missing or frame.empty:
        raise ValueError(
            f"{name}: no {', '.join(missing) or 'rows'}; want a frame with the columns "
            f"{', '.join(wanted)}, or {{layer: values}}"
        )
    if quantity:
        known = ", ".join(frame["quantity"].unique())
        frame = frame[frame["quantity"] == quantity]
        if frame.empty:
            raise ValueError(f"{name}: no {quantity!r} was recorded; want one of {known}")
    return frame[np.isfinite(frame["value"])]


def _hue(frame, by):
    if by is None:
        return {"color": COLORS[0]}
    values = list(frame[by].unique())
    return {"hue": by, "hue_order": values, "palette": _palette(len(values)), "legend": False}


def _palette(count):
    """House colours, or shades from light to dark where there are more values than colours."""
    return COLORS[:count] if count < len(COLORS) else sns.color_palette("viridis_r", count)


def _bin_range(values, log):
    """The first and last edge that all panels share, in powers of ten if `log`."""
    low, high = np.log10([values.min(), values.max()]) if log else (values.min(), values.max())
    return (low, high) if low < high else (low - 0.5, high + 0.5)


def _panels(frame, by, draw, columns, xlabel, ylabel, title):
    """`draw(rows of a layer, ax)` for each layer, on axes that are shared; the array of Axes."""
    names = list(frame["layer"].unique())
    columns = min(columns, len(names))
    rows = -(-len(names) // columns)
    size = (7.0 if columns > 1 else 4.6, 0.7 + 1.7 * rows)
    figure, grid = plt.subplots(rows, columns, figsize=size, sharex=True, squeeze=False)
    axes = grid.ravel()[: len(names)]
    for ax in grid.ravel()[len(names) :]:
        ax.remove()
    for name, ax in zip(names, axes, strict=True):
        draw(frame[frame["layer"] == name], ax)
        ax.set(xlabel="", ylabel="")
        ax.set_title(name, fontsize=10, pad=4)
        ax.xaxis.set_minor_formatter(NullFormatter())
    for ax in axes[-columns:]:  # the lowest of each column
        ax.tick_params(labelbottom=True)
    figure.supxlabel(xlabel, fontsize=11)
    figure.supylabel(ylabel, fontsize=11)
    if title:
        figure.suptitle(title, x=0.01, ha="left", fontsize=12)
    if by:
        _legend(figure, frame, by)
    return axes


def _legend(figure, frame, by):
    values = list(frame[by].unique())
    shown = values
    if len(values) > 8:
        shown = [values[i] for i in np.linspace(0, len(values) - 1, 5, dtype=int)]
    colors = dict(zip(values, _palette(len(values)), strict=True))
    handles = [plt.Line2D([], [], color=colors[value], label=f"{by} {value}") for value in shown]
    figure.legend(handles=handles, loc="outside upper right", ncols=len(handles))


# Pictures ----------------------------------------------------------------------------------------


def images(
    pictures: Any,
    titles: Sequence | None = None,
    columns: int = 8,
    *,
    cmap: str = "gray_r",
    limits: tuple[float, float] | None = None,
) -> np.ndarray:
    """A grid of pictures on one scale of grey, 0 white; the array of Axes.

    Parameters
    ----------
    pictures : (N, H, W), or (N, H, W, 3) in [0, 1]
        What to show.
    titles : N texts, optional
        One above each.
    columns : int
        Pictures side by side.
    cmap : str
        The name of a map of colours.
    limits : (white, black), optional
        The ends of the scale; the range of all pictures unless given.

    Returns
    -------
    ndarray of Axes, (rows, columns)

    Raises
    ------
    ValueError
        For another shape.

    Examples
    --------
    >>> images(np.ones((5, 8, 8)), columns=3).shape
    (2, 3)
    """
    pictures = _array(pictures)
    if pictures.ndim not in (3, 4):
        raise ValueError(
            f"images: came shape {pictures.shape}, want (N, H, W) or (N, H, W, 3); reshape flat "
            "pictures"
        )
    columns = min(columns, len(pictures))
    rows = -(-len(pictures) // columns)
    widest = 0.9 + pictures.shape[2] / 200  # inches: coarse pictures need no room
    side = min(7.0 / max(columns, 2), widest)
    tall = side * pictures.shape[1] / pictures.shape[2] + (0.22 if titles is not None else 0.04)
    _, axes = plt.subplots(rows, columns, figsize=(side * columns, tall * rows), squeeze=False)
    low, high = limits or (pictures.min(), pictures.max())
    for i, ax in enumerate(axes.flat):
        ax.axis("off")
        if i < len(pictures):
            ax.imshow(pictures[i], cmap=cmap, vmin=low, vmax=high)
            ax.set_title("" if titles is None else str(titles[i]), loc="center", fontsize=10, pad=3)
    return axes


def decision_regions(
    predict: Callable,
    X: Any,
    y: Any,
    ax: Axes | None = None,
    *,
    truth: Callable | None = None,
    title: str = "",
    resolution: int = 200,
) -> Axes:
    """Where a classifier of the plane puts its classes: colour says how probable they are.

    Borders are solid, those of the truth dashed.

    Parameters
    ----------
    predict : callable
        (M, 2) → P(y = 1 | x) as (M,), or P(y = c | x) as (M, C).
    X : (N, 2)
        The points.
    y : (N,)
        Their classes.
    ax : Axes, optional
        Where to draw; a new figure unless given.
    truth : callable, optional
        As `predict`; its borders are dashed.
    title : str
        The finding.
    resolution : int
        Points of the grid in each direction.

    Returns
    -------
    Axes

    Raises
    ------
    ValueError
        When `predict` gives no probabilities.

    Examples
    --------
    >>> right = lambda X: (X[:, 0] > 0).astype(float)
    >>> points = np.array([[-1.0, 0.0], [1.0, 1.0]])
    >>> ax = decision_regions(right, points, [0, 1], resolution=20)
    """
    ax = ax or plt.subplots(figsize=(4.6, 4.2))[1]
    X = _array(X)
    y = _array(y)
    (left, bottom), (right, top) = X.min(axis=0), X.max(axis=0)
    edge = 0.08 * max(right - left, top - bottom)
    across = np.linspace(left - edge, right + edge, resolution)
    up = np.linspace(bottom - edge, top + edge, resolution)
    grid = np.stack(np.meshgrid(across, up), axis=-1)  # (R, R, 2)
    p = _probabilities(predict, grid)
    palette = np.array([to_rgb(c) for c in COLORS])
    tint = 1 - 0.45 * (1 - p @ palette[np.arange(p.shape[-1]) % len(palette)])
    extent = (across[0], across[-1], up[0], up[-1])
    ax.imshow(tint, origin="lower", extent=extent, interpolation="bilinear")
    _borders(ax, across, up, p, "solid", 1.6)
    if truth is not None:
        _borders(ax, across, up, _probabilities(truth, grid), "dashed", 1.2)
    colors = palette[y.astype(int) % len(palette)]
    ax.scatter(*X.T, c=colors, s=16, edgecolors="white", linewidths=0.5)
    ax.grid(False)
    ax.set(xlabel="$x_1$", ylabel="$x_2$", title=title, aspect="equal")
    return ax


def _probabilities(predict, grid):
    """P(y = c | x) for every point of the grid: (R, R, 2) → (R, R, C)."""
    p = _array(predict(grid.reshape(-1, 2)))
    if p.ndim == 1:
        p = np.stack([1 - p, p], axis=-1)
    is_one_row_a_point = p.ndim == 2 and len(p) == grid.size // 2
    sums_to_one = is_one_row_a_point and np.allclose(p.sum(axis=1), 1, atol=1e-4)
    if not sums_to_one or p.min() < -1e-6:
        raise ValueError(
            f"decision_regions: predict gave shape {p.shape} from {p.min():.3g} to {p.max():.3g}; "
            "want probabilities, (M,) or (M, C) with rows that sum to 1. Apply sigmoid or softmax "
            "to logits"
        )
    return p.reshape(*grid.shape[:2], -1)


def _borders(ax, across, up, p, linestyle, linewidth):
    """The lines on which a class stops being the likeliest."""
    for c in range(p.shape[-1] if p.shape[-1] > 2 else 1):
        lead = p[..., c] - np.delete(p, c, axis=-1).max(axis=-1)
        if lead.min() < 0 < lead.max():
            line = {"colors": INK, "linestyles": linestyle, "linewidths": linewidth}
            ax.contour(across, up, lead, levels=[0], **line)


def valley(
    f: Callable,
    paths: dict,
    x: tuple[float, float],
    y: tuple[float, float],
    ax: Axes | None = None,
    *,
    levels: int = 14,
    title: str = "",
) -> Axes:
    """A function of two numbers as contour lines, with the paths that methods take down it.

    Lines stand at heights whose square roots are evenly spaced, so that a bowl's are evenly apart.

    Parameters
    ----------
    f : callable
        f(x, y) of two arrays of one shape, entry by entry.
    paths : dict
        name → (K + 1, 2), the start and K steps. May be empty.
    x, y : (low, high)
        What is shown.
    ax : Axes, optional
        Where to draw; a new figure unless given.
    levels : int
        How many lines.
    title : str
        The finding.

    Returns
    -------
    Axes

    Raises
    ------
    ValueError
        When a path is not a list of points of the plane.

    Examples
    --------
    >>> bowl = lambda x, y: (x**2 + 9 * y**2) / 2
    >>> ax = valley(bowl, {"descent": [[9, 1], [7.2, -0.8]]}, x=(-2, 10), y=(-3, 3))
    """
    ax = ax or plt.subplots(figsize=(7.0, 3.4))[1]
    across, up = np.meshgrid(np.linspace(*x, 240), np.linspace(*y, 160))
    height = _array(f(across, up))
    low = height.min()
    heights = low + (height.max() - low) * np.linspace(0, 1, levels + 1)[1:] ** 2
    ax.contour(across, up, height, levels=heights, colors="#BBBBBB", linewidths=0.8)
    for name, path in paths.items():
        path = _array(path)
        if path.ndim != 2 or path.shape[1] != 2:
            raise ValueError(
                f"valley: path {name!r} has shape {path.shape}; want (K + 1, 2), a point a row"
            )
        ax.plot(*path.T, marker="o", markersize=4, linewidth=1.4, label=name)
    ax.grid(False)
    ax.set(xlim=x, ylim=y, xlabel="$x$", ylabel="$y$", title=title)
    if len(paths) > 1:
        ax.legend()
    return ax


def _array(values):
    """Of a Tensor, its numbers."""
    return np.asarray(values.data if isinstance(values, Tensor) else values)
