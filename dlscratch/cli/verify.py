"""The proof: every derivative against finite differences, our results against PyTorch's.

examples:
  python -m dlscratch verify
  python -m dlscratch verify -k lstm    only the comparisons with PyTorch whose name holds "lstm"

The derivatives take seconds, the comparisons with PyTorch about three minutes. The exit code is 1
if an error exceeds its bound. Needs a clone; without PyTorch the first half is done alone.
"""

import argparse
import importlib.util
import os
import subprocess
import sys
import tempfile

import numpy as np

from ..testing import gradcheck
from . import clone
from .parts import repair

__all__ = ["arguments", "run"]

BOUND = 1e-5
COMPARISONS = ["tests/functional", "tests/layers", "tests/optimizers"]


def arguments(parser: argparse.ArgumentParser) -> None:
    """Which comparisons."""
    parser.add_argument(
        "-k",
        metavar="WORDS",
        help="compare with PyTorch only where the name of the test holds these; pytest's -k",
    )


def run(args: argparse.Namespace) -> int:
    """Prints the errors of both halves."""
    derivatives = _derivatives(clone.module("tests.samples").SAMPLES)
    needed = ("torch", "pytest", "hypothesis")
    missing = [name for name in needed if importlib.util.find_spec(name) is None]
    if not missing:
        return max(derivatives, _parity(args.k))
    print(
        f"Not done: the comparison with PyTorch, which needs {', '.join(missing)}. To get it: "
        f"{repair(*missing)}"
    )
    return derivatives


def _derivatives(samples):
    """The worst of the relative errors at each order; 1 if it exceeds the bound."""
    code = 0
    for order in (1, 2):
        errors = {}
        for sample in samples:
            inputs = sample.draw(np.random.default_rng(0))
            errors[sample.label] = gradcheck(sample.f, *inputs, order=order)
        failed = [label for label, error in errors.items() if not error <= BOUND]  # NaN, too
        worst = failed[0] if failed else max(errors, key=errors.get)
        said = f"worst relative error {errors[worst]:.1e} ({worst}), bound {BOUND:.0e}"
        print(f"{len(samples)} samples at order {order}: {said}", flush=True)
        code = 1 if failed else code
    return code


def _parity(words):
    """Runs the tests that compare with PyTorch; prints the worst error of each. 1 if one fails."""
    print("Comparing with PyTorch ...", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        file = os.path.join(folder, "errors")
        environment = os.environ | {"DLSCRATCH_PARITY": file, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
        chosen = ["-k", words] if words else []
        quiet = ["-q", "-p", "no:cacheprovider"]
        command = [sys.executable, "-m", "pytest", *quiet, *chosen, *COMPARISONS]
        code = subprocess.run(command, cwd=clone.root(), env=environment).returncode
        if code > 1:
            nothing_found = code == 5
            why = f"no test's name holds {words}" if nothing_found else f"pytest said {code}"
            raise RuntimeError(f"no comparison with PyTorch was made: {why}")
        print(f"\n{'worst relative error':70} {'float64':>8} {'float32':>8} {'cases':>5}")
        if os.path.exists(file):
            clone.module("tests.parity").main(file)
    return code
