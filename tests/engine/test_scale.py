"""Deep and wide graphs.

300,000 nodes build, run and are freed, without recursion, in time and memory linear in their
number.
"""

import gc
import sys
import tracemalloc
import weakref

import numpy as np
import pytest

from dlscratch.engine import Tensor, checkpoint, gradients, no_grad, primitive

DEEP = 300_000


def chain(x, n):
    y = x
    for _ in range(n):
        y = y + 1.0
    return y


@pytest.fixture
def no_collector():
    """Whatever dies in here dies by reference counts, at once, not by a collector."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def test_deep_chain_runs_and_is_freed(no_collector):
    x = Tensor(1.0, requires_grad=True)
    y = chain(x, DEEP)
    early = weakref.ref(y.inputs[0].inputs[0])
    (y * y).backward()
    assert x.grad == 2 * (DEEP + 1)
    assert early() is None and y.inputs is None


def test_deep_chain_is_dropped_without_backward(no_collector):
    y = chain(Tensor(1.0, requires_grad=True), DEEP)
    early = weakref.ref(y.inputs[0].inputs[0])
    del y
    assert early() is None


def test_deep_chain_of_create_graph(no_collector):
    x = Tensor(1.0, requires_grad=True)
    y = x
    for _ in range(DEEP // 3):
        y = y * 0.99999
    (g,) = gradients(y * y, [x], create_graph=True)
    (h,) = gradients(g, [x])
    np.testing.assert_allclose([g.data, h.data], 2 * 0.99999 ** (2 * (DEEP // 3)), rtol=1e-9)
    last = weakref.ref(y)
    del y, g, h
    assert last() is None


def test_deep_chain_through_a_variadic_operation():
    x = Tensor(np.ones(1), requires_grad=True)
    y = x
    for _ in range(20_000):
        y = np.concatenate([y, x])[:1]
    y.backward()
    assert x.grad.tolist() == [1]


def calls(f):
    """How many functions, Python's and C's, f() calls: time that does not depend on the machine."""
    count = 0

    def note(frame, event, argument):
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(note)
    try:
        f()
    finally:
        sys.setprofile(None)
    return count


def deep(n):
    np.sum(chain(Tensor(np.ones(2), requires_grad=True), n)).backward()


def wide(n):
    x = Tensor(np.ones(2), requires_grad=True)
    np.sum(np.stack([x * i for i in range(n)])).backward()


def shared(n):
    x = Tensor(np.ones(2), requires_grad=True)
    np.sum(sum(x * i for i in range(n))).backward()


def twice(n):
    x = Tensor(np.ones(2), requires_grad=True)
    y = x
    for _ in range(n):
        y = y * x
    (g,) = gradients(np.sum(y), [x], create_graph=True)
    np.sum(g).backward()


def halves(n):
    """Each node is used twice: a pass along paths instead of nodes would need 2^n steps."""
    y = Tensor(1.0, requires_grad=True)
    for _ in range(n):
        y = y * 0.5 + y * 0.5
    y.backward()


def slices(n):
    """T slices of one array cost T slices, not T arrays of its size."""
    x = Tensor(np.ones((n, 64)), requires_grad=True)
    sum(np.sum(x[i]) for i in range(n)).backward()


def test_slices_add_to_one_array():
    x = Tensor(np.arange(12.0).reshape(4, 3), requires_grad=True)
    y = (
        sum(np.sum(x[i] * (i + 1)) for i in range(4))
        + np.sum(x[1:3, 0])
        + np.sum(x[[0, 0, -1]])
        + np.sum(x * 10)
        + np.sum(x[1])
    )
    y.backward()
    assert x.grad.tolist() == [[13, 13, 13], [14, 13, 13], [14, 13, 13], [15, 15, 15]]


def test_memory_of_slices_is_linear():
    peaks = []
    for n in (100, 1000):
        x = Tensor(np.ones((n, 1000)), requires_grad=True)
        y = sum(np.sum(x[i]) for i in range(n))
        tracemalloc.start()
        y.backward()
        peaks.append(tracemalloc.get_traced_memory()[1] / x.nbytes)
        tracemalloc.stop()
    assert max(peaks) < 3  # its gradient, and a copy for the leaf


@pytest.mark.parametrize("work", [deep, wide, shared, twice, halves, slices])
def test_time_is_linear(work):
    work(10)
    few, many = calls(lambda: work(300)), calls(lambda: work(3_000))
    assert many < 10.5 * few


def test_memory_is_linear_and_returns():
    x = Tensor(1.0, requires_grad=True)
    chain(x, 10).backward()
    sizes = []
    tracemalloc.start()
    for n in (3_000, 30_000):
        before = tracemalloc.get_traced_memory()[0]
        y = chain(x, n)
        built = tracemalloc.get_traced_memory()[0] - before
        tracemalloc.reset_peak()
        y.backward()
        peak = tracemalloc.get_traced_memory()[1] - before
        del y
        left = tracemalloc.get_traced_memory()[0] - before
        sizes.append(built)
        assert peak < 1.5 * built  # the list of nodes and the set of those seen, no second graph
        assert (
            left < 200_000
        )  # the interpreter keeps some small tuples for reuse, however many there were
    tracemalloc.stop()
    assert sizes[1] < 12 * sizes[0]
    assert sizes[1] / 30_000 < 600  # bytes a node


def test_backward_frees_what_it_has_used():
    """When the gradient reaches the middle, what stood above is gone, though the root is held."""
    alive = []
    probe = primitive(
        lambda x: x * 1.0, lambda g, y, x: (alive.append([r() is not None for r in refs]), g)[1]
    )
    x = Tensor(np.ones(3), requires_grad=True)
    below = x * 2
    middle = probe(below)
    above = middle * 3
    refs = [weakref.ref(below), weakref.ref(above)]
    y = np.sum(above * above)
    del above, middle, below
    y.backward()
    assert alive == [[True, False]]
    assert [r() for r in refs] == [None, None] and x.grad.tolist() == [72, 72, 72]


def test_memory_falls_during_backward():
    n, levels = 60, []
    probe = primitive(
        lambda x: x * 1.0, lambda g, y, x: (levels.append(tracemalloc.get_traced_memory()[0]), g)[1]
    )
    x = Tensor(np.ones(50_000), requires_grad=True)
    tracemalloc.start()
    y = x
    for i in range(n):
        y = probe(y) if i % 15 == 7 else np.tanh(y)
    y = np.sum(y)
    built = tracemalloc.get_traced_memory()[0]
    y.backward()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert built > n * x.nbytes and peak < 1.1 * built
    assert len(levels) == 4 and all(
        a > b + 0.2 * built for a, b in zip(levels, levels[1:], strict=False)
    )


def test_no_grad_keeps_no_graph(no_collector):
    x = Tensor(1.0, requires_grad=True)
    with no_grad():
        a = x * 2
        b = a + 1
    assert not b.requires_grad and b.op is None and b.inputs == ()
    ref = weakref.ref(a)
    del a
    assert ref() is None


def test_constants_are_not_recorded():
    y = Tensor(1.0) * 2 + np.exp(Tensor(3.0))
    assert y.op is None and y.inputs == () and not y.requires_grad


def test_a_reused_id_is_no_old_node():
    """Nodes die in backward and new ones take their addresses.

    Gradients must not be mistaken for theirs.
    """
    x = Tensor(np.ones(3), requires_grad=True)
    results = set()
    for _ in range(50):
        y = x
        for _ in range(20):
            y = np.sin(y) * 1.1 + y
        (g,) = gradients(np.sum(y), [x], create_graph=True)
        (h,) = gradients(np.sum(g * g), [x])
        results.add((g.data.tobytes(), h.data.tobytes()))
    assert len(results) == 1


def test_checkpoint_saves_memory():
    n, size = 12, 50_000

    def segment(h):
        for _ in range(n):
            h = np.tanh(h)
        return h

    def peak(wrap):
        x = Tensor(np.ones(size), requires_grad=True)
        tracemalloc.start()
        h = x
        for _ in range(n):
            h = wrap(h)
        np.sum(h).backward()
        used = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return used, x.grad

    plain, g = peak(segment)
    saved, h = peak(lambda x: checkpoint(segment, x))
    assert np.array_equal(g, h)
    assert plain > n * n * size * 8 and saved < 0.3 * plain  # n² arrays against about 2 n
