"""Samples for functions that move numbers about: shapes, joins, splits, indices, pads."""

import numpy as np

from dlscratch.engine.rules.windows import fold

from .case import case

__all__ = ["SAMPLES"]

_windows = np.lib.stride_tricks.sliding_window_view
_mask = np.array([[True, False, True], [False, True, True]])

_SHAPES = [
    case(np.reshape, (2, 3), args=((3, 2),)),
    case(np.reshape, (2, 3), args=(-1,)),
    case(np.reshape, (2, 3), f=lambda x: x.reshape(3, -1), label="method"),
    case(np.ravel, (2, 3)),
    case(np.ravel, (2, 3, 2), order="F"),
    case(
        np.reshape, (2, 3, 2), f=lambda x: x.reshape((4, -1), order="F"), label="column by column"
    ),
    case(np.transpose, (2, 3)),
    case(np.transpose, (2, 3, 2), args=((1, 2, 0),)),
    case(np.transpose, (2, 3, 2), axes=(-1, 0, 1)),
    case(np.expand_dims, (2, 3), args=(1,)),
    case(np.expand_dims, (2, 3), args=((0, -1),)),
    case(np.squeeze, (1, 2, 1)),
    case(np.squeeze, (1, 2, 1), axis=-1),
    case(np.swapaxes, (2, 3, 2), args=(0, -1)),
    case(np.moveaxis, (2, 3, 1), args=(0, -1)),
    case(np.moveaxis, (2, 3, 2), args=((0, 1), (-1, 0))),
    case(np.matrix_transpose, (2, 3, 2)),
    case(np.linalg.matrix_transpose, (2, 3)),
    case(np.broadcast_to, (2, 1), args=((3, 2, 4),)),
    case(np.broadcast_to, (), args=((2,),)),
    case(np.broadcast_arrays, (2, 1), (3,)),
    case(np.atleast_1d, ()),
    case(np.atleast_2d, (3,)),
    case(np.atleast_2d, (3,), (2, 2), label="two"),
    case(np.tile, (2, 3), args=(2,)),
    case(np.tile, (3,), args=((2, 2),)),
    case(np.rot90, (2, 3)),
    case(np.rot90, (2, 3, 2), k=-1, axes=(1, 2)),
    case(np.flip, (2, 3)),
    case(np.flip, (2, 3), axis=-1),
    case(np.flip, (2, 3, 2), axis=(0, 2)),
    case(np.flipud, (2, 3)),
    case(np.fliplr, (2, 3)),
    case(np.roll, (2, 3), args=(1,)),
    case(np.roll, (2, 3), args=(-2,), axis=-1),
    case(np.roll, (2, 3), args=((1, 2), (0, 1))),
    case(np.roll, (2, 3), args=(1,), axis=(0, 1)),
    case(np.repeat, (2, 3), args=(2,)),
    case(np.repeat, (2, 3), args=([1, 0, 2],), axis=1),
]

_JOINS = [
    case(np.concatenate, (2, 3), (1, 3), f=lambda a, b: np.concatenate([a, b]), label="axis 0"),
    case(
        np.concatenate,
        (2, 3),
        (2, 1),
        f=lambda a, b: np.concatenate((a, b, a), axis=-1),
        label="one twice, axis -1",
    ),
    case(
        np.concatenate,
        (2, 3),
        (2,),
        f=lambda a, b: np.concatenate([a, b], axis=None),
        label="axis None",
    ),
    case(
        np.concatenate,
        (2,),
        f=lambda a: np.concatenate([a, np.ones(2, a.dtype)]),
        label="with an array",
    ),
    case(np.stack, (2, 3), (2, 3), f=lambda a, b: np.stack([a, b], axis=-1), label="axis -1"),
    case(np.stack, (2,), (2,), f=lambda a, b: np.stack([a, b]), label="axis 0"),
    case(np.vstack, (2,), (1, 2), f=lambda a, b: np.vstack([a, b]), label="vector over matrix"),
    case(np.hstack, (2,), (1,), f=lambda a, b: np.hstack([a, b]), label="vectors"),
    case(np.hstack, (2, 1), (2, 2), f=lambda a, b: np.hstack([a, b]), label="matrices"),
    case(
        np.column_stack,
        (2,),
        (2, 2),
        f=lambda a, b: np.column_stack([a, b]),
        label="vector beside matrix",
    ),
    case(np.append, (2, 2), (1, 2), axis=0),
    case(np.append, (2,), (1, 2)),
    case(np.split, (4, 2), args=(2,)),
    case(np.split, (2, 5), args=([1, 3],), axis=-1),
    case(np.array_split, (5, 2), args=(3,)),
    case(np.vsplit, (4, 2), args=(2,)),
    case(np.hsplit, (2, 4), args=(2,)),
    case(np.hsplit, (4,), args=(2,), label="vector"),
]
if hasattr(np, "unstack"):  # NumPy 2.1
    _JOINS += [case(np.unstack, (2, 3)), case(np.unstack, (2, 3), axis=1)]


def _index(said, *shape):
    index = eval(f"np.index_exp[{said}]", {"np": np, "mask": _mask})  # the label is the code
    return case(
        np.take, shape, f=lambda x: x[index[0] if len(index) == 1 else index], label=f"x[{said}]"
    )


_INDICES = [
    *(
        _index(said, 3, 4)
        for said in (
            "1",
            "-1",
            "0, 2",
            "1:",
            "::-1, ::2",
            "None, :, 0",
            "..., 1",
            "...",
            "1, None, -2:",
        )
    ),
    *(
        _index(said, 3, 4)
        for said in (
            "[0, 0, 2]",
            "[[0, 1], [2, 0]]",
            "[0, 1, 1], [3, 2, 2]",
            ":, [1, 1]",
            "[2, 0], 1:",
        )
    ),
    *(
        _index(said, 3, 2, 3)
        for said in ("[0, 2], :, [1, 1]", "1, :, [0, 0]", "None, [0, 0], ..., 1", "((0, 0),)")
    ),
    *(
        _index(said, 2, 3)
        for said in ("mask", ":, mask[0]", "mask[:, 1], [0, 0]", "()", "np.arange(2), np.array(1)")
    ),
    case(np.take, (4,), args=([3, 0, 3],)),
    case(np.take, (2, 3), args=([[0, 1], [1, 1]],), axis=-1),
    case(np.take, (2, 3), args=(4,)),
    case(np.take, (2, 3), args=([-1, 7, 2],), axis=1, mode="wrap"),
    case(np.take, (2, 3), args=([-1, 7, 1],), axis=1, mode="clip"),
    case(np.take_along_axis, (2, 3), args=(np.array([[2, 0, 0], [1, 1, 2]]),), axis=-1),
    case(np.take_along_axis, (3, 2), args=(np.array([[2, 1]]),), axis=0, label="one row"),
    case(
        np.take_along_axis, (2, 3), args=(np.array([[1]]),), axis=1, label="index that is broadcast"
    ),
    case(np.take_along_axis, (2, 3), args=(np.array([5, 0, 0]),), axis=None),
    case(np.sort, (2, 4)),
    case(np.sort, (4, 2), axis=0),
    case(np.sort, (2, 3), axis=None),
    case(
        np.compress, (2, 3), f=lambda x: np.compress([True, False, True], x, axis=1), label="axis 1"
    ),
    case(np.compress, (2, 3), f=lambda x: np.compress([0, 1, 1, 0], x), label="flat"),
    case(np.delete, (2, 3), args=(1,), axis=-1),
    case(np.delete, (4,), args=([0, 2],)),
    case(np.tril, (3, 4)),
    case(np.tril, (2, 3, 3), k=-1),
    case(np.triu, (4, 3), k=1),
    case(np.triu, (3, 3)),
    case(np.diagonal, (3, 4)),
    case(np.diagonal, (2, 3, 4), offset=-1, axis1=2, axis2=1),
    case(np.diagonal, (3, 4), offset=2),
    case(np.diag, (3,)),
    case(np.diag, (3,), k=-2),
    case(np.diag, (3, 4), k=1),
    case(np.trace, (3, 4)),
    case(np.trace, (2, 3, 3), offset=1, axis1=1, axis2=2),
    case(_windows, (5,), args=(3,)),
    case(_windows, (3, 4), args=((2, 2),)),
    case(_windows, (2, 5), args=(2,), axis=-1),
    case(
        fold.__wrapped__, (2, 4, 3), f=lambda w: fold(w, (3,), (1,), (2, 6)), label="windows of 3"
    ),
    case(np.pad, (2, 3), args=(1,)),
    case(np.pad, (2, 3), args=(((0, 1), (2, 0)),), constant_values=3.0),
    case(np.pad, (3,), args=((2, 1),), constant_values=(4.0, 5.0)),
    *(
        case(np.pad, (2, 3), args=(((1, 1), (2, 1)),), mode=mode)
        for mode in ("edge", "reflect", "symmetric", "wrap")
    ),
]

SAMPLES = _SHAPES + _JOINS + _INDICES
