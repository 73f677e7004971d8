"""A probe listens to a model in training, layer by layer: what goes out, comes back, and moves."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from ..engine import Tensor

if TYPE_CHECKING:
    import pandas

__all__ = ["probe"]


class probe:  # noqa: N801 - used as a function: `with probe(model) as p:`
    """Records a model layer by layer while a `with` block lasts.

    In every forward pass, of the output y: (N, ...) of each layer without sublayers:

    - "mean" and "std";
    - "zeros", the share of entries that are 0, and "dead", the share of units that are 0 for all N;
    - whatever `measures` adds.

    For each call of `p.record()` after a backward, or with `callbacks=[p]` in `fit`:

    - "delta", the std of N dL/dy. For a loss that is a mean over N examples this is the gradient
      of each one's own, and does not hang on the batch size;
    - of each parameter w the norms "weight" = |w|, "gradient" = |dL/dw| and
      "update" = |w' - w| / |w| (NaN for w = 0), where w' is seen at the next pass or at the end of
      the block.

    Passes in another mode (train, eval) than at its start are left out. `p.frame` has all of it.

    Parameters
    ----------
    model : Module
        What to listen to.
    measures : {name: function of y}, optional
        More numbers of each output, such as `lab.measures.effective_rank`.

    Examples
    --------
    >>> from dlscratch import layers
    >>> model = layers.Sequential(layers.Linear(2, 3, rng=0), layers.Tanh())
    >>> with probe(model) as p:
    ...     y = model(np.ones((4, 2), "float32"))
    >>> sorted(p.frame.query("step == 0")["layer"].unique())
    ['0', '1']
    >>> p.matrix("std").shape
    (2, 1)
    """

    def __init__(self, model: Any, measures: dict[str, Callable] | None = None):
        self.model = model
        self.measures = measures or {}
        self.rows = []  # (step, layer, quantity, value)
        self.step = 0  # passes so far
        self._handles = []
        self._outputs = {}  # {layer: its output in the last pass}, whose gradient is wanted
        self._before = {}  # {parameter: its numbers in the last pass}
        self._is_moving = False  # whether that pass was recorded and its update is not yet seen

    def __enter__(self):
        self._mode = self.model.training
        modules = {}
        for name, module in self.model.named_modules():
            modules.setdefault(id(module), (name, module))  # a layer used twice is heard once
        names = [name for name, _ in modules.values()]
        for name, module in modules.values():
            inside = f"{name}." if name else ""
            has_sublayers = any(other != name and other.startswith(inside) for other in names)
            if not has_sublayers:
                self._handles.append(module.register_forward_hook(self._listen(name)))
        self._handles.append(self.model.register_forward_hook(self._passed))
        return self

    def __exit__(self, *_):
        while self._handles:
            self._handles.pop().remove()
        self._settle()
        self._outputs = {}

    def _listen(self, name):
        """The hook of a layer."""

        def hook(module, inputs, y):
            if self.model.training != self._mode:
                return
            y = y[0] if isinstance(y, tuple) else y
            values = np.atleast_1d(y.data if isinstance(y, Tensor) else y)
            self._add(self.step, name, self._measured(values))
            if isinstance(y, Tensor) and y.requires_grad:
                self._outputs[name] = y.retain_grad()

        return hook

    def _measured(self, values):
        is_zero = values == 0
        measured = {
            "mean": values.mean(),
            "std": values.std(),
            "zeros": is_zero.mean(),
            "dead": is_zero.all(axis=0).mean(),
        }
        return measured | {name: measure(values) for name, measure in self.measures.items()}

    def _passed(self, module, inputs, y):
        """The hook of the whole model: a pass is over."""
        if self.model.training == self._mode:
            self._settle()
            self._before = {name: p.data.copy() for name, p in self.model.named_parameters()}
            self.step += 1

    def record(self, state: Any = None) -> None:
        """Note what came back to each layer, after backward.

        state: what `fit` hands to its callbacks; it is not looked at. Raises RuntimeError before
        any pass.
        """
        if self.step == 0:
            raise RuntimeError(
                "probe: nothing has passed through the model yet; run forward and backward, then "
                "record"
            )
        step = self.step - 1
        for name, y in self._outputs.items():
            if y.grad is not None:
                N = len(np.atleast_1d(y.grad))
                self._add(step, name, {"delta": N * y.grad.std()})
        for name, p in self.model.named_parameters():
            gradient = 0.0 if p.grad is None else np.linalg.norm(p.grad)
            weight = np.linalg.norm(self._before[name])
            self._add(step, name, {"weight": weight, "gradient": gradient})
        self._outputs = {}
        self._is_moving = True

    __call__ = record

    def _settle(self):
        """How far each parameter moved since the last pass, if that was recorded.

        The optimizer's step may come before `record` or after it.
        """
        if not self._is_moving:
            return
        for name, p in self.model.named_parameters():
            moved = np.linalg.norm(p.data - self._before[name])
            size = np.linalg.norm(self._before[name])
            self._add(self.step - 1, name, {"update": moved / size if size else np.nan})
        self._is_moving = False

    def _add(self, step, name, measured):
        self.rows += [(step, name, quantity, float(value)) for quantity, value in measured.items()]

    @property
    def frame(self) -> "pandas.DataFrame":
        """A DataFrame with the columns step, layer (or parameter), quantity, value."""
        import pandas as pd

        return pd.DataFrame(self.rows, columns=["step", "layer", "quantity", "value"])

    def matrix(self, quantity: str) -> "pandas.DataFrame":
        """One quantity as a table: a row for each layer, in the model's order, a column a step.

        Raises ValueError for a quantity that was not recorded.
        """
        rows = self.frame.query("quantity == @quantity")
        if rows.empty:
            known = ", ".join(dict.fromkeys(row[2] for row in self.rows)) or "nothing yet"
            raise ValueError(f"probe: no {quantity!r} was recorded; there is {known}")
        return rows.pivot_table(index="layer", columns="step", values="value", sort=False)
