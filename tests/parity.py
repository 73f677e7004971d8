"""Ours against PyTorch's: values, gradients, and gradients of gradients.

With DLSCRATCH_PARITY=file, each error is also written down; `python -m tests.parity file` prints
the worst of each test.
"""

import os
import sys

import numpy as np
import pytest

from dlscratch import Tensor
from dlscratch.engine import gradients
from dlscratch.testing import relative_error

ROUGH = 1e-4


def same(ours, theirs, *arrays, order=2):
    """Raise unless both agree on `arrays` up to `order`: within 1e-9 in float64, 1e-4 in float32.

    In float32 only orders 0 and 1 are compared.

    Arrays of integers are passed on as they are. Returns the worst error in float64.
    """
    errors = _errors(ours, theirs, arrays, order, "float64")
    rough = _errors(ours, theirs, arrays, min(order, 1), "float32")
    if max(rough) > ROUGH:  # PyTorch's float32 may be the inexact one: its float64 decides
        rough = _errors(ours, theirs, arrays, min(order, 1), "float32", exact=True)
    remember(max(errors), max(rough))
    if not max(errors) <= 1e-9 or not max(rough) <= ROUGH:  # NaN fails, too
        pytest.fail(
            f"errors, value first: {errors} in float64, {rough} in float32; "
            f"shapes {[np.shape(a) for a in arrays]}"
        )
    return max(errors)


def remember(error, rough=0.0):
    """The error, which is also written down if DLSCRATCH_PARITY says where."""
    if file := os.environ.get("DLSCRATCH_PARITY"):
        test = os.environ["PYTEST_CURRENT_TEST"].split("::")[-1].removesuffix(" (call)")
        with open(file, "a", encoding="utf-8") as lines:
            lines.write(f"{test}\t{error}\t{rough}\n")
    return error


def _errors(ours, theirs, arrays, order, dtype, exact=False):
    """The errors of the value and of the gradients; `exact` asks PyTorch for float64.

    Both get the same inputs, rounded to dtype.
    """
    torch = pytest.importorskip("torch")
    arrays = [a.astype(dtype) if a.dtype.kind == "f" else a for a in map(np.asarray, arrays)]
    xs = [Tensor(a, requires_grad=a.dtype.kind == "f") for a in arrays]
    given = [a.astype("float64") if exact and a.dtype.kind == "f" else a for a in arrays]
    zs = [torch.tensor(a, requires_grad=a.dtype.kind == "f") for a in given]
    y, z = ours(*xs), theirs(*zs)
    errors = [_error(y, z, dtype)]
    if order:
        xs, zs = [x for x in xs if x.requires_grad], [z for z in zs if z.requires_grad]
        rng = np.random.default_rng(
            20_260
        )  # not a test's own seed: a projection on the input itself can vanish
        v = rng.normal(size=y.shape).astype(dtype)
        slopes = torch.autograd.grad(z, zs, torch.tensor(v, dtype=z.dtype), create_graph=True)
        errors += [
            _error(g, t, dtype)
            for g, t in zip(gradients(y, xs, gradient=v, retain_graph=True), slopes, strict=True)
        ]
    if order == 2:
        us = [rng.normal(size=x.shape) for x in xs]
        along = sum(
            np.sum(g * u)
            for g, u in zip(gradients(y, xs, gradient=v, create_graph=True), us, strict=True)
        )
        theirs = sum((t * torch.tensor(u)).sum() for t, u in zip(slopes, us, strict=True))
        if theirs.requires_grad:
            bends = torch.autograd.grad(theirs, zs, allow_unused=True, materialize_grads=True)
            errors += [
                _error(g, t, dtype) for g, t in zip(gradients(along, xs), bends, strict=True)
            ]
        elif along.requires_grad:  # PyTorch says that the slope is constant
            errors += [float(np.abs(g.data).max()) for g in gradients(along, xs)]
    return errors


def _error(a, b, dtype):
    if a.dtype.kind == "f" and a.dtype != dtype:
        return float("inf")
    return relative_error(a.data, b.numpy(force=True), floor=1e-6)


def main(file):
    """The table: test, worst relative error in float64 and in float32, comparisons."""
    worst = {}
    with open(file, encoding="utf-8") as lines:
        for test, *errors in (line.split("\t") for line in lines):
            worst.setdefault(test, []).append([float(e) for e in errors])
    for test, rows in sorted(worst.items()):
        print(
            f"{test:70} {max(r[0] for r in rows):8.1e} {max(r[1] for r in rows):8.1e} {len(rows):5}"
        )


if __name__ == "__main__":
    main(sys.argv[1])
