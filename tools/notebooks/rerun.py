"""python -m tools.notebooks.rerun seeds | tinker | portable | lowest [NUMBER | all] [SAMPLE].

Notebooks under other conditions. A run that passed is not repeated until its notebook or the
package changes. SAMPLE runs that many, others each day.
"""

import datetime
import os
import random
import subprocess
import sys
import time

from dlscratch.cli import notebooks as nb

from . import address, ledger

MACHINES = [
    {"OPENBLAS_CORETYPE": "Haswell", "OPENBLAS_NUM_THREADS": "1"},
    {"OPENBLAS_CORETYPE": "Nehalem", "OPENBLAS_NUM_THREADS": "1"},
    {"OPENBLAS_NUM_THREADS": "2"},
    {"OPENBLAS_NUM_THREADS": "1"},
]
NBVAL = "-q --color=no --nbval --nbval-current-env --nbval-cell-timeout=180".split()
NBVAL += "-p no:cacheprovider -p no:randomly".split()


def other_seeds(defaults):
    """Seeds that are not the one in the file: three, or as many as the environment's SEEDS."""
    count = int(os.environ.get("SEEDS") or 3)
    return [{"seed": defaults["seed"] + step} for step in range(1, count + 1)]


def changed(defaults):
    """Each numeric parameter halved and doubled, one at a time.

    Whole numbers stay whole, and never become 0.
    """
    for name, value in defaults.items():
        if name == "seed" or isinstance(value, bool) or not isinstance(value, int | float):
            continue
        for new in (value / 2, value * 2):
            new = (int(new) or 1) if isinstance(value, int) else new
            if new != value:
                yield {name: new}


def with_parameters(path, values, must_hold):
    """Faults of one run: an error, red output and, if they must hold, claims that do not."""
    try:
        book = nb.run(path, ledger.BUILD / "rerun" / path.name, values, progress=False)
    except RuntimeError as error:
        return [str(error)]
    failed = [line for held, line in nb.claims(book) if must_hold and not held]
    return red_output(book) + failed


def red_output(book):
    """What a notebook that ran wrote to stderr, which readers see in red."""
    outputs = [o for c in book.cells if c.cell_type == "code" for o in c.outputs]
    return [f"stderr: {o.text.strip()}" for o in outputs if o.get("name") == "stderr"]


def on_machine(path, environment):
    """Faults of a strict comparison with the committed outputs, under another environment."""
    sanitize = f"--nbval-sanitize-with={address.ROOT / 'nbval-sanitize.cfg'}"
    command = [sys.executable, "-m", "pytest", *NBVAL, sanitize, str(path)]
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=address.ROOT, env=os.environ | environment
    )
    return [(done.stdout + done.stderr)[-4000:]] if done.returncode else []


CAMPAIGNS = {
    "seeds": (other_seeds, lambda path, values: with_parameters(path, values, must_hold=True)),
    "tinker": (changed, lambda path, values: with_parameters(path, values, must_hold=False)),
    "portable": (lambda _: MACHINES, on_machine),
    "lowest": (lambda _: MACHINES[-1:], on_machine),  # run by the Python of .venv-colab
}


def campaign(name, number="all", sample=None):
    """Do every run that has not passed yet, or a sample of them.

    Returns the number of runs with faults.
    """
    conditions, faults = CAMPAIGNS[name]
    paths = nb.find(None if number == "all" else number)
    runs = [(path, values) for path in paths for values in conditions(nb.parameters(nb.read(path)))]
    if sample:
        runs = random.Random(datetime.date.today().toordinal()).sample(
            runs, min(int(sample), len(runs))
        )
    left = [(path, values) for path, values in runs if not ledger.done(path, f"{name} {values}")]
    print(
        f"{name}: {len(runs)} runs, of which {len(runs) - len(left)} have passed already",
        flush=True,
    )
    return sum(not one_run(name, path, values, faults) for path, values in left)


def one_run(name, path, values, faults):
    start = time.perf_counter()
    found = faults(path, values)
    said = " ".join(f"{key}={value}" for key, value in values.items())
    print(
        "✗" if found else "✓",
        path.stem,
        said,
        f"({time.perf_counter() - start:.0f} s)",
        *found,
        flush=True,
    )
    if not found:
        ledger.record(path, f"{name} {values}")
    return not found


if __name__ == "__main__":
    sys.exit(campaign(*sys.argv[1:]) > 0)
