"""The graph of prerequisites, drawn: each notebook stands right of all that it needs."""

from html import escape
from itertools import groupby

from dlscratch.cli import notebooks as nb
from tools.notebooks import address
from tools.notebooks import map as chart

from .front import page_of, tag

__all__ = ["drawing", "places", "arrows"]

ACROSS, DOWN, RADIUS, MARGIN = 92, 62, 19, 30


def places():
    """{number: (x, y)} of the notebooks that exist; columns are steps from the beginning."""
    depth = chart.order(chart.landed())
    found = {}
    ordered = sorted(depth, key=lambda number: (depth[number], number))
    for column, numbers in groupby(ordered, key=depth.get):
        for row, number in enumerate(numbers):
            lift = DOWN / 2 * (column % 2)  # so that arrows over several columns pass between
            found[number] = (MARGIN + ACROSS * column, MARGIN + DOWN * row + lift)
    return found


def arrows():
    """[(needed, by)]: what the map says, without what follows from other arrows."""
    needs = {n: set(chart.entries()[n].needs) & chart.landed().keys() for n in chart.landed()}
    found = []
    for number in sorted(needs):
        longer = set().union(*(_all_needs(n, needs) for n in needs[number]))
        found += [(n, number) for n in sorted(needs[number] - longer)]
    return found


def _all_needs(number, needs):
    return needs[number].union(*(_all_needs(n, needs) for n in needs[number]))


def drawing():
    """The graph as SVG; each number is a link to its page."""
    at = places()
    width = max(x for x, _ in at.values()) + MARGIN
    height = max(y for _, y in at.values()) + MARGIN
    lines = "".join(_line(at[a], at[b]) for a, b in arrows())
    nodes = "".join(_node(number, *at[number]) for number in sorted(at))
    told = "; ".join(f"{b} after {a}" for a, b in arrows())
    inside = tag("title", f"What to read before what: {told}") + lines + nodes
    return tag(
        "svg",
        inside,
        Class="prerequisites",
        viewBox=f"0 0 {width} {height}",
        role="group",
        width=str(width),
    )


def _line(start, end):
    (a, b), (c, d) = start, end
    share = RADIUS / ((c - a) ** 2 + (d - b) ** 2) ** 0.5
    ends = dict(x1=a + share * (c - a), y1=b + share * (d - b))
    ends |= dict(x2=c - share * (c - a), y2=d - share * (d - b))
    style = {name: f"{value:.1f}" for name, value in ends.items()}
    return tag("line", "", stroke="currentColor", opacity="0.45", **style)


def _node(number, x, y):
    path = chart.landed()[number].relative_to(address.ROOT).as_posix()
    circle = tag(
        "circle", "", cx=str(x), cy=str(y), r=str(RADIUS), fill="none", stroke="currentColor"
    )
    words = {"text-anchor": "middle", "dominant-baseline": "central", "fill": "currentColor"}
    label = tag("text", escape(number), x=str(x), y=str(y), **words)
    name = tag("title", escape(nb.title(nb.read(chart.landed()[number]))))
    return tag("a", name + circle + label, href=page_of(path))
