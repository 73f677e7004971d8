"""The proof: every derivative rule against finite differences and, with PyTorch, our results against PyTorch's, by name.

examples:
  python -m dlscratch verify
  python -m dlscratch verify -k lstm    only the comparisons with PyTorch whose name holds "lstm"

The derivatives take seconds, the comparisons with PyTorch about three minutes. The exit code is 1 if an error exceeds its bound.
Needs a clone; without PyTorch the first half is done alone.
"""

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


def arguments(parser):
    """Which comparisons."""
    parser.add_argument(
        "-k",
        metavar="WORDS",
        help="compare with PyTorch only where the name of the test holds these; pytest's -k",
    )


def run(args):
    """Prints the errors of both halves."""
    derivatives = _derivatives(clone.module("tests.samples").SAMPLES)
    missing = [
        name for name in ("torch", "pytest", "hypothesis") if importlib.util.find_spec(name) is None
    ]
    if not missing:
        return max(derivatives, _parity(args.k))
    print(
        f"Not done: the comparison with PyTorch, which needs {', '.join(missing)}. To get it: {repair(*missing)}"
    )
    return derivatives


def _derivatives(samples):
    """The worst of the relative errors at each order; 1 if it exceeds the bound."""
    code = 0
    for order in (1, 2):
        errors = {
            s.label: gradcheck(s.f, *s.draw(np.random.default_rng(0)), order=order) for s in samples
        }
        failed = [label for label, error in errors.items() if not error <= BOUND]  # NaN, too
        worst = failed[0] if failed else max(errors, key=errors.get)
        print(
            f"{len(samples)} samples at order {order}: worst relative error {errors[worst]:.1e} ({worst}), bound {BOUND:.0e}",
            flush=True,
        )
        code = 1 if failed else code
    return code


def _parity(words):
    """Runs the tests that compare with PyTorch; prints the worst error of each. 1 if one fails."""
    print("Comparing with PyTorch ...", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        file = os.path.join(folder, "errors")
        environment = os.environ | {"DLSCRATCH_PARITY": file, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
        command = [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            *(["-k", words] if words else []),
            *COMPARISONS,
        ]
        code = subprocess.run(command, cwd=clone.root(), env=environment).returncode
        if code > 1:
            why = (
                f"no test's name holds {words}"
                if code == 5
                else f"pytest ended with {code} and said why"
            )
            raise RuntimeError(f"no comparison with PyTorch was made: {why}")
        print(f"\n{'worst relative error':70} {'float64':>8} {'float32':>8} {'cases':>5}")
        if os.path.exists(file):
            clone.module("tests.parity").main(file)
    return code
