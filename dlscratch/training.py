"""Training: one loop on one screen, a history of what it measured, and checkpoints from which it resumes bit for bit."""

import json
import os
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from .data import batches
from .engine import Tensor, no_grad

__all__ = ["fit", "evaluate", "accuracy", "History", "save_checkpoint", "load_checkpoint"]


def fit(model, loss, optimizer, data, *, epochs=10, batch_size=32, rng=0, validation=None, metrics=None,
        checkpoint=None, callbacks=(), progress=True):  # fmt: skip
    """Minimise the mean of loss(model(X), y) over mini-batches; after each epoch measure, remember and, if asked, save.

    data and validation: (X, y); metrics: {name: f(outputs, targets)}; callbacks are called as f(state) after each backward
    and before the step, with the names in `state` below. With `checkpoint` (a path) an interrupted run continues
    where its last whole epoch ended, exactly as if it had not stopped. Returns a History.
    """
    X, y = data
    rng, history = np.random.default_rng(rng), History()
    start = load_checkpoint(checkpoint, model, optimizer, rng, history) if checkpoint and Path(checkpoint).exists() else 0
    bar = _bar(range(start, epochs), progress)
    for epoch in bar:
        model.train()
        for xb, yb in batches(rng, X, y, size=batch_size):
            optimizer.zero_grad()
            value = loss(model(Tensor(xb)), yb)
            value.backward()
            for callback in callbacks:
                callback(dict(model=model, optimizer=optimizer, loss=value.item(), epoch=epoch, step=optimizer.t))
            optimizer.step()
            history.add(epoch, optimizer.t, "train", "batch_loss", value.item())
        for split, pair in (("train", data), ("validation", validation)):
            for name, measured in (evaluate(model, loss, pair, metrics).items() if pair is not None else ()):
                history.add(epoch, optimizer.t, split, name, measured)
        if checkpoint:
            save_checkpoint(checkpoint, model, optimizer, rng, history, epoch + 1)
        bar.set_postfix_str(f"loss {history.last('train', 'loss'):.4f}")
    return history


def evaluate(model, loss, data, metrics=None):
    """{"loss": ..., name: ...} of the model in evaluation mode on the whole of data = (X, y)."""
    X, y = data
    was_training = model.training
    model.eval()
    with no_grad():
        outputs = model(Tensor(X))
        measured = {name: float(f(outputs, y)) for name, f in {"loss": loss, **(metrics or {})}.items()}
    model.train(was_training)
    return measured


def accuracy(logits, targets):
    """The fraction of rows whose largest entry is at the target.  logits: (N, C), targets: (N,)."""
    return float(np.mean(np.argmax(logits, axis=1) == targets))


@dataclass
class History:
    """What a run measured, one row a measurement: (epoch, step, split, metric, value)."""

    rows: list = field(default_factory=list)

    def add(self, epoch, step, split, metric, value):
        """Remember one measurement."""
        self.rows.append((epoch, step, split, metric, float(value)))

    def values(self, split, metric):
        """All values of one metric, oldest first."""
        return np.array([r[4] for r in self.rows if r[2:4] == (split, metric)])

    def last(self, split, metric):
        """The newest value of one metric; NaN if it was never measured."""
        found = self.values(split, metric)
        return float(found[-1]) if len(found) else float("nan")

    @property
    def frame(self):
        """The rows as a tidy pandas DataFrame."""
        from pandas import DataFrame

        return DataFrame(self.rows, columns=["epoch", "step", "split", "metric", "value"])


# Checkpoints ----------------------------------------------------------------------------------------------------------


def save_checkpoint(path, model, optimizer, rng, history=None, epoch=0):
    """Write all that a run needs to continue, as safetensors: to a temporary file that then takes the old one's place."""
    from safetensors.numpy import save_file

    arrays = {f"model.{k}": v for k, v in model.state_dict().items()}
    arrays |= {f"optimizer.{k}": v for k, v in optimizer.state_dict().items()}
    meta = {"epoch": epoch, "rngs": [g.bit_generator.state for g in (rng, *_generators(model))], "rows": history.rows if history else []}
    temporary = Path(f"{path}.{os.getpid()}.tmp")
    try:
        save_file({k: np.array(v, order="C") for k, v in arrays.items()}, temporary, {"dlscratch": json.dumps(meta)})
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def load_checkpoint(path, model, optimizer, rng, history=None):
    """Put everything back as `save_checkpoint` found it; returns the number of epochs done.

    Raises ValueError or KeyError for a file that is damaged or of another model, before anything is changed.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "numpy") as file:
            meta, arrays = json.loads(file.metadata()["dlscratch"]), {k: file.get_tensor(k) for k in file.keys()}
    except (SafetensorError, TypeError, KeyError) as error:
        raise ValueError(f"{path} is no checkpoint of dlscratch, or it is damaged ({error}); delete it to start afresh") from error
    part = {p: {k[len(p) + 1 :]: v for k, v in arrays.items() if k.startswith(f"{p}.")} for p in ("model", "optimizer")}
    generators = (rng, *_generators(model))
    if len(generators) != len(meta["rngs"]):
        raise ValueError(f"{path} holds {len(meta['rngs'])} random states, the model wants {len(generators)}: another model")
    before = model.state_dict()
    model.load_state_dict(part["model"])
    try:
        optimizer.load_state_dict(part["optimizer"])
    except (KeyError, ValueError):
        model.load_state_dict(before)
        raise
    for generator, state in zip(generators, meta["rngs"], strict=True):
        generator.bit_generator.state = state
    if history is not None:
        history.rows[:] = map(tuple, meta["rows"])
    return meta["epoch"]


def _generators(model):
    """The generators that layers draw from (Dropout's masks), in order, each once."""
    found = {id(v): v for m in model.modules() for v in vars(m).values() if isinstance(v, np.random.Generator)}
    return list(found.values())


def _bar(epochs, progress):
    from tqdm import tqdm

    silent = not progress or os.environ.get("DLSCRATCH_PROGRESS") == "0"
    return tqdm(epochs, desc="epochs", leave=False, disable=silent, file=_Stdout())


class _Stdout:
    """Standard output as it is now: notebooks replace it, and stderr would show red."""

    def write(self, text):
        print(text, end="")

    def flush(self):
        print(end="", flush=True)
