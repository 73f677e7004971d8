"""The walk: from one output back through the graph, each gradient summed where paths meet."""

from operator import attrgetter

import numpy as np

from .modes import mode, no_grad, recording
from .operation import RULES, Node, describe

__all__ = ["backward_pass", "sum_to", "check_finite"]


def backward_pass(root, seed, targets=None, *, create_graph=False, retain=False, within=False):
    """Carry `seed` = dL/droot back through the graph, newest node first, which is a reverse topological order.

    With `targets`, return {target: gradient} and compute only what leads to them; without, add to each leaf's `.grad`.
    `within` stops at the targets: no gradient passes through one on its way to another.
    `create_graph` runs the rules on Tensors instead of arrays, so that the gradients are themselves differentiable.
    Unless `retain` is set the graph is cut as it is used: memory falls while the walk proceeds.
    """
    nodes = _collect(root)
    needed = None if targets is None else _leading_to(targets, nodes)
    wanted = set(targets or ())
    gradients, ours, found = (
        {root: seed if create_graph else getattr(seed, "_data", seed)},
        set(),
        {},
    )
    with recording() if create_graph else no_grad():
        while nodes:
            node = nodes.pop()
            op, g = node.op, gradients.pop(node, None)
            if g is None:
                continue
            if node in wanted:
                found[node] = g
                if within:
                    continue
            if needed is None and (op is None or node._grad is not None):
                node.accumulate_grad(g)
            if op is not None and (needed is None or node in needed):
                _distribute(node, g, gradients, ours, needed, create_graph)
                if not retain and not create_graph:
                    node.inputs = node.saved = None
    return found


def _collect(root):
    """Every node that `root` depends on and that needs a gradient, oldest first. No recursion: graphs are deep."""
    nodes, stack, seen = [], [root], {root}
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
                if x.op is None and x.written_at > node.order:
                    raise _written(x, node)
                if x.requires_grad and x not in seen:
                    seen.add(x)
                    stack.append(x)
    nodes.sort(key=attrgetter("order"))
    return nodes


def _written(leaf, node):
    return RuntimeError(
        f"a Tensor of shape {leaf.shape} was written after {describe(node.op)} used it, so its gradient would be wrong; "
        "call backward before the update (optimizer.step, t.data = ...), or run the forward pass again"
    )


def _leading_to(targets, nodes):
    """The targets and all nodes through which a gradient must pass to reach one."""
    needed = set(targets)
    for node in nodes:
        if any(isinstance(x, Node) and x in needed for x in node.inputs):
            needed.add(node)
    return needed


def _distribute(node, g, gradients, ours, needed, create_graph):
    """Pull g back through one node, and add the results to the gradients of its inputs.

    `ours` names the sums that were allocated here, so that nobody else holds them: to these the next one is added in place.
    """
    rule = RULES.get(node.op, node.op)
    if rule.accumulate is not None and not create_graph and id(node.inputs[0]) in ours:
        return rule.accumulate(gradients[node.inputs[0]], g, *node.inputs[1:])
    for x, gx in rule.pull(node, g, needed, create_graph):
        if gx is None:
            continue
        data = x._data
        if gx.shape != data.shape:
            gx = sum_to(gx, data.shape)
        if gx.dtype is not data.dtype:
            gx = gx.astype(data.dtype)
        if mode.anomaly:
            check_finite(gx, f"the gradient through {describe(node.op)}", node.inputs)
        before = gradients.get(x)
        if before is not None and id(x) in ours:
            before += gx
            continue
        gradients[x] = total = gx if before is None else before + gx
        if (
            (before is not None or rule.accumulate is not None)
            and not create_graph
            and isinstance(total, np.ndarray)
        ):
            ours.add(id(x))


def sum_to(g, shape):
    """Undo broadcasting: sum g over the axes along which an array of `shape` was repeated."""
    new = g.ndim - len(shape)
    stretched = tuple(new + i for i, n in enumerate(shape) if n == 1 and g.shape[new + i] != 1)
    return np.reshape(np.sum(g, axis=tuple(range(new)) + stretched, keepdims=True), shape)


def check_finite(array, what, inputs):
    """Raise FloatingPointError, naming `what` and the shapes that it had, unless every entry is finite."""
    data = array._data if isinstance(array, Node) else array
    if not np.all(np.isfinite(data)):
        shapes = ", ".join(str(np.shape(getattr(x, "_data", x))) for x in inputs)
        bad = "NaN" if np.any(np.isnan(data)) else "infinity"
        raise FloatingPointError(
            f"{what} is not finite: {bad} appeared; the inputs had shapes {shapes}"
        )
