"""The graph: nodes that remember how they were computed, and the backward pass through them.

Forward, each operation makes a new `Node` (always a `Tensor`, the only subclass; tensor.py) that
holds its array and points to its inputs. Backward, `backward_pass` visits the nodes from the newest
to the oldest, asks each one's `Operation` for the gradients of its inputs, and sums them where
paths meet, in `GradientSums`.
"""

import itertools
from collections.abc import Iterable
from operator import attrgetter
from typing import Any

import numpy as np

from .modes import mode, no_grad, recording
from .operation import RULES, describe

__all__ = ["Node", "GradientSums", "backward_pass", "sum_to", "check_finite", "creation_order"]

# next(creation_order) numbers the nodes as they are made, and the writes into leaves; it is atomic
# across threads
creation_order = itertools.count(1)


class Node:
    """One value of the graph, and where it came from.

    _data : the array.
    _grad : dL/dself, summed over backward passes; None until one reaches this leaf. On what was
        computed it is None unless `retain_grad` asked for it.
    requires_grad : whether a gradient can flow through here; if not, this is a constant, without a
        history.
    op, inputs, kwargs : the function that computed it and its arguments; op is None for a leaf.
        `inputs` holds Nodes and plain values; it is None when a backward pass has freed it.
    saved : what a custom operation's forward kept for its backward.
    order : when it was made. An input is older than what is computed from it.
    written_at : when the numbers of a leaf were last changed in place.

    What does not apply is left unset: kwargs and saved on constants, written_at on other nodes than
    leaves.
    """

    __slots__ = (
        "_data",
        "_grad",
        "requires_grad",
        "op",
        "inputs",
        "kwargs",
        "saved",
        "order",
        "written_at",
        "__weakref__",
    )

    def mark_written(self) -> None:
        """Tell the graph that this leaf's numbers changed: backward through an older one raises."""
        self.written_at = next(creation_order)

    def accumulate_grad(self, g: np.ndarray) -> None:
        """Add g to `.grad`: what the backward pass calls at every leaf."""
        if self._grad is None:
            self._grad = np.copy(g)
        else:
            self._grad += g


class GradientSums(dict):
    """{node: dL/dnode} for nodes reached but not yet visited, summed where paths meet.

    An array that came from an operation may be held by others: `a + b` passes one and the same g to
    both. A sum that was allocated here is held by nobody else, so that the next gradient is added
    into it in place. (With Tensors as gradients, `create_graph`, nothing is written in place.)
    """

    def __init__(self, in_place: bool):
        super().__init__()
        self._in_place = in_place
        self._allocated_here = set()  # ids, since a node that was visited must not be kept alive

    def add(self, node: Node, g: Any, fresh: bool) -> None:
        """Add g to the sum of `node`; `fresh` says that nobody else holds g."""
        before = self.get(node)
        if before is not None:
            if id(node) in self._allocated_here:
                before += g
                return
            g = before + g
            fresh = True
        self[node] = g
        if fresh and self._in_place and isinstance(g, np.ndarray):
            self._allocated_here.add(id(node))

    def writable(self, node: Node) -> np.ndarray | None:
        """The sum of `node` if it may be added to in place, else None."""
        return self[node] if id(node) in self._allocated_here else None


def backward_pass(
    root: Node,
    gradient: Any,
    targets: Iterable[Node] | None = None,
    *,
    create_graph: bool = False,
    retain_graph: bool = False,
    stop_at_targets: bool = False,
) -> dict:
    """Carry `gradient` = dL/droot back through the graph, newest node first.

    Newest first is a reverse topological order, since a node is newer than its inputs: when a node
    is visited, all that depends on it has been, and its gradient is complete.

    Parameters
    ----------
    root : the Node to start from.
    gradient : an array or Tensor of its shape.
    targets : the Nodes whose gradients are returned; only what leads to them is computed. None: all
        leaves, whose gradients are added to their `.grad`.
    create_graph : run the rules on Tensors instead of arrays, so that the gradients are themselves
        differentiable.
    retain_graph : keep the graph, as create_graph does. Otherwise it is cut as it is used, and
        memory falls while the pass proceeds.
    stop_at_targets : no gradient passes through one target on its way to another.

    Returns
    -------
    {target: gradient}, without the targets that no gradient reached.
    """
    nodes = _nodes_behind(root)
    needed = None
    passed = None
    if targets is not None:
        needed, passed = _ways_to(targets, nodes)
    targets = set(targets or ())
    sums = GradientSums(in_place=not create_graph)
    sums[root] = gradient if create_graph else getattr(gradient, "_data", gradient)
    found = {}
    with recording() if create_graph else no_grad():
        while nodes:
            node = nodes.pop()
            g = sums.pop(node, None)
            if g is None:
                continue
            if node in targets:
                found[node] = g
                if stop_at_targets:
                    continue
            if needed is None and (node.op is None or node._grad is not None):
                node.accumulate_grad(g)
            if node.op is not None and (passed is None or node in passed):
                _add_input_gradients(node, g, sums, needed, create_graph)
                if not retain_graph and not create_graph:
                    node.inputs = node.saved = None
    return found


def _nodes_behind(root):
    """Every node that `root` depends on and that requires a gradient, oldest first.

    No recursion, here or elsewhere in the engine: graphs are deeper than Python's stack.
    """
    nodes = []
    seen = {root}
    stack = [root]
    while stack:
        node = stack.pop()
        nodes.append(node)
        if node.inputs is None:
            raise RuntimeError(
                f"the graph behind this {describe(node.op)} was freed by an earlier backward; "
                "pass retain_graph=True to that one, or run the forward pass again"
            )
        for x in node.inputs:
            if isinstance(x, Node):
                if x.op is None:
                    if x.written_at > node.order:  # of constants, too: their numbers are used
                        raise _written_error(x, node)
                    if not x.requires_grad:
                        continue
                if x not in seen:
                    seen.add(x)
                    stack.append(x)
    nodes.sort(key=attrgetter("order"))
    return nodes


def _written_error(leaf, node):
    return RuntimeError(
        f"a Tensor of shape {leaf._data.shape} was written after {describe(node.op)} used it, "
        "so its gradient would be wrong; call backward before the update "
        "(optimizer.step, t.data = ...), or run the forward pass again"
    )


def _ways_to(targets, nodes):
    """(what needs a gradient: the targets and all nodes on a way to one; the nodes on a way).

    What lies behind a target, and on no way to another, is neither computed nor freed.
    """
    needed = set(targets)
    passed = set()
    for node in nodes:
        if any(isinstance(x, Node) and x in needed for x in node.inputs):
            needed.add(node)
            passed.add(node)
    return needed, passed


def _add_input_gradients(node, g, sums, needed, create_graph):
    """Bring g back through one node, and add the results to the sums of its inputs."""
    inputs = node.inputs
    operation = RULES.get(node.op, node.op)
    fresh = operation.accumulate is not None  # its vjp makes an array: zeros, with g written in
    if fresh:
        total = sums.writable(inputs[0])
        if total is not None:
            operation.accumulate(total, g, *inputs[1:])
            return
    arrays = []
    needs = []
    for x in inputs:
        if isinstance(x, Node):
            arrays.append(x._data)
            needs.append(x.requires_grad and (needed is None or x in needed))
        else:
            arrays.append(x)
            needs.append(False)
    if create_graph:
        gradients = operation.input_gradients(node, g, node, inputs, tuple(needs), True)
    else:
        gradients = operation.input_gradients(node, g, node._data, arrays, tuple(needs), False)
    for i, gx in enumerate(gradients):
        if gx is None or not needs[i]:
            continue
        data = arrays[i]
        try:
            fits = gx.shape == data.shape
        except AttributeError:
            raise TypeError(
                f"the gradient of {operation.name}: expected an array of shape {data.shape}, "
                f"the input's, got {type(gx).__name__}"
            ) from None
        if not fits:
            gx = _undo_broadcasting(gx, data.shape, operation)
        if gx.dtype is not data.dtype:
            gx = gx.astype(data.dtype)
        if mode.anomaly:
            check_finite(gx, f"the gradient through {operation.name}", inputs, g)
        sums.add(inputs[i], gx, fresh)


def _undo_broadcasting(gx, shape, operation):
    new = gx.ndim - len(shape)
    if new < 0 or any(n not in (1, m) for n, m in zip(shape, gx.shape[new:], strict=True)):
        raise ValueError(
            f"the gradient of {operation.name}: expected shape {shape}, the input's, "
            f"or one to which that was broadcast; got {gx.shape}"
        )
    return sum_to(gx, shape)


def sum_to(g: Any, shape: tuple[int, ...]) -> Any:
    """Undo broadcasting: sum g over the axes along which an array of `shape` was repeated."""
    new = g.ndim - len(shape)
    stretched = tuple(new + i for i, n in enumerate(shape) if n == 1 and g.shape[new + i] != 1)
    return np.reshape(np.sum(g, axis=tuple(range(new)) + stretched, keepdims=True), shape)


def check_finite(result: Any, what: str, inputs: Iterable, *others: Any) -> None:
    """Raise FloatingPointError, naming `what`, for a NaN, or for an infinity that is new here.

    Infinity is no anomaly where one came in, among `inputs` or `others`: a mask of -inf is meant.
    """
    data = _array(result)
    if np.all(np.isfinite(data)):
        return
    has_nan = np.any(np.isnan(data))
    if not has_nan and any(map(_has_infinity, (*inputs, *others))):
        return
    appeared = "NaN" if has_nan else "infinity"
    shapes = ", ".join(str(np.shape(_array(x))) for x in inputs)
    raise FloatingPointError(
        f"{what} is not finite: {appeared} appeared; the inputs had shapes {shapes}"
    )


def _array(x):
    return x._data if isinstance(x, Node) else x


def _has_infinity(x):
    x = _array(x)
    number = isinstance(x, (float, np.ndarray, np.generic)) and np.asarray(x).dtype.kind == "f"
    return number and bool(np.any(np.isinf(x)))
