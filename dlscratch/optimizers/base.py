"""Optimizer: what all update rules share. A rule itself is one method, a formula on arrays."""

import math
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from ..engine import Tensor, blocks
from ..layers.parameters import Parameter, Parameters

__all__ = ["Optimizer"]


class Optimizer:
    """Moves parameters along their gradients; a subclass defines the formula, `update`.

    A parameter that has no gradient (`p.grad is None`: the loss did not use it) or is frozen is
    left out of a step: its numbers, its state and its count of steps stay as they are, as in
    PyTorch.

    Parameters
    ----------
    params : model.parameters(), any of these, those of several models, or groups: dicts that have
        "params", and options of their own in place of those that follow
    lr : the learning rate, >= 0
    options : what else the formula needs, by name; each is an entry of every group

    Attributes
    ----------
    param_groups : list of {"params": [...], "lr": ..., ...}; what is written there holds from the
        next step on
    parameters : the `Parameters` of all groups
    state : {parameter: {name: array}}, what the rule remembers of each
    vectors : {name: array}, the same of all parameters in one vector, which `state` has views of
    t : how many steps were made

    Raises
    ------
    TypeError : for a model in place of its parameters
    ValueError : for unknown or impossible options, and for a parameter in two groups

    Examples
    --------
    >>> import numpy as np
    >>> from dlscratch import layers
    >>> class SignDescent(Optimizer):
    ...     def update(self, theta, g, *, t, lr):
    ...         theta -= lr * np.sign(g)
    >>> w = layers.Parameter(np.array([1.0, -2.0]))
    >>> optimizer = SignDescent([w], lr=0.5)
    >>> np.sum(w * w).backward()
    >>> optimizer.step()
    >>> w.data
    array([ 0.5, -1.5])
    """

    # True: each entry's update depends on that entry alone, and `update` is called for stretches of
    # entries of many parameters, (n,). False: it is called for each parameter, in its shape.
    elementwise = True
    # The names of what the rule remembers that is one float64 for each parameter.
    numbers = ()

    def __init__(
        self, params: Iterable[Parameter] | Iterable[dict], lr: float, **options: float | bool
    ):
        self.defaults = {"lr": plain(lr)} | {name: plain(v) for name, v in options.items()}
        self.param_groups = []
        self.parameters = None
        self.state = {}
        self.t = 0
        self.vectors = {}
        self._places = []  # for each parameter {name: its slice of that vector}
        self._counts = []  # for each parameter, how many steps it has made
        self._group_of = []  # for each parameter, the index of its group
        for group in _groups(params):
            self.add_param_group(group)

    # The rule: what a subclass defines ------------------------------------------------------------

    def update(self, theta: np.ndarray, g: np.ndarray, **state_and_options: Any) -> None:
        """The formula: change theta in place, given g = dL/dtheta.

        What else it is given, by name: the state, t, and the options of the group.
        """
        raise NotImplementedError(f"{type(self).__name__} defines no update(self, theta, g, ...)")

    def remembers(self, shape: tuple, options: dict) -> dict[str, tuple]:
        """{name: shape} of what it remembers of a parameter of this shape; it starts at zero."""
        return {}

    def begin(self, shape: tuple, state: dict[str, np.ndarray], options: dict) -> None:
        """Fill what does not start at zero, for a parameter of this shape."""

    def check(self, options: dict) -> None:
        """Raise ValueError for options that make no sense; a subclass adds its own."""
        for name in ("lr", "weight_decay"):
            if not options.get(name, 0) >= 0:
                raise ValueError(
                    f"{type(self).__name__}: expected {name} >= 0, got {name}={options[name]}"
                )

    # The step -------------------------------------------------------------------------------------

    def step(self, closure: Callable[[], Tensor] | None = None) -> Tensor | None:
        """One update from the gradients; closure(), if given, computes them first.

        Returns what closure returned.
        """
        if type(self).update is Optimizer.update:
            self.update(None, None)
        loss = None if closure is None else closure()
        members = list(self.parameters)
        moving = self._moving(members)
        self.t += 1
        for i in moving:
            self._counts[i] += 1
        options = [self._options(group) for group in self.param_groups]
        if self.elementwise:
            for first, last in self._stretches(members, moving):
                self._update_stretch(first, last, options[self._group_of[first]])
        else:
            for i in moving:
                self._update_one(i, options[self._group_of[i]])
        for i in moving:
            members[i].mark_written()
        return loss

    def _moving(self, members):
        """The indices of the parameters that are to move: not frozen, and with a gradient."""
        self.parameters.stretches()  # raises if they are no longer where they were
        moving = [i for i, p in enumerate(members) if p._grad is not None and p.requires_grad]
        if len(moving) < len(members):
            self._refuse_unseen_gradients()
        return moving

    def _refuse_unseen_gradients(self):
        """Raise for numbers in dtheta where there is no gradient: they would have no effect."""
        for p in self.parameters:
            if p._grad is None and p.requires_grad and p._room.any():
                raise RuntimeError(
                    f"{type(self).__name__}.step: dtheta was written for a parameter of shape "
                    f"{p.shape} that has no gradient; "
                    "set p.grad, or all by parameters.write_grad(g)"
                )

    def _options(self, group):
        """What of a group the formula sees, as Python's numbers."""
        return {
            name: plain(value)
            for name, value in group.items()
            if name not in {"params", "initial_lr", "maximize"}
        }

    def _stretches(self, members, moving):
        """[first, last] of each run of neighbours, in one group, after as many steps."""
        runs = []
        expected = None  # the place and the kind of a parameter that continues the run
        for i in moving:
            p = members[i]
            start = p._start
            kind = (id(p._vectors), self._group_of[i], self._counts[i])
            if (i, start, kind) == expected:
                runs[-1][1] = i
            else:
                runs.append([i, i])
            expected = (i + 1, start + p._data.size, kind)
        return runs

    def _update_stretch(self, first, last, options):
        """`update` for parameters in a row, as one vector.

        Block by block: a dozen passes over numbers that stay in cache take half the time.
        """
        p = self.parameters[first]
        end = self.parameters[last]
        entries = slice(p._start, end._start + end.size)
        theta = p._vectors.theta[entries]
        g = p._vectors.dtheta[entries]
        state = {
            name: self.vectors[name][place.start : self._places[last][name].stop]
            for name, place in self._places[first].items()
        }
        t = self._counts[first]
        climbs = self._climbs(first)
        for block in blocks(len(theta)):
            slope = -g[block] if climbs else g[block]
            parts = {name: vector[block] for name, vector in state.items()}
            self.update(theta[block], slope, **parts, t=t, **options)

    def _update_one(self, i, options):
        """`update` for one parameter, in its shape."""
        p = self.parameters[i]
        g = -p._grad if self._climbs(i) else p._grad
        self.update(p._data, g, **self.state[p], t=self._counts[i], **options)

    def _climbs(self, i):
        """Whether the group of parameter i asks to maximize."""
        return self.param_groups[self._group_of[i]].get("maximize", False)

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget all gradients; with set_to_none=False they become zeros, which still count."""
        self.parameters.zero_grad(set_to_none)

    def gradient(self) -> np.ndarray:
        """What the rule descends along, (P,), a copy: dtheta, or -dtheta where it climbs.

        Zero for what has no gradient or is frozen.
        """
        g = self.parameters.read_grad()
        for i, (p, span) in enumerate(self.parameters.spans()):
            if not p.requires_grad:
                g[span] = 0
            elif self._climbs(i):
                g[span] *= -1
        return g

    def train(self) -> None:
        """Hold the numbers to train with; only schedule-free rules have others to evaluate with."""

    def eval(self) -> None:
        """Hold the numbers to evaluate with."""

    # Groups ---------------------------------------------------------------------------------------

    def add_param_group(self, group: dict) -> None:
        """Move further parameters, too; what the group leaves out is as for the others.

        group: {"params": a Parameter or several, "lr": ..., ...}
        """
        name = type(self).__name__
        own = {key: plain(value) for key, value in group.items() if key != "params"}
        unknown = own.keys() - self.defaults.keys() - {"initial_lr"}
        if unknown:
            raise ValueError(
                f"{name}: a group has {sorted(unknown)}; "
                f"expected options of {name}: {', '.join(self.defaults)}"
            )
        given = group["params"]
        members = [given] if isinstance(given, Tensor) else list(given)
        ids = [id(p) for p in members]
        for p in members:
            if ids.count(id(p)) > 1 or p in self.state:
                raise ValueError(
                    f"{name}: the parameter of shape {p.shape} is in two groups, or twice in one; "
                    "give each once"
                )
        options = self.defaults | own
        self.check(options)
        if self.parameters is None:
            parameters = Parameters.of(given if isinstance(given, Parameters) else members)
        else:
            parameters = Parameters([*self.parameters, *members], pack=False)
        for p in members:
            self.remembers(p.shape, options)  # raises for shapes that the rule cannot take
        self.parameters = parameters
        self.param_groups.append({"params": members} | options)
        self._group_of += [len(self.param_groups) - 1] * len(members)
        self._counts += [0] * len(members)
        self._remember(members, options)

    def _remember(self, members, options):
        """Make room for the state of new parameters: longer vectors, and all views of them."""
        added = {}
        for p in members:
            place = {}
            for name, shape in self.remembers(p.shape, options).items():
                dtype = np.float64 if name in self.numbers else p.dtype
                pieces = added.setdefault(name, [])
                start = len(self.vectors.get(name, ())) + sum(len(piece) for piece in pieces)
                pieces.append(np.zeros_like(p._data, dtype, shape=math.prod(shape)))
                place[name] = slice(start, start + len(pieces[-1]))
            self._places.append(place)
        for name, pieces in added.items():
            before = [self.vectors[name]] if name in self.vectors else []
            self.vectors[name] = np.concatenate([*before, *pieces])
        for p, place, group in zip(self.parameters, self._places, self._group_of, strict=True):
            shapes = self.remembers(p.shape, self.param_groups[group])
            self.state[p] = {
                name: self.vectors[name][span].reshape(shapes[name]) for name, span in place.items()
            }
        for p in members:
            self.begin(p.shape, self.state[p], options)

    @property
    def lr(self) -> float:
        """The learning rate of the first group; setting it sets that of all groups."""
        return self.param_groups[0]["lr"]

    @lr.setter
    def lr(self, value: float) -> None:
        for group in self.param_groups:
            group["lr"] = plain(value)

    # What moves to a file and back ----------------------------------------------------------------

    def state_dict(self) -> dict[str, np.ndarray]:
        """{name: array}: the state, the counts "t" and "step", and the numeric options.

        Copies. "step" has one entry a parameter, each option one row a group.
        """
        state = {"t": np.array(self.t), "step": np.array(self._counts)}
        state |= {name: np.array(values) for name, values in self._saved_options().items()}
        return state | {name: vector.copy() for name, vector in self.vectors.items()}

    def load_state_dict(self, state: dict[str, np.ndarray]) -> None:
        """Continue from a `state_dict()` of such an optimizer, with its options.

        Raises KeyError for other names, ValueError for other shapes; nothing has changed then.
        """
        title = f"{type(self).__name__}.load_state_dict"
        own = Optimizer.state_dict(self)
        if state.keys() != own.keys():
            missing = sorted(own.keys() - state.keys())
            unexpected = sorted(state.keys() - own.keys())
            raise KeyError(f"{title}: missing {missing}, unexpected {unexpected}")
        for name, array in own.items():
            if np.shape(state[name]) != array.shape:
                raise ValueError(
                    f"{title}: {name} has shape {np.shape(state[name])}, expected {array.shape}"
                )
        self.t = int(state["t"])
        self._counts = np.asarray(state["step"]).tolist()
        for name, vector in self.vectors.items():
            vector[...] = state[name]
        for name in self._saved_options():
            for group, value in zip(self.param_groups, np.asarray(state[name]), strict=True):
                group[name] = plain(value)

    def _saved_options(self):
        """{name: [value in each group]} of the options that are numbers, or several."""
        values = {
            name: [plain(group[name]) for group in self.param_groups] for name in self.defaults
        }
        return {name: v for name, v in values.items() if np.array(v).dtype.kind in "fiub"}

    def __repr__(self) -> str:
        sizes = [sum(p.size for p in group["params"]) for group in self.param_groups]
        lines = [
            f"  {size} numbers: " + ", ".join(f"{k}={group[k]}" for k in self.defaults)
            for size, group in zip(sizes, self.param_groups, strict=True)
        ]
        return "\n".join([f"{type(self).__name__}(", *lines, ")"])


def _groups(params):
    """What an optimizer was given, as a list of groups.

    Raises TypeError for a model, and for groups among parameters.
    """
    if hasattr(params, "parameters"):
        raise TypeError(
            f"an optimizer: expected parameters, got the model {type(params).__name__}; "
            "pass model.parameters()"
        )
    if isinstance(params, Parameters):
        return [{"params": params}]
    params = list(params)
    if not any(isinstance(p, dict) for p in params):
        return [{"params": list({id(p): p for p in params}.values())}]
    if not all(isinstance(g, dict) and "params" in g for g in params):
        raise TypeError('groups and parameters are mixed; expected only dicts that have "params"')
    return params


def plain(value):
    """An option as Python has it: NumPy's numbers would turn float32 into float64."""
    if type(value) in (float, bool, int):  # nearly always, and asked for at each step
        return value
    if isinstance(value, (tuple, list)):
        return tuple(map(plain, value))
    if isinstance(value, np.ndarray) and value.ndim:
        return tuple(value.tolist())
    return value.item() if hasattr(value, "item") else value


def decayed(g: np.ndarray, theta: np.ndarray, weight_decay: float) -> np.ndarray:
    """g + λ theta: weight decay as a part of the gradient."""
    return g + weight_decay * theta if weight_decay else g


def shrink(theta: np.ndarray, lr: float, weight_decay: float):
    """theta ← (1 - lr λ) theta, in place: weight decay that the rule does not see."""
    if weight_decay:
        theta *= 1 - lr * weight_decay


def approach(average: np.ndarray, x: np.ndarray, share: float):
    """average ← average + share (x - average), in place: a mean that forgets."""
    change = x - average
    change *= share
    average += change


def check_fractions(optimizer: Optimizer, name: str, values: tuple):
    """Raise ValueError unless all of the values are in [0, 1)."""
    if not all(0 <= value < 1 for value in values):
        came = values if len(values) > 1 else values[0]
        raise ValueError(
            f"{type(optimizer).__name__}: expected numbers in [0, 1), got {name}={came}"
        )
