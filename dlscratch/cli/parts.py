"""The packages that dlscratch names as its needs and its extras, which of them are here, and the repair for each that is not."""

import importlib
import importlib.metadata
import re
import sys
import tomllib
from pathlib import Path
from typing import NamedTuple

__all__ = ["Part", "parts", "repair"]


class Part(NamedTuple):
    """A package, the extra that asks for it ("" if it is needed), its version or what is wrong, and pip's command for that, if any."""

    name: str
    extra: str
    state: str
    cure: str = ""


IMPORTED_AS = {"ipython": "IPython", "scikit-learn": "sklearn"}


def parts():
    """A Part for each package that dlscratch asks for on this machine."""
    return [part for requirement, extra in _asked() if (part := _part(requirement, extra))]


def repair(*names, cure="install"):
    """The command that brings these packages, in versions that fit, into the Python that runs."""
    asked = {
        _name(requirement): requirement.partition(";")[0].strip() for requirement, _ in _asked()
    }
    asked |= {module: asked.get(name, name) for name, module in IMPORTED_AS.items()}
    return f"{sys.executable} -m pip {cure} " + " ".join(
        f'"{asked.get(name, name)}"' for name in names
    )


def _asked():
    """[(requirement, extra)] of the clone's pyproject.toml or, without a clone, of the installed metadata."""
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
    except (
        Exception
    ) as error:  # whatever a broken build raises, it is the patient's, not the doctor's
        state = f"{version} cannot be imported ({type(error).__name__}: {error})"
        return Part(wanted.name, extra, state, "install --force-reinstall")
    return Part(wanted.name, extra, version)
