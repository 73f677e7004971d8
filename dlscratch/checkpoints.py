"""What a file keeps: a model's weights, or a whole run. It is written and read whole or not at all.

Files are safetensors: eight bytes with the length of a header, the header (JSON: the name,
dtype, shape and place of each array), and the numbers. Nothing in them is executed. Those
written here hold their own SHA-256, and the same weights always give the same bytes.
"""

import hashlib
import json
import os
import re
from pathlib import Path
from typing import Any

import numpy as np

from .files import write_whole
from .filetypes import filetype

__all__ = ["save", "load", "read", "save_checkpoint", "load_checkpoint"]

_DTYPES = {  # as safetensors names them
    "F64": np.float64,
    "F32": np.float32,
    "F16": np.float16,
    "I64": np.int64,
    "I32": np.int32,
    "I16": np.int16,
    "I8": np.int8,
    "U64": np.uint64,
    "U32": np.uint32,
    "U16": np.uint16,
    "U8": np.uint8,
    "BOOL": np.bool_,
    "C64": np.complex64,
}
_NAMES = {np.dtype(dtype): name for name, dtype in _DTYPES.items()}
_SEAL = re.compile(rb'"dlscratch\.sha256":"([0-9a-f]{64})"')
_BLANK = b"0" * 64
_MARK = b'"dlscratch.'  # begins two names in our headers, so that one altered byte leaves one
_BEGINNING = 300  # bytes, in which both stand
_LONGEST = 100_000_000  # bytes of a header
_DAMAGE = "restore it from a copy, or remove it to start afresh"


# Weights --------------------------------------------------------------------------------


def save(model: Any, path: str | os.PathLike) -> None:
    """Write the parameters and buffers of a model under PyTorch's names, as safetensors.

    PyTorch reads the file with safetensors.torch.load_file. Raises FileNotFoundError for a
    folder that does not exist, TypeError for a buffer of a dtype that safetensors has not.

    Examples
    --------
    >>> from dlscratch import layers
    >>> model = layers.Linear(3, 2, rng=0)
    >>> save(model, "linear.safetensors")
    >>> other = load(layers.Linear(3, 2, rng=1), "linear.safetensors")
    >>> bool((other.weight.data == model.weight.data).all())
    True
    """
    _write(path, model.state_dict(), {})


def load(model: Any, path: str | os.PathLike) -> Any:
    """Put the weights in a safetensors file into the model; returns the model.

    The file may be from `save`, from PyTorch or from elsewhere; see `read`. Numbers are cast
    to the dtype of the model, as PyTorch does it: from float64 to float32 they are rounded,
    and what is larger than the dtype reaches becomes infinite.

    Raises ValueError for other shapes, a damaged file and other formats, which are named, and
    KeyError for missing and unexpected names; the model then is as it was. A file from
    elsewhere has no SHA-256: altered numbers in it go unnoticed.
    """
    arrays = read(path)
    try:
        with np.errstate(over="ignore"):
            model.load_state_dict(arrays)
    except (KeyError, ValueError) as error:
        hint = _hint(set(model.state_dict()), set(arrays))
        raise type(error)(
            f"{path} does not fit: {error.args[0]}; "
            f"{hint or 'make the model that was saved, or save it anew'}"
        ) from error
    return model


def read(path: str | os.PathLike) -> dict[str, np.ndarray]:
    """{name: array} of a safetensors file, to look at, or to rename before load_state_dict.

    bfloat16 comes as float32, which has the same numbers. Raises ValueError as `load`.

    Examples
    --------
    >>> from dlscratch import layers
    >>> save(layers.Linear(3, 2, rng=0), "linear.safetensors")
    >>> {name: array.shape for name, array in read("linear.safetensors").items()}
    {'bias': (2,), 'weight': (2, 3)}
    """
    return _read(path)[0]


def _hint(own, came):
    """The repair where all names of one side begin with a prefix that the other has not."""
    for prefix in _prefixes(min(came, default="")):
        if {prefix + name for name in own} == came:
            return (
                f"its names begin with {prefix!r}; take that off: model.load_state_dict("
                f"{{name.removeprefix({prefix!r}): array for name, array in "
                "checkpoints.read(path).items()})"
            )
    for prefix in {prefix for name in own for prefix in _prefixes(name)}:
        if came and {prefix + name for name in came} <= own:
            return f"its names are those of model.{prefix[:-1]}: load it into that"
    return ""


def _prefixes(name):
    """All beginnings of a name that end with a dot."""
    return [name[: i + 1] for i, letter in enumerate(name) if letter == "."]


# Runs -----------------------------------------------------------------------------------


def save_checkpoint(
    path: str | os.PathLike,
    model: Any,
    optimizer: Any,
    rng: np.random.Generator,
    history: Any = None,
    epoch: int = 0,
    **others: Any,
) -> None:
    """Write all that a run needs to continue bit for bit.

    Parameters
    ----------
    path : path
    model, optimizer
        Their state_dict() is kept.
    rng : Generator
        The state of this one is kept, and of those that layers draw from.
    history : History, optional
    epoch : int
        How many epochs are done; `load_checkpoint` gives it back.
    **others
        What else has a state_dict, such as schedule=..., under these names.

    Examples
    --------
    >>> import numpy as np
    >>> from dlscratch import layers, optimizers
    >>> model = layers.Linear(3, 2, rng=0)
    >>> optimizer = optimizers.Adam(model.parameters())
    >>> rng = np.random.default_rng(0)
    >>> save_checkpoint("run.safetensors", model, optimizer, rng, epoch=7)
    >>> load_checkpoint("run.safetensors", model, optimizer, rng)
    7
    """
    parts = dict(model=model, optimizer=optimizer, **others)
    arrays = {
        f"{name}.{key}": value
        for name, part in parts.items()
        for key, value in part.state_dict().items()
    }
    meta = {
        "kinds": _kinds(parts, rng),
        "epoch": epoch,
        "rngs": [g.bit_generator.state for g in _generators(rng, model)],
        "rows": [] if history is None else history.rows,
    }
    _write(path, arrays, meta)


def load_checkpoint(
    path: str | os.PathLike,
    model: Any,
    optimizer: Any,
    rng: np.random.Generator,
    history: Any = None,
    **others: Any,
) -> int:
    """Put everything back as `save_checkpoint` found it; returns the number of epochs done.

    Parameters
    ----------
    path : path
    model, optimizer, rng, history, **others
        As they were given to `save_checkpoint`; they are changed in place.

    Raises
    ------
    ValueError
        For a file that is damaged, of another format, or of another model or dtype.
    KeyError
        For other parts: another optimizer, no schedule. Everything is then as it was.
    """
    arrays, meta = _read(path)
    if not meta:
        raise ValueError(
            f"{path} holds weights alone and no run; load it with checkpoints.load(model, path), "
            "or name another file"
        )
    parts = dict(model=model, optimizer=optimizer, **others)
    _check_kinds(path, _kinds(parts, rng), meta["kinds"])
    before = {name: part.state_dict() for name, part in parts.items()}
    try:
        for name, part in parts.items():
            part.load_state_dict(_under(f"{name}.", arrays))
    except Exception as error:
        for other, part in reversed(parts.items()):
            part.load_state_dict(before[other])
        raise ValueError(
            f"{path} is of another {name}: {error}; make what was saved, or name another file"
        ) from error
    for generator, state in zip(_generators(rng, model), meta["rngs"], strict=True):
        generator.bit_generator.state = state
    if history is not None:
        history.rows[:] = map(tuple, meta["rows"])
    return meta["epoch"]


def _under(prefix, arrays):
    """The arrays whose names begin with the prefix, without it."""
    return {key.removeprefix(prefix): v for key, v in arrays.items() if key.startswith(prefix)}


def _kinds(parts, rng):
    """What a file says of its run, so that it is not taken for another with the same names."""
    model = parts["model"]
    dtypes = sorted({str(array.dtype) for array in model.state_dict().values()})
    kinds: dict[str, Any] = {name: type(part).__name__ for name, part in parts.items()}
    kinds["model"] = f"{model} of {', '.join(dtypes)}"
    kinds["rng"] = [type(g.bit_generator).__name__ for g in _generators(rng, model)]
    return kinds


def _check_kinds(path, want, came):
    for name in want | came:
        if came.get(name) != want.get(name):
            error = ValueError if name == "model" else KeyError
            raise error(
                f"{path} is of another {name}: unexpected {came.get(name)}, want {want.get(name)}; "
                "make what was saved, or name another file"
            )


def _generators(rng, model):
    """rng, and the generators that layers draw from (Dropout's masks), in order, each once."""
    held = (
        value
        for module in model.modules()
        for value in vars(module).values()
        if isinstance(value, np.random.Generator)
    )
    return list({id(g): g for g in (rng, *held)}.values())


# Files ----------------------------------------------------------------------------------


def _write(path, arrays, meta):
    """safetensors with its own SHA-256 inside, in one order only."""
    marks = {
        "dlscratch.sha256": _BLANK.decode(),
        "dlscratch.meta": json.dumps(meta, default=lambda array: array.tolist()),
    }
    header: dict[str, Any] = {"__metadata__": marks}
    numbers, end = [], 0
    for name, array in sorted(arrays.items(), key=_place):
        array = np.asarray(array)
        if array.dtype.newbyteorder("=") not in _NAMES:
            raise TypeError(
                f"save: {name} is {array.dtype}, which safetensors has not; "
                f"expected one of {', '.join(map(str, _NAMES))}; convert it with astype"
            )
        raw = array.astype(array.dtype.newbyteorder("<"), copy=False).tobytes()
        start, end = end, end + len(raw)
        header[name] = {
            "dtype": _NAMES[array.dtype.newbyteorder("=")],
            "shape": list(array.shape),
            "data_offsets": [start, end],
        }
        numbers.append(raw)
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    if len(text) > _LONGEST:
        raise ValueError(
            f"save: a header of {len(text)} bytes, but safetensors reads up to {_LONGEST}; "
            "expected fewer arrays, or rows of the history"
        )
    raw = b"".join([len(text).to_bytes(8, "little"), text, *numbers])
    write_whole(path, raw.replace(_BLANK, _digest(raw), 1))


def _place(item):
    """Wide dtypes come first, so that every array begins at a multiple of its item's size."""
    name, array = item
    return -np.asarray(array).dtype.itemsize, name


def _read(path):
    """(arrays, metadata) of a file; the metadata is None for one that another program wrote."""
    from safetensors import SafetensorError, deserialize

    raw = Path(path).read_bytes()
    ours = _MARK in raw[:_BEGINNING]
    try:
        if ours and not _sealed(raw):
            raise ValueError("its SHA-256 is not that of its content")
        entries = dict(deserialize(raw))  # in an order that differs from call to call
    except (SafetensorError, ValueError) as error:
        raise ValueError(_what_is_wrong(path, raw, ours, error)) from error
    header = json.loads(raw[8 : 8 + int.from_bytes(raw[:8], "little")])
    arrays = {name: _array(path, name, entries[name]) for name in header if name in entries}
    return arrays, json.loads(header["__metadata__"]["dlscratch.meta"]) if ours else None


def _sealed(raw):
    """Whether the SHA-256 in our file is that of the rest."""
    seal = _SEAL.search(raw[:_BEGINNING])
    return bool(seal) and seal[1] == _digest(raw.replace(seal[1], _BLANK, 1))


def _digest(raw):
    return hashlib.sha256(raw).hexdigest().encode()


def _what_is_wrong(path, raw, ours, error):
    """Why a file cannot be read. Only of our own is it said that it may be removed."""
    if ours:
        return f"{path} is no checkpoint of dlscratch, or it is damaged ({error}); {_DAMAGE}"
    if name := filetype(raw):
        return f"{path} is {name}; expected a safetensors file"
    if raw[8:9] == b"{":
        return (
            f"{path} is a safetensors file that is cut short or damaged ({error}); "
            "fetch it anew, or restore it from a copy"
        )
    return (
        f"{path} is no safetensors file ({error}): of a format that is not known here, or damaged "
        "at its beginning; expected a file from checkpoints.save, or safetensors from elsewhere"
    )


def _array(path, name, entry):
    shape, data = entry["shape"], entry["data"]
    if entry["dtype"] == "BF16":  # the upper half of a float32
        halves = np.frombuffer(data, "<u2").astype(np.uint32)
        return (halves << 16).view(np.float32).reshape(shape)
    if entry["dtype"] not in _DTYPES:
        raise ValueError(
            f"{path}: {name} is of the dtype {entry['dtype']}, which NumPy has not; expected BF16 "
            f"or one of {', '.join(_DTYPES)}; convert it where the file comes from"
        )
    dtype = np.dtype(_DTYPES[entry["dtype"]])
    return np.frombuffer(data, dtype.newbyteorder("<")).astype(dtype).reshape(shape)
