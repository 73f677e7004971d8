"""Put one classic bug into a copy of the package, and see whether the test that should catch it does.

python -m tests.mutations.run prints the table.
"""

import multiprocessing
import os
import shutil
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from .catalogue import MUTATIONS

ROOT = Path(__file__).parents[2]


def mutated(text, mutation):
    """The text with the bug in it. Raises ValueError unless the place is there exactly once."""
    if text.count(mutation.old) != 1:
        raise ValueError(
            f"{mutation.name}: {mutation.old!r} stands {text.count(mutation.old)} times in {mutation.file}, want once"
        )
    return text.replace(mutation.old, mutation.new)


def caught(mutation):
    """Whether the named test fails with the bug: it must fail, and not merely find nothing to run."""
    with tempfile.TemporaryDirectory() as folder:
        for name in ("dlscratch", "tests", "tools"):
            shutil.copytree(
                ROOT / name, Path(folder) / name, ignore=shutil.ignore_patterns("__pycache__")
            )
        shutil.copy(ROOT / "pyproject.toml", folder)
        file = Path(folder) / "dlscratch" / mutation.file
        file.write_text(mutated(file.read_text(encoding="utf-8"), mutation), encoding="utf-8")
        path, _, words = mutation.test.partition(" -k ")
        arguments = [
            "-q",
            "-x",
            "--no-header",
            "-p",
            "no:cacheprovider",
            path,
            *(["-k", words] if words else []),
        ]
        process = FRESH.Process(target=_pytest, args=(folder, arguments))
        process.start()
        process.join(300)
        said = (Path(folder) / "said").read_text(encoding="utf-8", errors="replace")
    if process.exitcode != 0 and not (
        process.exitcode == 1 and "\nFAILED " in said
    ):  # misused, nothing collected, too slow
        process.kill()
        raise RuntimeError(
            f"{mutation.name}: pytest ended with {process.exitcode}:\n{said[-2000:]}"
        )
    return process.exitcode == 1


FRESH = multiprocessing.get_context(
    "forkserver"
)  # every process starts as one that has imported these, and nothing of ours
FRESH.set_forkserver_preload(["numpy", "torch"])


def _pytest(folder, arguments):
    """In a process of its own: pytest on the copy in `folder`."""
    import pytest

    for name in [k for k in os.environ if k.startswith(("PYTEST", "COV"))]:
        del os.environ[name]
    os.environ |= {
        "HYPOTHESIS_PROFILE": "first",
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
    }  # nbval alone would cost 2 s
    for name in [k for k in sys.modules if k.split(".")[0] == "tests"]:
        del sys.modules[name]
    os.chdir(folder)
    sys.path.insert(0, folder)
    with open("said", "w") as file:
        os.dup2(file.fileno(), 1), os.dup2(file.fileno(), 2)
        code = pytest.main(arguments)
    sys.exit(int(code))


def main():
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        results = list(pool.map(caught, MUTATIONS))
    for mutation, found in zip(MUTATIONS, results, strict=True):
        print(
            "caught " if found else "ESCAPED",
            f"{mutation.name:60} {mutation.file:32} {mutation.test}",
        )
    print(f"{sum(results)} of {len(results)} caught")
    return sum(results) < len(results)


if __name__ == "__main__":
    sys.exit(main())
