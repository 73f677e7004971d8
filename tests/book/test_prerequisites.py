"""The drawn graph of prerequisites is that of the links in the notebooks."""

import re

from dlscratch.cli import notebooks as nb
from tools.book import prerequisites
from tools.notebooks import map as chart


def reachable(number, arrows):
    before = {a for a, b in arrows if b == number}
    return before.union(*(reachable(n, arrows) for n in before))


def test_arrows_are_the_links_without_what_follows_from_others():
    arrows = prerequisites.arrows()
    for number, path in chart.landed().items():
        linked = set(chart.linked_needs(nb.read(path)))
        drawn = {a for a, b in arrows if b == number}
        assert drawn <= linked
        assert linked <= reachable(number, arrows)


def test_every_page_is_drawn_right_of_what_it_needs_and_links_to_itself():
    at = prerequisites.places()
    assert all(at[a][0] < at[b][0] for a, b in prerequisites.arrows())
    assert len(set(at.values())) == len(at)
    picture = prerequisites.drawing()
    linked = re.findall(r'href="notebooks/part\d_\w+/(\d\d)_\w+\.html"', picture)
    assert linked == sorted(chart.landed())
