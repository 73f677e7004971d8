"""What a file keeps: a model's weights, or a whole run. It is written whole or not at all, and read whole or not at all."""

import hashlib
import json
import re
from pathlib import Path

import numpy as np

from .files import write_whole

__all__ = ["save", "load", "save_checkpoint", "load_checkpoint"]

_SEAL, _BLANK = re.compile(rb'"dlscratch\.sha256":"([0-9a-f]{64})"'), b"0" * 64


def save(model, path):
    """Write the parameters and buffers of a model as safetensors under PyTorch's names, with a SHA-256 of all that is in the file."""
    _write(path, model.state_dict(), {})


def load(model, path):
    """Put the weights in a safetensors file, from `save` or from PyTorch, into the model; returns the model.

    Raises ValueError for a damaged file or other shapes, KeyError for other names; the model then is as it was.
    A file from elsewhere has no SHA-256: altered numbers in it go unnoticed.
    """
    try:
        model.load_state_dict(_read(path)[0])
    except (KeyError, ValueError) as error:
        raise type(error)(
            f"{path} does not fit: {error.args[0]}; make the model that was saved, or save it anew"
        ) from error
    return model


def save_checkpoint(path, model, optimizer, rng, history=None, epoch=0, **others):
    """Write all that a run needs to continue; others: what else has a state_dict, such as schedule=..."""
    parts = dict(model=model, optimizer=optimizer, **others)
    arrays = {
        f"{name}.{k}": v for name, part in parts.items() for k, v in part.state_dict().items()
    }
    rngs, rows = (
        [g.bit_generator.state for g in _generators(rng, model)],
        [] if history is None else history.rows,
    )
    _write(path, arrays, {"kinds": _kinds(parts, rng), "epoch": epoch, "rngs": rngs, "rows": rows})


def load_checkpoint(path, model, optimizer, rng, history=None, **others):
    """Put everything back as `save_checkpoint` found it; returns the number of epochs done.

    Raises ValueError for a file that is damaged or of another model, KeyError for other parts: another optimizer, no
    schedule. All is then as it was.
    """
    (arrays, meta), parts = _read(path), dict(model=model, optimizer=optimizer, **others)
    if not meta:
        raise ValueError(
            f"{path} is no checkpoint of dlscratch, or it is damaged (it holds weights alone); delete it to start afresh"
        )
    for k in (want := _kinds(parts, rng)) | (came := meta["kinds"]):
        if came.get(k) != want.get(k):
            error = ValueError if k == "model" else KeyError
            raise error(
                f"{path} is of another {k}: unexpected {came.get(k)}, want {want.get(k)}; make what was saved, or delete it"
            )
    before = {name: part.state_dict() for name, part in parts.items()}
    try:
        for name, part in parts.items():
            part.load_state_dict(
                {k[len(name) + 1 :]: v for k, v in arrays.items() if k.startswith(f"{name}.")}
            )
    except Exception as error:
        for other, part in reversed(parts.items()):
            part.load_state_dict(before[other])
        raise ValueError(
            f"{path} is of another {name}: {error}; make what was saved, or delete it to start afresh"
        ) from error
    for generator, state in zip(_generators(rng, model), meta["rngs"], strict=True):
        generator.bit_generator.state = state
    if history is not None:
        history.rows[:] = map(tuple, meta["rows"])
    return meta["epoch"]


def _kinds(parts, rng):
    """What a file says of the run that wrote it, so that it is not taken for another's whose arrays have the same names."""
    model, kinds = parts["model"], {name: type(part).__name__ for name, part in parts.items()}
    dtypes = ", ".join(sorted({str(v.dtype) for v in model.state_dict().values()}))
    return kinds | {
        "model": f"{model} of {dtypes}",
        "rng": [type(g.bit_generator).__name__ for g in _generators(rng, model)],
    }


def _generators(rng, model):
    """rng, and the generators that layers draw from (Dropout's masks), in order, each once."""
    held = (
        v for m in model.modules() for v in vars(m).values() if isinstance(v, np.random.Generator)
    )
    return list({id(g): g for g in (rng, *held)}.values())


def _write(path, arrays, meta):
    """safetensors with its own SHA-256 inside."""
    from safetensors.numpy import save

    meta = json.dumps(meta, default=lambda a: a.tolist())
    raw = save(
        {k: np.array(v, order="C") for k, v in arrays.items()},
        {"dlscratch.meta": meta, "dlscratch.sha256": _BLANK.decode()},
    )
    write_whole(path, raw.replace(_BLANK, _digest(raw), 1))


def _read(path):
    """(arrays, metadata) of a file; the metadata is None for one that another program wrote."""
    from safetensors import SafetensorError
    from safetensors.numpy import load

    raw = Path(path).read_bytes()
    header = raw[: 8 + int.from_bytes(raw[:8], "little")]
    ours, seal = (
        b'"dlscratch.' in header,
        _SEAL.search(header),
    )  # two names begin so: one altered byte leaves the other
    try:
        if ours and not (seal and seal[1] == _digest(raw.replace(seal[1], _BLANK, 1))):
            raise ValueError("its SHA-256 is not that of its content")
        arrays = load(raw)
    except (SafetensorError, KeyError, ValueError) as error:
        raise ValueError(
            f"{path} is no checkpoint of dlscratch, or it is damaged ({error}); delete it to start afresh"
        ) from error
    return arrays, json.loads(
        json.loads(header[8:])["__metadata__"]["dlscratch.meta"]
    ) if ours else None


def _digest(raw):
    return hashlib.sha256(raw).hexdigest().encode()
