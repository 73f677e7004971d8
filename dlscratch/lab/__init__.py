"""Floor 3, the laboratory: claims, probes, figures, and the package's own code on show."""

import importlib

from . import curvature, landscape, measures
from .claim import check, checks, claim, claims, interval
from .probe import probe
from .source import source
from .stacked import StackedMLP
from .tuning import steady_rate

__all__ = [
    "claim",
    "claims",
    "check",
    "checks",
    "interval",
    "probe",
    "plot",
    "source",
    "curvature",
    "landscape",
    "measures",
    "StackedMLP",
    "steady_rate",
]


def __getattr__(name):
    """`plot` is loaded when it is first asked for, because matplotlib takes its time."""
    if name == "plot":
        return importlib.import_module(".plot", __name__)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
