"""What a run measured, one row a measurement."""

import os
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import TYPE_CHECKING

import numpy as np

from ..files import write_whole

if TYPE_CHECKING:
    from pandas import DataFrame

__all__ = ["History", "need"]


@dataclass
class History:
    """What a run measured: rows of (epoch, step, split, metric, value).

    `fit` adds a row ("train", "batch_loss") at each step, and after each epoch a row for the
    loss and each metric on each split that it measures.

    Examples
    --------
    >>> history = History()
    >>> history.add(epoch=0, step=22, split="train", metric="loss", value=1.5)
    >>> history.add(epoch=1, step=44, split="train", metric="loss", value=0.5)
    >>> history.last("train", "loss")
    0.5
    >>> history.frame
       epoch  step  split metric  value
    0      0    22  train   loss    1.5
    1      1    44  train   loss    0.5
    """

    rows: list[tuple[int, int, str, str, float]] = field(default_factory=list)

    def add(self, epoch: int, step: int, split: str, metric: str, value: float) -> None:
        """Remember one measurement; raises ValueError for a value that is no number."""
        self.rows.append((epoch, step, split, metric, float(value)))

    def values(self, split: str, metric: str) -> np.ndarray:
        """All values of one metric, oldest first: (T,)."""
        return np.array([row[4] for row in self.rows if row[2:4] == (split, metric)])

    def last(self, split: str, metric: str) -> float:
        """The newest value of one metric; NaN if it was never measured."""
        found = self.values(split, metric)
        return float(found[-1]) if len(found) else float("nan")

    def stalled(self, split: str) -> int:
        """How many epochs ago the loss was best; 0 also where nothing was measured yet.

        An equal loss is no improvement, and NaN is none.
        """
        losses = self.values(split, "loss")
        if not len(losses):
            return 0
        best = np.argmin(np.where(np.isnan(losses), np.inf, losses))
        return len(losses) - 1 - int(best)

    @property
    def frame(self) -> "DataFrame":
        """The rows as a tidy pandas DataFrame."""
        from pandas import DataFrame

        return DataFrame(self.rows, columns=["epoch", "step", "split", "metric", "value"])

    def to_csv(self, path: str | os.PathLike) -> None:
        """Write the rows as a table with a header; the file is there whole or not at all."""
        write_whole(path, self.frame.to_csv(index=False).encode())

    def to_parquet(self, path: str | os.PathLike) -> None:
        """Write the rows as a Parquet file, with their types, whole or not at all.

        Raises ModuleNotFoundError without the package pyarrow.
        """
        need("pyarrow")
        write_whole(path, self.frame.to_parquet(index=False, engine="pyarrow"))


def need(package: str) -> None:
    """Raise ModuleNotFoundError, with the command that repairs it, for a missing package."""
    if find_spec(package) is None:
        raise ModuleNotFoundError(
            f"this needs {package}, which is not installed: python -m pip install {package}",
            name=package,
        )
