"""The packages that dlscratch asks for: which of them are here, and the repair for the others."""

import importlib
import importlib.metadata
import re
import sys
import tomllib
from pathlib import Path
from typing import NamedTuple

__all__ = ["Part", "parts", "repair"]


class Part(NamedTuple):
    """A package that dlscratch asks for, and how it is.

    extra: which one asks for it, "" if it is needed. state: its version, or what is wrong. cure:
    pip's command for that, "" if nothing is wrong.
    """

    name: str
    extra: str
    state: str
    cure: str = ""


IMPORTED_AS = {"ipython": "IPython", "scikit-learn": "sklearn"}


def parts() -> list[Part]:
    """A Part for each package that dlscratch asks for on this machine."""
    return [part for requirement, extra in _asked() if (part := _part(requirement, extra))]


def repair(*names: str, cure: str = "install") -> str:
    """The command that brings these packages, in versions that fit, into the Python that runs."""
    asked = {}
    for requirement, _ in _asked():
        asked[_name(requirement)] = requirement.partition(";")[0].strip()
    asked |= {module: asked.get(name, name) for name, module in IMPORTED_AS.items()}
    packages = " ".join(f'"{asked.get(name, name)}"' for name in names)
    return f"{sys.executable} -m pip {cure} {packages}"


def _asked():
    """[(requirement, extra)] of the clone's pyproject.toml or, without one, of the metadata."""
    file = Path(__file__).parents[2] / "pyproject.toml"
    if file.exists():
        project = tomllib.loads(file.read_text(encoding="utf-8"))["project"]
        groups = {"": project["dependencies"], **project["optional-dependencies"]}
        return [(requirement, extra) for extra, group in groups.items() for requirement in group]
    return [_split(line) for line in importlib.metadata.requires("dlscratch") or []]


def _split(line):
    """("torch>=2.4", "torch") of the metadata's 'torch>=2.4; extra == "torch"'."""
    requirement, _, marker = line.partition("extra ==")
    return requirement.strip().removesuffix("and").rstrip("; "), marker.strip(" \"'")


def _name(requirement):
    return re.match(r"[\w.-]+", requirement)[0]


def _part(requirement, extra):
    """The Part, or None for one that is asked on other machines only."""
    from packaging.requirements import Requirement

    wanted = Requirement(requirement)
    if wanted.marker and not wanted.marker.evaluate():
        return None
    try:
        version = importlib.metadata.version(wanted.name)
    except importlib.metadata.PackageNotFoundError:
        return Part(wanted.name, extra, "missing", "install")
    if not wanted.specifier.contains(version, prereleases=True):
        return Part(wanted.name, extra, f"{version}, wanted {wanted.specifier}", "install")
    try:
        importlib.import_module(IMPORTED_AS.get(wanted.name, wanted.name.replace("-", "_")))
    except Exception as error:  # a broken build's is the patient's fault, not the doctor's
        state = f"{version} cannot be imported ({type(error).__name__}: {error})"
        return Part(wanted.name, extra, state, "install --force-reinstall")
    return Part(wanted.name, extra, version)
