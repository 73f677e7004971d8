"""The suite runs without network: only the local machine may be reached.

The same examples are drawn each time.

HYPOTHESIS_PROFILE=default draws others, to search for more; =first stops at the first that fails
and makes it no smaller.
"""

import os

import pytest
from hypothesis import Phase, settings

from .offline.sitecustomize import block

settings.register_profile("steady", derandomize=True, database=None)
settings.register_profile(
    "first", derandomize=True, database=None, phases=[Phase.explicit, Phase.generate]
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "steady"))
os.environ.setdefault("DLSCRATCH_PROGRESS", "0")
os.environ.setdefault("MPLBACKEND", "Agg")


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    block(monkeypatch.setattr)
