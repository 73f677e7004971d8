"""The picture of the page on performance, drawn from the table that stands there."""

import io
import re

import matplotlib.pyplot as plt

from dlscratch.lab import plot

__all__ = ["rows", "picture"]


def rows(text):
    """[(workload, first ratio, (low, high), second ratio, (low, high))] of the table Measured."""
    found = []
    for line in re.findall(r"^\| (W\d .*) \|$", text, re.M):
        cells = line.split(" | ")
        found.append((cells[0], *_run(cells[3:5]), *_run(cells[5:7])))
    return found


def _run(cells):
    low, high = map(float, cells[1].split("–"))
    return float(cells[0]), (low, high)


def picture(text):
    """PNG: a line a workload, two runs, each with the range of its rounds."""
    plot.style()
    measured = rows(text)
    ticks = [0.35, 0.5, 0.65, 1, 1.4]
    with plt.rc_context({"figure.constrained_layout.use": True}):
        fig, ax = plt.subplots(figsize=(7, 3.6))
    for y, (_, *runs) in enumerate(measured):
        for i in (0, 1):
            ratio, (low, high) = runs[2 * i : 2 * i + 2]
            color = f"C{i}"
            ax.plot([low, high], [y + 0.24 * i - 0.12] * 2, color=color, lw=2, alpha=0.5)
            ax.plot(
                ratio,
                y + 0.24 * i - 0.12,
                "o",
                color=color,
                ms=5,
                label=("first run", "second run")[i] if y == 0 else None,
            )
    ax.axvline(1, color="black", lw=1)
    ax.axvline(0.65, color="black", lw=1, ls="--", label="the aim, 0.65")
    ax.set(
        xscale="log",
        xlabel="time of a step, ours / PyTorch's (bar: single rounds)",
        yticks=range(len(measured)),
    )
    ax.set(
        yticklabels=[name for name, *_ in measured],
        title="Ahead on small graphs, behind on large products",
    )
    ax.set_xticks(ticks, [str(t) for t in ticks], minor=False)
    ax.minorticks_off()
    ax.invert_yaxis()
    fig.legend(loc="outside lower center", ncols=3)
    out = io.BytesIO()
    fig.savefig(out, format="png", dpi=100)
    plt.close(fig)
    return out.getvalue()
