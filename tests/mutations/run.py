"""Put one classic bug into a copy of the package, and see whether the test that should catch it does.

python -m tests.mutations.run prints the table.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from .catalogue import MUTATIONS

ROOT = Path(__file__).parents[2]


def mutated(text, mutation):
    """The text with the bug in it. Raises ValueError unless the place is there exactly once."""
    if text.count(mutation.old) != 1:
        raise ValueError(f"{mutation.name}: {mutation.old!r} stands {text.count(mutation.old)} times in {mutation.file}, want once")
    return text.replace(mutation.old, mutation.new)


def caught(mutation):
    """Whether the named test fails with the bug: it must fail, and not merely find nothing to run."""
    with tempfile.TemporaryDirectory() as folder:
        for name in ("dlscratch", "tests"):
            shutil.copytree(ROOT / name, Path(folder) / name, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(ROOT / "pyproject.toml", folder)
        file = Path(folder) / "dlscratch" / mutation.file
        file.write_text(mutated(file.read_text(encoding="utf-8"), mutation), encoding="utf-8")
        path, _, words = mutation.test.partition(" -k ")
        command = [sys.executable, "-m", "pytest", "-q", "-x", "--no-header", "-p", "no:cacheprovider", path]
        done = subprocess.run(
            command + (["-k", words] if words else []), cwd=folder, capture_output=True, text=True, timeout=300, env=_environment()
        )
    if done.returncode not in (0, 1):  # 2 to 5: interrupted, misused, nothing collected
        raise RuntimeError(f"{mutation.name}: pytest ended with {done.returncode}:\n{done.stdout[-1500:]}{done.stderr[-500:]}")
    return done.returncode == 1


def _environment():
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST", "COV", "PYTHONPATH"))}
    return kept | {"OPENBLAS_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1", "HYPOTHESIS_PROFILE": "first"}


def main():
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        results = list(pool.map(caught, MUTATIONS))
    for mutation, found in zip(MUTATIONS, results, strict=True):
        print("caught " if found else "ESCAPED", f"{mutation.name:60} {mutation.file:32} {mutation.test}")
    print(f"{sum(results)} of {len(results)} caught")
    return sum(results) < len(results)


if __name__ == "__main__":
    sys.exit(main())
