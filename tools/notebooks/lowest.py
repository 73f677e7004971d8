"""python -m tools.notebooks.lowest: the oldest environment that pyproject.toml promises, for pip.

It prints constraints; what pyproject.toml leaves open is as in constraints.txt. COLAB is what Colab
had preinstalled on 2026-08-19 (googlecolab/backend-info, the older of its two runtimes where they
differ): where it has what we ask for, installing dlscratch changes nothing there.
"""

import tomllib

from .address import ROOT

COLAB = {
    "numpy": "2.0.2",
    "matplotlib": "3.10.0",
    "pandas": "2.2.3",
    "scipy": "1.16.3",
    "scikit-learn": "1.6.1",
    "ipython": "7.34.0",
    "ipykernel": "6.17.1",
}


def promised():
    """{package: lowest version} of what running the notebooks needs."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return dict(
        line.split(">=")
        for line in project["dependencies"] + project["optional-dependencies"]["notebooks"]
    )


def constraints():
    """{package: version}: the promised ones as low as promised, all others as they are pinned."""
    pinned = dict(
        line.split("==") for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").split()
    )
    low = promised()
    return {name: version for name, version in pinned.items() if name.lower() not in low} | low


if __name__ == "__main__":
    print("\n".join(f"{name}=={version}" for name, version in constraints().items()))
