"""Figures show what they were given; how they look is for eyes."""

import base64
import struct
import subprocess
import sys

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import LogNorm, to_hex, to_rgb

from dlscratch.engine import Tensor
from dlscratch.lab import plot
from dlscratch.lab.claim import interval


@pytest.fixture(autouse=True)
def clean_figures():
    with plt.rc_context():
        plot.style()
        yield
        plt.close("all")


def test_the_palette_is_told_apart_without_green_cones():
    """As a deuteranope sees linear light, no two colours come close.

    Source: Machado, Oliveira & Fernandes 2009.
    """
    assert len(set(plot.COLORS)) == len(plot.COLORS) >= 7
    red, green, blue = (
        (0.367322, 0.860646, -0.227968),
        (0.280085, 0.672501, 0.047413),
        (-0.01182, 0.04294, 0.968881),
    )
    light = np.array([to_rgb(c) for c in plot.COLORS]) ** 2.2
    seen = np.clip(light @ np.array([red, green, blue]).T, 0, 1) ** (1 / 2.2)
    gaps = np.linalg.norm(seen[:, None] - seen[None], axis=-1)[np.triu_indices(len(seen), 1)]
    assert gaps.min() > 0.1


def test_style_sets_the_resolution():
    assert plt.rcParams["savefig.dpi"] == 85 and plt.rcParams["figure.dpi"] == 85
    width = plt.rcParams["figure.figsize"][0] * 85
    assert 500 <= width <= 700 and plt.rcParams["font.size"] * 85 / 72 >= 12  # pixels


def test_curves_show_mean_band_and_theory():
    runs = np.random.default_rng(0).normal(size=(5, 20)) + np.arange(20)
    x = np.arange(20) * 10
    lines, theories = {"SGD": runs, "one": np.ones(20)}, {"SGD": x / 10, "floor": 0 * x}
    ax = plot.curves(x, lines, theory=theories, title="found", ylabel="loss")
    solid, single, theory, floor = ax.lines
    assert np.allclose(solid.get_ydata(), runs.mean(axis=0)) and np.array_equal(
        solid.get_xdata(), x
    )
    assert len(ax.collections) == 1  # a single run has no band
    band = ax.collections[0].get_paths()[0].vertices[:, 1]
    mean, half = interval(runs)
    assert band.max() == pytest.approx((mean + half).max()) and band.min() == pytest.approx(
        (mean - half).min()
    )
    assert solid.get_linestyle() == "-" and theory.get_linestyle() == floor.get_linestyle() == "--"
    assert theory.get_color() == solid.get_color() == plot.COLORS[0] != floor.get_color()
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert labels == ["SGD", "one", "SGD, theory", "floor"]
    assert ax.get_title(loc="left") == "found" and ax.get_ylabel() == "loss"


def test_curves_count_from_zero_and_take_frames_and_an_axis():
    ax = plt.subplots()[1]
    assert plot.curves(None, {"a": pd.DataFrame(np.ones((3, 4)))}, ax) is ax
    assert ax.lines[0].get_xdata().tolist() == [0, 1, 2, 3] and ax.get_legend() is None


def test_curves_that_do_not_fit():
    with pytest.raises(ValueError, match="'a' has 4 points, x has shape \\(3,\\)"):
        plot.curves(np.arange(3), {"a": np.ones((2, 4))})
    with pytest.raises(ValueError, match="no lines; want"):
        plot.curves(None, {})


def test_layers():
    frame = pd.DataFrame(
        np.arange(1.0, 61).reshape(3, 20), index=["in", "mid", "out"], columns=np.arange(20) * 10
    )
    ax = plot.layers(frame, log=True, label="std", title="t")
    (mesh,) = ax.collections
    assert np.array_equal(mesh.get_array(), frame.to_numpy()) and isinstance(mesh.norm, LogNorm)
    assert [t.get_text() for t in ax.get_yticklabels()] == ["in", "mid", "out"]
    assert [t.get_text() for t in ax.get_xticklabels()] == ["0", "50", "100", "150"]
    assert ax.get_ylim()[0] > ax.get_ylim()[1]  # the first layer on top
    assert ax.figure.axes[1].get_ylabel() == "std"


def test_layers_centred():
    norm = plot.layers(np.array([[-1.0, 3.0]]), center=1).collections[0].norm
    assert norm(1) == 0.5 and norm(3) == 1


def probed():
    rng = np.random.default_rng(0)
    rows = [
        (step, layer, quantity, rng.normal(size=()) * scale + 10 * (quantity == "mean"))
        for step in range(30)
        for layer, scale in (("in", 1.0), ("mid", 0.1), ("out", 3.0), ("last", 2.0))
        for quantity in ("std", "mean")
    ]
    return pd.DataFrame(rows, columns=["step", "layer", "quantity", "value"])


def test_histograms_have_a_panel_a_layer_and_one_scale():
    frame = probed()
    axes = plot.histograms(frame, "std", bins=12, title="Wider above", xlabel="std")
    assert [ax.get_title(loc="left") for ax in axes] == ["in", "mid", "out", "last"]
    assert len({ax.get_xlim() for ax in axes}) == 1
    for ax in axes:
        steps = ax.collections[0].get_paths()[0].vertices
        assert steps[:, 0].min() >= frame[frame.quantity == "std"].value.min() - 1e-9
    heights = [ax.collections[0].get_paths()[0].vertices[:, 1].max() for ax in axes]
    assert heights[1] == max(heights)  # the narrowest
    figure = axes[0].figure
    assert figure.get_supxlabel() == "std" and figure.get_suptitle() == "Wider above"


def test_bars_of_a_histogram_sum_to_one():
    (ax,) = plot.histograms({"a": np.arange(100.0).reshape(10, 10)}, bins=4)
    assert np.allclose(np.unique(ax.collections[0].get_paths()[0].vertices[:, 1]), [0, 0.25])


def test_histograms_by_a_column_and_over_decades():
    frame = probed().assign(early=lambda f: f.step < 15)
    axes = plot.histograms(
        frame[frame.quantity == "std"].assign(value=lambda f: f.value**2), by="early", log=True
    )
    assert all(len(ax.collections) == 2 and ax.get_xscale() == "log" for ax in axes)
    labels = [text.get_text() for text in axes[0].figure.legends[0].get_texts()]
    assert labels == ["early True", "early False"]


def test_densities_follow_the_spread():
    axes = plot.densities(probed(), "std", by=None)
    peaks = [ax.lines[0].get_ydata().max() for ax in axes]
    assert np.argsort(peaks).tolist() == [2, 3, 0, 1]
    empty, drawn = plot.densities({"constant": np.ones(9), "normal": POINTS})
    assert len(empty.lines) == 0 and len(drawn.lines) == 1


@pytest.mark.parametrize("draw", ["histograms", "densities"])
def test_distributions_of_nothing_are_refused(draw):
    draw = getattr(plot, draw)
    with pytest.raises(ValueError, match="want a frame with the columns layer, value"):
        draw(pd.DataFrame({"a": [1]}))
    with pytest.raises(ValueError, match="no rows; want"):
        draw({})
    with pytest.raises(ValueError, match="no 'rank' was recorded; want one of std, mean"):
        draw(probed(), "rank")


def test_images():
    pictures = np.random.default_rng(0).random((10, 8, 8))
    axes = plot.images(pictures, titles=range(10), columns=4)
    assert axes.shape == (3, 4)
    assert (
        np.array_equal(axes[2, 1].images[0].get_array(), pictures[9])
        and axes[2, 1].get_title() == "9"
    )
    assert not axes[2, 2].images and not axes[2, 2].axison
    assert {ax.images[0].get_clim() for ax in axes.flat[:10]} == {(pictures.min(), pictures.max())}
    assert plot.images(np.ones((2, 5, 6, 3))).shape == (1, 2)
    with pytest.raises(ValueError, match=r"\(3, 64\), want \(N, H, W\)"):
        plot.images(np.ones((3, 64)))


POINTS = np.random.default_rng(0).normal(size=(40, 2))


def test_decision_regions_show_the_border():
    """P = sigmoid(x1) has its border on x1 = 0; the class on the right has the second colour."""
    right = POINTS[:, 0] > 0
    ax = plot.decision_regions(
        lambda X: 1 / (1 + np.exp(-9 * X[:, 0])), POINTS, right, truth=lambda X: X[:, 1] > 0
    )
    measured, true = (c.get_paths()[0].vertices for c in ax.collections[:2])
    assert np.abs(measured[:, 0]).max() < 1e-3 and np.abs(true[:, 1]).max() < 0.05
    tint = ax.images[0].get_array()
    assert np.allclose(tint[100, -1], 1 - 0.45 * (1 - np.array(to_rgb(plot.COLORS[1]))), atol=1e-3)
    assert (
        to_hex(ax.collections[2].get_facecolors()[np.argmax(POINTS[:, 0])])
        == plot.COLORS[1].lower()
    )


def test_decision_regions_of_three_classes_and_of_tensors():
    def predict(X):
        scores = np.exp(3 * np.stack([X[:, 0], X[:, 1], -X[:, 0] - X[:, 1]], axis=-1))
        return Tensor(scores / scores.sum(axis=-1, keepdims=True), requires_grad=True)

    ax = plot.decision_regions(predict, POINTS, np.arange(40) % 3)
    assert len(ax.collections) == 4  # a border for each class, and the points
    for border in ax.collections[:3]:
        p = np.sort(predict(border.get_paths()[0].vertices).data, axis=-1)
        assert np.allclose(
            p[:, -1], p[:, -2], atol=0.02
        )  # the two likeliest are equally likely there


@pytest.mark.parametrize("predict", [lambda X: 3 * X[:, 0], lambda X: X, lambda X: np.ones(3)])
def test_decision_regions_want_probabilities(predict):
    with pytest.raises(ValueError, match="sigmoid or softmax"):
        plot.decision_regions(predict, POINTS, np.zeros(40))


def test_plot_is_loaded_when_asked_for():
    """Importing the laboratory stays cheap: nothing heavy comes with it."""
    heavy = {"matplotlib", "seaborn", "pandas", "torch", "sklearn", "scipy", "tqdm"}
    code = f"import sys, dlscratch.lab, dlscratch.data; print(sorted({heavy} & set(sys.modules)))"
    assert (
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        ).stdout
        == "[]\n"
    )


def test_figures_in_a_notebook_are_small_png():
    """A real kernel: one PNG a figure, cropped, at 85 dpi, so that it fits 700 px."""
    nbformat, nbclient = pytest.importorskip("nbformat"), pytest.importorskip("nbclient")
    code = "from dlscratch.lab import plot\nplot.style()\n"
    code += "plot.curves(None, {'a': [1.0, 2, 3]}, title='up');"
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)])
    nbclient.NotebookClient(book, kernel_name="python3", timeout=60).execute()
    (output,) = book.cells[0].outputs
    assert sorted(output.data) == ["image/png", "text/plain"]
    png = base64.b64decode(output.data["image/png"])
    width, height = struct.unpack(">II", png[16:24])
    assert 560 <= width <= 700 and 280 <= height <= 360 and len(png) < 30_000


def test_curves_of_a_sweep():
    rows = [dict(a=a, b=b, seed=s, got=a * b + s) for a in (3, 1) for b in (1, 2) for s in range(3)]
    ax = plot.sweep_curves(pd.DataFrame(rows), "a", "got", by="b")
    assert (
        [line.get_label() for line in ax.lines] == ["b 1", "b 2"]
        and ax.get_xlabel() == "a"
        and len(ax.collections) == 2
    )
    assert np.allclose(ax.lines[1].get_xydata(), [[1, 3], [3, 7]])
    with pytest.raises(ValueError, match="several runs for one a, seed; want one: choose"):
        plot.sweep_curves(pd.DataFrame(rows), "a", "got")


def test_curves_of_a_sweep_show_the_t_interval_and_a_gap_for_a_failed_run():
    rows = [
        dict(a=a, seed=s, got=float(a * s) if (a, s) != (2, 1) else None)
        for a in range(5)
        for s in range(3)
    ]
    ax = plot.sweep_curves(pd.DataFrame(rows), "a", "got", title="t")
    assert np.isfinite(ax.lines[0].get_ydata()).tolist() == [True, True, False, True, True]
    mean, half = interval(np.array([0.0, 4.0, 8.0]))
    edge = ax.collections[0].get_paths()[-1].vertices
    assert edge[:, 1].max() == pytest.approx(mean + half)
    assert ax.get_legend() is None and ax.get_ylabel() == "got"
    assert all(float(tick).is_integer() for tick in ax.get_xticks())


def test_a_valley_has_evenly_spaced_lines_on_a_bowl_and_the_paths_as_given():
    path = np.array([[9.0, 1.0], [7.2, -0.8]])
    ax = plot.valley(lambda x, y: x**2 + y**2, {"a": path, "b": -path}, (-5, 5), (-5, 5), levels=5)
    radii = np.sqrt(ax.collections[0].levels)
    np.testing.assert_allclose(np.diff(radii), radii[0], rtol=1e-2)
    np.testing.assert_array_equal(ax.lines[0].get_xydata(), path)
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["a", "b"]


def test_a_valley_wants_points_of_the_plane():
    with pytest.raises(ValueError, match=r"\(K \+ 1, 2\)"):
        plot.valley(np.add, {"a": np.ones(3)}, (0, 1), (0, 1))
