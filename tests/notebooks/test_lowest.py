"""The environments besides ours: Colab, Binder, a dev container.

They take their versions from pyproject.toml and constraints.txt.
"""

import json
import re
import tomllib

from packaging.version import Version

from tools.notebooks.address import ROOT
from tools.notebooks.lowest import COLAB, constraints, promised


def test_the_lowest_environment_has_each_package_once():
    low, both = promised(), constraints()
    assert {name: both[name] for name in low} == low
    assert len({name.lower() for name in both}) == len(both)
    assert Version(both["numpy"]) < Version("2.1") and "pytest" in both


def test_colab_has_what_we_ask_for_so_that_nothing_there_is_replaced():
    low = promised()
    assert COLAB.keys() <= low.keys()
    for name, version in COLAB.items():
        assert Version(low[name]) <= Version(version), (
            f"Colab has {name} {version}; >= {low[name]} would replace it and force a restart"
        )
    assert "torch" not in low


def test_binder_and_the_dev_container_fit_the_project():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    container = json.loads((ROOT / ".devcontainer/devcontainer.json").read_text(encoding="utf-8"))
    runtime, build = (
        (ROOT / ".binder" / name).read_text(encoding="utf-8")
        for name in ("runtime.txt", "postBuild")
    )
    for text in runtime, container["image"]:
        assert Version(re.search(r"3\.\d+", text)[0]) >= Version(
            project["requires-python"].removeprefix(">=")
        )
    assert re.search(r'-c constraints.txt -e "\.\[notebooks\]"', build)
    assert re.search(
        rf"^{container['postCreateCommand'].removeprefix('make ')}:",
        (ROOT / "Makefile").read_text(encoding="utf-8"),
        re.M,
    )
