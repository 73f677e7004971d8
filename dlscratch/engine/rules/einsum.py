"""Einstein's summation: each operand's gradient is the same sum with g in its place."""

import string

import numpy as np

from ..operation import composed, rule
from ..tensor import Array, apply

__all__ = ["contract"]


def contract(subscripts: str, *operands: Array) -> Array:
    """np.einsum in explicit form, through BLAS where it can."""
    return np.einsum(subscripts, *operands, optimize=len(operands) > 1)


def _of_contract(g, y, needs, subscripts, *operands):
    return [
        None,
        *(
            _of_operand(g, i, subscripts, *operands) if need else None
            for i, need in enumerate(needs[1:])
        ),
    ]


def _of_operand(g, i, subscripts, *operands):
    """Swap roles: the output takes the place of operand i.

    What only operand i indexed was summed, so the gradient is repeated along it.
    """
    terms, out = subscripts.split("->")
    terms = terms.split(",")
    others = [(t, o) for j, (t, o) in enumerate(zip(terms, operands, strict=True)) if j != i]
    seen = set(out).union(*(t for t, _ in others))
    kept = "".join(c for c in terms[i] if c in seen)
    swapped = ",".join([out, *(t for t, _ in others)]) + "->" + kept
    back = np.einsum(swapped, g, *(o for _, o in others), optimize=True)
    back = np.expand_dims(back, tuple(k for k, c in enumerate(terms[i]) if c not in seen))
    return np.broadcast_to(back, np.broadcast_shapes(back.shape, operands[i].shape))


rule(contract, _of_contract, variadic=True)


@composed(np.einsum)
def einsum(subscripts, *operands, optimize=True):
    """Spell the subscripts out: letters for '...', an output, no letter twice in an operand.

    A sum of products lets NaN times 0 be NaN, as in NumPy: mask such entries before.
    """
    if not isinstance(subscripts, str):
        raise TypeError(
            "np.einsum on Tensors wants its subscripts as a string: np.einsum('ij,jk->ik', a, b)"
        )
    terms, arrow, out = subscripts.replace(" ", "").partition("->")
    terms = terms.split(",")
    if len(terms) != len(operands):
        raise ValueError(
            f"np.einsum({subscripts!r}) names {len(terms)} operands; came {len(operands)}"
        )
    if not arrow:
        joined = "".join(terms).replace(".", "")
        out = "..." * ("." in subscripts) + "".join(
            sorted(c for c in set(joined) if joined.count(c) == 1)
        )
    hidden = [
        max(0, np.ndim(o) - len(t.replace(".", ""))) * ("." in t)
        for t, o in zip(terms, operands, strict=True)
    ]
    dots = "".join([c for c in string.ascii_letters if c not in subscripts][: max(hidden)])
    spelled = [t.replace("...", dots[len(dots) - n :]) for t, n in zip(terms, hidden, strict=True)]
    pairs = [_no_repeats(t, o) for t, o in zip(spelled, operands, strict=True)]
    return apply(
        contract,
        ",".join(t for t, _ in pairs) + "->" + out.replace("...", dots),
        *(o for _, o in pairs),
    )


def _no_repeats(term, operand):
    """Take the diagonal for each letter that stands twice."""
    for c in term:
        if term.count(c) > 1:
            first = term.index(c)
            second = term.index(c, first + 1)
            rest = "".join(t for k, t in enumerate(term) if k not in (first, second))
            return _no_repeats(rest + c, np.diagonal(operand, 0, first, second))
    return term, operand
