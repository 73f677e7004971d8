"""Two small notebooks that stand in for the project's.

The claim of 05 holds with its defaults, that of 06 fails.
"""

import pytest

from dlscratch.cli import notebooks as nb
from tools.notebooks.sample import runnable

PARAMETERS = 'depth = 3  # 1-9  #@param\nname = "digits"  # digits, spirals  #@param'
CLAIM = "print('✓' if depth < 5 else '✗', 'It is shallow [measured', depth, '; wanted < 5]')"


@pytest.fixture
def clone(tmp_path, monkeypatch):
    monkeypatch.setattr(nb, "folder", lambda: tmp_path / "notebooks")
    monkeypatch.chdir(tmp_path)
    runnable(tmp_path / "notebooks" / "part0_a" / "05_b.ipynb", PARAMETERS, CLAIM)
    runnable(tmp_path / "notebooks" / "part0_a" / "06_c.ipynb", PARAMETERS.replace("3", "8"), CLAIM)
    return tmp_path
