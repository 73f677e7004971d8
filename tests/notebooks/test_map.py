"""The map of one hundred agrees with the notebooks, and can disagree."""

import pytest

from dlscratch.cli import notebooks as nb
from tools.notebooks import map as chart


def test_the_map_is_of_one_hundred_in_nine_parts():
    assert sorted(chart.entries()) == [f"{n:02d}" for n in range(100)]
    placed = [e.number for part in chart.parts() for e in part.entries]
    assert placed == sorted(chart.entries())
    assert len(chart.parts()) == 9


def test_the_map_agrees_with_the_notebooks():
    assert list(chart.faults()) == []


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("slug", "elsewhere", "is called elsewhere"),
        ("title", "Another", "its title is"),
        ("question", "Why?", "its question is"),
        ("needs", ["03"], "Before this links to"),
        ("needs", ["99"], "come after it"),
    ],
)
def test_a_disagreement_is_told(monkeypatch, field, value, said):
    wrong = chart.entries() | {"04": chart.entries()["04"]._replace(**{field: value})}
    monkeypatch.setattr(chart, "entries", lambda: wrong)
    assert any(said in fault for fault in chart.faults())


def test_every_page_is_drawn_right_of_what_it_needs():
    depth = chart.order(chart.landed())
    for number in depth:
        assert all(depth[n] < depth[number] for n in chart.entries()[number].needs)


def test_the_readme_names_all_and_links_what_is_there():
    text = chart.readme()
    there = {path.name[:2]: path for path in nb.find()}
    for number, entry in chart.entries().items():
        assert entry.title in text
        assert (f"[{entry.title}](notebooks/" in text) == (number in there)
