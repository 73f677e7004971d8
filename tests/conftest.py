"""The suite runs without network: only the local machine may be reached."""

import os

import pytest

from .offline.sitecustomize import block

os.environ.setdefault("DLSCRATCH_PROGRESS", "0")
os.environ.setdefault("MPLBACKEND", "Agg")


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    block(monkeypatch.setattr)
