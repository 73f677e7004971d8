"""Which parameters an optimizer moves, and which of them have a learning rate or a weight decay of their own."""

import numpy as np

from ..layers.parameters import Parameters, address

__all__ = ["Selection", "collect"]


class Selection(Parameters):
    """Parameters that do not lie side by side in memory: theta and dtheta are gathered copies, and `write` puts theta back."""

    def _find(self):
        return None

    def _pack(self):
        return None  # the packing of the model that they belong to stays

    theta = property(lambda self: np.concatenate([p.data.ravel() for p in self]))
    dtheta = property(lambda self: np.concatenate([p.grad.ravel() for p in self]))

    def zero_grad(self):
        """Set all gradients to zero."""
        for p in self:
            p.grad = None

    def write(self, theta):
        """Put the numbers of theta into the parameters."""
        for p, span in self.spans():
            p.data = theta[span].reshape(p.shape)


def collect(params):
    """(parameters, options): what an optimizer was given, as Parameters and one dict of options for each of them.

    params: Parameters, an iterable of Parameter, or groups [{"params": ..., "lr": ..., "weight_decay": ...}, ...].
    Raises ValueError for other options and for a parameter in two groups, TypeError for a mixture.
    """
    if isinstance(params, Parameters):
        return params, [{}] * len(params)
    if hasattr(params, "parameters"):
        raise TypeError(
            f"an optimizer wants parameters, came the model {type(params).__name__}; pass model.parameters()"
        )
    params = list(params)
    if not any(isinstance(p, dict) for p in params):
        return _arranged(params), [{}] * len(params)
    if not all(isinstance(g, dict) and "params" in g for g in params):
        raise TypeError('groups and parameters are mixed; want only dicts that have "params"')
    options, members = {}, []
    for group in params:
        own = {k: v for k, v in group.items() if k != "params"}
        if unknown := own.keys() - {"lr", "weight_decay"}:
            raise ValueError(
                f"a group has {sorted(unknown)}; it may set lr and weight_decay, the rest is common to all"
            )
        for p in group["params"]:
            if id(p) in options:
                raise ValueError(
                    f"the parameter of shape {p.shape} is in two groups; want each in one"
                )
            options[id(p)] = own
            members.append(p)
    parameters = _arranged(members)
    return parameters, [options[id(p)] for p in parameters]


def _arranged(members):
    """The members in the order of memory if they then fill one stretch of a model's vector, else gathered as they come."""
    chosen = Selection(members)
    for p in chosen:
        if p.grad is None:
            p.grad = 0.0  # not packed yet: zeros of its own
    ordered = sorted(chosen, key=lambda p: address(p.data))
    return chosen if Parameters._find(Selection(ordered)) is None else Parameters(ordered)
