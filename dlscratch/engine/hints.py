"""What PyTorch's users write and NumPy calls otherwise: the repairs that a Tensor's errors name."""

import numpy as np

from .operation import COMPOSED, CONSTANT, RULES, describe

__all__ = ["missing_attribute", "refuse_options"]

_IN_PLACE = "a Tensor is not changed in place"

ATTRIBUTES = {
    "view": "t.reshape(...)",
    "view_as": "t.reshape(other.shape)",
    "reshape_as": "t.reshape(other.shape)",
    "permute": "t.transpose(...)",
    "t": "t.T",
    "numpy": "t.data",
    "clone": "t.copy()",
    "contiguous": "t itself: NumPy copies where it must",
    "unsqueeze": "np.expand_dims(t, axis), or t[:, None]",
    "expand": "np.broadcast_to(t, shape)",
    "expand_as": "np.broadcast_to(t, other.shape)",
    "unbind": "tuple(t)",
    "unflatten": "t.reshape(...)",
    "narrow": "a slice: t[:, start:start + length]",
    "select": "an index: t[:, i]",
    "index_select": "np.take(t, indices, axis)",
    "masked_select": "t[mask]",
    "masked_fill": "np.where(mask, value, t)",
    "gather": "np.take_along_axis(t, indices, axis)",
    "scatter": "np.where or np.concatenate",
    "topk": "np.sort(t, axis)[..., -k:], or np.argsort",
    "chunk": "np.array_split(t, sections, axis)",
    "split": "np.split(t, indices_or_sections, axis)",
    "cuda": "t itself: arrays live where they were made (docs/gpu.md)",
    "cpu": "t itself: arrays live where they were made (docs/gpu.md)",
    "device": "nothing: arrays live where they were made (docs/gpu.md)",
    "to": "t.astype(dtype); arrays live where they were made (docs/gpu.md)",
    "type": "t.astype(dtype)",
    "type_as": "t.astype(other.dtype)",
    "float": "t.astype('float32')",
    "double": "t.astype('float64')",
    "half": "t.astype('float16')",
    "int": "t.astype('int32')",
    "long": "t.astype('int64')",
    "bool": "t.astype(bool)",
    "numel": "t.size",
    "dim": "t.ndim",
    "is_leaf": "t.op is None",
    "grad_fn": "t.op",
    "requires_grad_": "t.requires_grad = True",
    "zero_grad": "t.grad = None",
    "add": "t + other",
    "sub": "t - other",
    "mul": "t * other",
    "div": "t / other",
    "neg": "-t",
    "pow": "t ** exponent",
    "mm": "t @ other",
    "bmm": "t @ other",
    "mv": "t @ other",
    "matmul": "t @ other",
    "eq": "t == other",
    "ne": "t != other",
    "lt": "t < other",
    "le": "t <= other",
    "gt": "t > other",
    "ge": "t >= other",
    "amax": "t.max(axis=...)",
    "amin": "t.min(axis=...)",
    "asin": "np.arcsin(t)",
    "acos": "np.arccos(t)",
    "atan": "np.arctan(t)",
    "rsqrt": "1 / np.sqrt(t)",
    "norm": "np.linalg.norm(t)",
    "det": "np.linalg.det(t)",
    "inverse": "np.linalg.inv(t)",
    "logsumexp": "np.logaddexp.reduce(t, axis=...)",
    "clamp": "t.clip(min, max)",
    **{
        name: f"functional.{name}(t)"
        for name in "relu sigmoid softmax log_softmax softplus gelu".split()
    },
}

OPTIONS = {
    "dim": "axis=",
    "keepdim": "keepdims=",
    "unbiased": "ddof=1 (the default is ddof=0, as NumPy's)",
    "correction": "ddof=",
    "dims": "axis=",
    "start_dim": "t.reshape(len(t), -1)",
    "descending": "np.argsort(-t)",
}


def missing_attribute(kind: str, name: str) -> AttributeError:
    """The AttributeError for an attribute that a Tensor has not, with NumPy's way to say it."""
    said = f"{kind!r} object has no attribute {name!r}"
    if name.startswith("_"):
        return AttributeError(said)
    if name.endswith("_") and name != "requires_grad_":
        return AttributeError(
            f"{said}: {_IN_PLACE}, except for a leaf: with no_grad(): t -= ..., or t.data = new"
        )
    repair = [ATTRIBUTES[name]] if name in ATTRIBUTES else []
    function = getattr(np, name, None)
    if not repair and callable(function) and function in (*RULES, *COMPOSED, *CONSTANT):
        repair = [f"{describe(function)}(t)" if hasattr(function, "nin") else f"np.{name}(t)"]
    if hasattr(np.ndarray, name):
        repair.append(f"the array's, t.data.{name}")
        return AttributeError(
            f"a Tensor has no .{name}, which has no gradient or is in place; "
            f"want {', or '.join(repair)}"
        )
    return AttributeError(f"{said}; want {repair[0]}" if repair else said)


def refuse_options(method: str, options: dict) -> None:
    """Raise TypeError, with NumPy's names, if a method got options that it has not."""
    if options:
        unknown = ", ".join(f"{name}=" for name in options)
        repairs = [OPTIONS[name] for name in options if name in OPTIONS]
        want = f"want {', '.join(repairs)}" if repairs else "see the method of numpy.ndarray"
        raise TypeError(f"t.{method} does not take {unknown}; {want}")
