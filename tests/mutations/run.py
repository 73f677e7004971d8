"""Put one classic bug into a copy of the package; does the test that should catch it do so?

python -m tests.mutations.run prints the table.
"""

import json
import multiprocessing
import os
import re
import shutil
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from .catalogue import MUTATIONS

ROOT = Path(__file__).parents[2]
COPIED = ("dlscratch", "tests", "tools")
SECONDS = 300  # that a test may take
CRASH = r"^E +(AttributeError|ImportError|NameError|TypeError|UnboundLocalError): .*"

# every process starts as one that has imported these, and nothing of ours
FRESH = multiprocessing.get_context("forkserver")
FRESH.set_forkserver_preload(["numpy", "torch"])


def mutated(text, mutation):
    """The text with the bug in it. Raises ValueError unless the place is there exactly once."""
    count = text.count(mutation.old)
    if count != 1:
        raise ValueError(
            f"{mutation.name}: {mutation.old!r} stands {count} times in {mutation.file}, want once"
        )
    return text.replace(mutation.old, mutation.new)


def caught(mutation):
    """Whether the named test fails with the bug: it must fail, not merely find nothing to run.

    Raises RuntimeError for a bug that crashes: it would not still train, and any test notices it.
    """
    with tempfile.TemporaryDirectory() as folder:
        _copy_with_bug(mutation, Path(folder))
        process = FRESH.Process(target=_pytest, args=(folder, _arguments(mutation.test)))
        process.start()
        process.join(SECONDS)
        said = (Path(folder) / "said").read_text(encoding="utf-8", errors="replace")
    passed = process.exitcode == 0
    failed = process.exitcode == 1 and "\nFAILED " in said
    if not (passed or failed):  # misused, nothing collected, too slow
        process.kill()
        raise RuntimeError(
            f"{mutation.name}: pytest ended with {process.exitcode}:\n{said[-2000:]}"
        )
    if failed and (crash := re.search(CRASH, said, re.MULTILINE)):
        raise RuntimeError(f"{mutation.name}: the bug crashes: {crash[0]}")
    return failed


def selected(tests):
    """How many tests each of these names selects, by name; they are collected and not run."""
    paths = sorted({_path_and_words(test)[0] for test in tests})
    with tempfile.TemporaryDirectory() as folder:
        _copy(Path(folder))
        arguments = ["--collect-only", "-q", "-p", "no:cacheprovider", *paths]
        process = FRESH.Process(target=_pytest, args=(folder, arguments, [_Counts(tests)]))
        process.start()
        process.join(SECONDS)
        if process.exitcode != 0:
            process.kill()
            said = (Path(folder) / "said").read_text(encoding="utf-8", errors="replace")
            raise RuntimeError(f"pytest ended with {process.exitcode}:\n{said[-2000:]}")
        return json.loads((Path(folder) / "counts.json").read_text(encoding="utf-8"))


class _Counts:
    """A plugin of pytest: of all tests that are collected, how many would each name select?"""

    def __init__(self, tests):
        self.tests = sorted(set(tests))

    def pytest_collection_finish(self, session):
        counts = {test: self._count(session, test) for test in self.tests}
        Path("counts.json").write_text(json.dumps(counts), encoding="utf-8")

    def _count(self, session, test):
        path, words = _path_and_words(test)
        items = [i for i in session.items if Path(i.nodeid.split("::")[0]).is_relative_to(path)]
        session.config.option.keyword = words
        select = session.config.pluginmanager.getplugin("mark").pytest_collection_modifyitems
        select(items, session.config)  # what -k does
        return len(items)


def _copy(folder):
    """The project in `folder`."""
    for name in COPIED:
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, folder / name, ignore=ignored)
    shutil.copy(ROOT / "pyproject.toml", folder)


def _copy_with_bug(mutation, folder):
    """The project in `folder`, with the bug in its place."""
    _copy(folder)
    file = folder / "dlscratch" / mutation.file
    file.write_text(mutated(file.read_text(encoding="utf-8"), mutation), encoding="utf-8")


def _path_and_words(test):
    """Of a test that is named as "path" or "path -k words"."""
    path, _, words = test.partition(" -k ")
    return path, words


def _arguments(test):
    """Pytest's, to run the named test."""
    path, words = _path_and_words(test)
    chosen = ["-k", words] if words else []
    return ["-q", "-x", "--no-header", "-p", "no:cacheprovider", path, *chosen]


def _pytest(folder, arguments, plugins=()):
    """In a process of its own: pytest on the copy in `folder`; what it prints goes to a file."""
    import pytest

    for name in [k for k in os.environ if k.startswith(("PYTEST", "COV"))]:
        del os.environ[name]
    os.environ["HYPOTHESIS_PROFILE"] = "first"
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"  # nbval alone would cost 2 s
    for name in [k for k in sys.modules if k.split(".")[0] in COPIED]:
        del sys.modules[name]
    os.chdir(folder)
    sys.path.insert(0, folder)
    with open("said", "w") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
        code = pytest.main(arguments, plugins)
    sys.exit(int(code))


def main():
    """Print what each bug's test did; 1 if one has escaped."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        results = list(pool.map(caught, MUTATIONS))
    for mutation, found in zip(MUTATIONS, results, strict=True):
        verdict = "caught " if found else "ESCAPED"
        print(verdict, f"{mutation.name:60} {mutation.file:32} {mutation.test}")
    print(f"{sum(results)} of {len(results)} caught")
    return sum(results) < len(results)


if __name__ == "__main__":
    sys.exit(main())
