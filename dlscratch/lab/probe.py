"""A probe listens to a model in training: what each layer puts out, what comes back, and how far its weights move."""

import numpy as np

from ..engine import Tensor

__all__ = ["probe"]


class probe:  # noqa: N801 - used as a function: `with probe(model) as p:`
    """Records a model layer by layer while a `with` block lasts; `p.frame` is tidy, one row a measurement.

    In every forward pass, of the output y: (N, ...) of each layer without sublayers: "mean", "std", "zeros" (the share
    of entries that are 0), "dead" (the share of units that are 0 for all N), and whatever `measures`, {name: function
    of y}, adds (`lab.measures.effective_rank`, for one). For each call of `p.record()` after a
    backward, or with `callbacks=[p]` in `fit`: "delta", the std of N dL/dy, which for a loss that is a mean over N
    examples is the gradient of each one's own and does not hang on the batch size; and of each parameter w the norms
    "weight" = |w|, "gradient" = |dL/dw| and "update" = |w' - w| / |w| (NaN for w = 0), where w' is seen at the next
    pass or at the end of the block. Passes in another mode (train, eval) than at its start are left out.
    """

    def __init__(self, model, measures=None):
        self.model, self.measures, self.rows, self.step = model, measures or {}, [], 0
        self._handles, self._outputs, self._before, self._pending = [], {}, {}, False

    def __enter__(self):
        self._mode, modules = self.model.training, {}
        for name, module in self.model.named_modules():
            modules.setdefault(id(module), (name, module))  # a layer used twice is heard once
        for name, module in modules.values():
            inside = f"{name}." if name else ""
            if not any(other != name and other.startswith(inside) for other, _ in modules.values()):
                self._handles.append(module.register_forward_hook(self._listen(name)))
        self._handles.append(self.model.register_forward_hook(self._passed))
        return self

    def __exit__(self, *_):
        while self._handles:
            self._handles.pop().remove()
        self._settle()
        self._outputs = {}

    def _listen(self, name):
        def hook(module, inputs, y):
            if self.model.training == self._mode:
                y = y[0] if isinstance(y, tuple) else y
                values = np.atleast_1d(y.data if isinstance(y, Tensor) else y)
                off = values == 0
                measured = dict(
                    mean=values.mean(),
                    std=values.std(),
                    zeros=off.mean(),
                    dead=off.all(axis=0).mean(),
                )
                self._add(
                    self.step,
                    name,
                    measured | {k: measure(values) for k, measure in self.measures.items()},
                )
                if isinstance(y, Tensor) and y.requires_grad:
                    self._outputs[name] = y.retain_grad()

        return hook

    def _passed(self, module, inputs, y):
        if self.model.training == self._mode:
            self._settle()
            self._before = {name: p.data.copy() for name, p in self.model.named_parameters()}
            self.step += 1

    def record(self, state=None):
        """Note what came back to each layer, after backward. Raises RuntimeError before any pass."""
        if self.step == 0:
            raise RuntimeError(
                "probe: nothing has passed through the model yet; run forward and backward, then record"
            )
        for name, y in self._outputs.items():
            if y.grad is not None:
                self._add(
                    self.step - 1, name, dict(delta=len(np.atleast_1d(y.grad)) * y.grad.std())
                )
        for name, p in self.model.named_parameters():
            gradient = 0.0 if p.grad is None else np.linalg.norm(p.grad)
            self._add(
                self.step - 1,
                name,
                dict(weight=np.linalg.norm(self._before[name]), gradient=gradient),
            )
        self._outputs, self._pending = {}, True

    __call__ = record

    def _settle(self):
        """How far each parameter moved since the last pass, if that was recorded: the step may come before or after."""
        for name, p in self.model.named_parameters() if self._pending else ():
            moved, size = (
                np.linalg.norm(p.data - self._before[name]),
                np.linalg.norm(self._before[name]),
            )
            self._add(self.step - 1, name, dict(update=moved / size if size else np.nan))
        self._pending = False

    def _add(self, step, name, measured):
        self.rows += [(step, name, quantity, float(value)) for quantity, value in measured.items()]

    @property
    def frame(self):
        """A DataFrame with the columns step, layer (or parameter), quantity, value."""
        import pandas as pd

        return pd.DataFrame(self.rows, columns=["step", "layer", "quantity", "value"])

    def matrix(self, quantity):
        """One quantity as a DataFrame: a row for each layer, in the model's order, and a column for each step."""
        rows = self.frame.query("quantity == @quantity")
        if rows.empty:
            known = ", ".join(dict.fromkeys(row[2] for row in self.rows)) or "nothing yet"
            raise ValueError(f"probe: no {quantity!r} was recorded; there is {known}")
        return rows.pivot_table(index="layer", columns="step", values="value", sort=False)
