"""The map of concepts: each that is covered names a claim, which stands in its notebook."""

import tomllib

import pytest

from dlscratch.cli import notebooks as nb

CONCEPTS = tomllib.loads((nb.folder() / "concepts.toml").read_text(encoding="utf-8"))["concept"]
COVERED = [
    (c["name"], place["notebook"], place["claim"])
    for c in CONCEPTS
    for place in c.get("covered", [])
]


def claimed(number):
    """The sentences of a notebook's claims and checks."""
    (path,) = nb.find(number)
    book = nb.read(path)
    return [nb.text_of(line) for _, line in [*nb.claims(book), *nb.checks(book)]]


def test_there_are_199_and_each_stands_once():
    names = [c["name"] for c in CONCEPTS]
    assert len(names) == len(set(names)) == 199
    assert all(
        c.keys() <= {"group", "name", "covered"} and c["group"] in "ABCDEFGHIJKLMNOPQRSTU"
        for c in CONCEPTS
    )


@pytest.mark.parametrize("number", sorted({number for _, number, _ in COVERED}))
def test_each_covered_concept_has_its_claim(number):
    said = claimed(number)
    assert [
        (name, claim) for name, where, claim in COVERED if where == number and claim not in said
    ] == []
