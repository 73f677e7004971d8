"""Every classic bug of the catalogue is caught by the test that is named there."""

import pytest

from .catalogue import MUTATIONS, Mutation
from .run import ROOT, caught, mutated, selected


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda m: m.name)
def test_caught(mutation):
    pytest.importorskip(
        "torch", reason="what many bugs change is noticed by comparison with PyTorch"
    )
    assert caught(mutation), f"{mutation.name} escapes {mutation.test}"


def test_no_bug_is_not_caught():
    """A change without effect: if this counted as caught, so would anything."""
    first = MUTATIONS[0]
    text = (ROOT / "dlscratch" / first.file).read_text(encoding="utf-8")
    assert mutated(text, first) != text
    assert not caught(first._replace(new=first.old + "  # unchanged", old=first.old))


def test_a_bug_that_crashes_is_refused():
    first = MUTATIONS[0]
    with pytest.raises(RuntimeError, match="crashes: E +NameError"):
        caught(first._replace(new="rule(np.tanh, lambda g, y, x: g * no_such_name)"))


def test_a_place_that_is_gone_is_noticed():
    with pytest.raises(ValueError, match="stands 0 times"):
        mutated("a = 1", Mutation("name", "file.py", "b = 2", "b = 3", "tests"))


def test_names_are_unique():
    assert len({m.name for m in MUTATIONS}) == len(MUTATIONS) >= 50


def test_every_bug_has_its_place_and_is_python():
    """Told at once; otherwise each would only be noticed when its bug is tried."""
    for mutation in MUTATIONS:
        text = (ROOT / "dlscratch" / mutation.file).read_text(encoding="utf-8")
        assert mutated(text, mutation) != text
        compile(mutated(text, mutation), mutation.name, "exec")


def test_every_named_test_is_there():
    counts = selected([m.test for m in MUTATIONS])
    assert [m.name for m in MUTATIONS if counts[m.test] == 0] == []


def test_a_name_that_selects_nothing_is_noticed():
    some, none = "tests/mutations -k unique", "tests/mutations -k no_such_test"
    assert selected([some, none]) == {some: 1, none: 0}
