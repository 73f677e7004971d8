"""Classic bugs that still train: where each is put in, and the test that must notice."""

from typing import NamedTuple

__all__ = ["MUTATIONS", "Mutation"]


class Mutation(NamedTuple):
    """In dlscratch/`file`, `old` (which stands there once) becomes `new`; then `test` must fail."""

    name: str
    file: str
    old: str
    new: str
    test: str


ENGINE = "tests/engine/test_gradients.py"
TWINS = "tests/functional/test_twins.py"
LAYERS = "tests/layers/test_layers.py"
OPTIMIZERS = "tests/optimizers/test_optimizers.py"
REFERENCES = "tests/optimizers/test_references.py"
ACTIVATIONS = "tests/functional/test_activations.py"
LOSSES = "tests/functional/test_losses.py"
NORMS = "tests/functional/test_normalization.py"
DROPOUT = "tests/functional/test_dropout.py"
ATTENTION = "tests/functional/test_attention.py"
RECURRENT = "tests/functional/test_recurrent.py"

MUTATIONS = [
    # calculus
    Mutation("tanh' = 1 - y", "engine/rules/elementwise.py", "rule(np.tanh, lambda g, y, x: g * (1 - y * y))",
             "rule(np.tanh, lambda g, y, x: g * (1 - y))", f"{ENGINE} -k tanh"),
    Mutation("gradients of two paths are not added", "engine/backward.py", "gx if before is None else before + gx", "gx",
             "tests/engine/test_against_torch.py"),
    Mutation("broadcast gradients: the mean, not the sum", "engine/backward.py", "np.reshape(np.sum(g, axis=tuple(range(new))",
             "np.reshape(np.mean(g, axis=tuple(range(new))", f"{ENGINE} -k add"),
    Mutation("a second backward overwrites instead of adding", "engine/backward.py", "        node._grad += g",
             "        node._grad = np.array(g)", "tests/engine/test_errors.py"),
    Mutation("the variance's mean is a constant to the gradient", "engine/rules/reductions.py",
             "return np.sum(np.square(deviation), axis=axis, keepdims=keepdims) / (_count(x, axis) - ddof)",
             "return np.sum(deviation * raw(deviation) * 2 - raw(np.square(deviation)), axis=axis, keepdims=keepdims) / (_count(x, axis) - ddof)",
             f"{ENGINE} -k var"),
    Mutation("ties of the maximum all get the whole gradient", "engine/rules/reductions.py",
             " / won.sum(axis=axis, keepdims=True).astype(g.dtype), 0)", ", 0)", "tests/engine"),
    Mutation("concatenate: gradients cut at the wrong places", "engine/rules/shapes.py", "np.cumsum([np.shape(a)[axis] for a in arrays])[:-1]",
             "len(arrays)", f"{ENGINE} -k concatenate"),
    Mutation("the transposition's gradient is transposed the same way", "engine/rules/shapes.py",
             "np.argsort(normalize_axis_tuple(axes, ndim)).tolist()", "axes", f"{ENGINE} -k transpose"),
    Mutation("the gradient of the cumulative sum runs forwards", "engine/rules/reductions.py",
             "return np.flip(np.cumsum(np.flip(g, axis), axis=axis), axis)", "return np.cumsum(g, axis=axis)", f"{ENGINE} -k cumsum"),
    Mutation("clip lets gradients through outside its bounds", "engine/rules/elementwise.py",
             "x = x if low is None else np.where(np.less(x, low), low, x)", "x = x if low is None else x + np.where(np.less(raw(x), low), low - raw(x), 0)",
             f"{ENGINE} -k clip"),
    Mutation("fused operations: the saved gradient is taken at order 2", "engine/fused.py", "        if not lifted:\n            arrays", "        if True:\n            arrays",
             f"{TWINS} -k equals_textbook"),
    Mutation("a sum that others hold is added to in place", "engine/backward.py", "if before is not None and id(x) in ours:", "if before is not None:",
             "tests/engine/test_against_torch.py"),
    Mutation("a slice overwrites what other slices gave", "engine/rules/indexing.py", "        z[index] += g\n", "        z[index] = g\n", "tests/engine/test_scale.py -k slices"),
    Mutation("stepping between forward and backward goes unnoticed", "engine/backward.py", "if x.op is None and x.written_at > node.order:",
             "if False:", "tests/engine/test_errors.py"),
    # layers
    Mutation("Linear uses W in place of its transpose", "functional/linear.py", "y = np.matmul(x.reshape(-1, x.shape[-1]), W.T)",
             "y = np.matmul(x.reshape(-1, x.shape[-1]), W.reshape(W.T.shape))", f"{LAYERS} -k Linear"),
    Mutation("the bias gradient is averaged over the batch", "functional/linear.py", "np.ones_like(g, shape=len(g)) @ g", "np.ones_like(g, shape=len(g)) @ g / len(g)",
             f"{TWINS} -k linear"),
    Mutation("evaluation mode does not reach sublayers", "layers/module.py", "        for m in self.modules():\n            m.training = training",
             "        self.training = training", LAYERS),
    Mutation("load_state_dict ignores missing names", "layers/module.py", "if strict and (missing or unexpected):", "if strict and unexpected:",
             f"{LAYERS}"),
    Mutation("a copied model shares its parameters", "layers/module.py", "return copy.deepcopy(self)", "return copy.copy(self)", LAYERS),
    # activations and losses
    Mutation("softmax over the wrong axis", "functional/activations.py", "lambda x, axis=-1: (textbook_softmax(x, axis), None)",
             "lambda x, axis=-1: (textbook_softmax(x, 0), None)", f"{ACTIVATIONS} -k softmax"),
    Mutation("sigmoid's slope is y", "functional/activations.py", "(g * (y * (1 - y)),)", "(g * y,)", f"{ACTIVATIONS} -k sigmoid"),
    Mutation("the exact GELU's slope lacks x φ(x)", "functional/activations.py", "        slope *= 0.5 * _C\n", "        slope *= 0\n",
             f"{ACTIVATIONS} -k gelu"),
    Mutation("leaky relu leaks nothing back", "functional/activations.py", " + x.dtype.type(negative_slope)", "",
             f"{ACTIVATIONS} -k leaky"),
    Mutation("selu with elu's α of 1", "functional/activations.py", "elu(x, 1.6732632423543772)", "elu(x, 1.0)", f"{ACTIVATIONS} -k selu"),
    Mutation("gumbel noise is Gaussian", "functional/activations.py", ".gumbel(size=logits.shape)", ".normal(size=logits.shape)", f"{ACTIVATIONS} -k gumbel"),
    Mutation("cross-entropy: the gradient is a sum, not the mean", "functional/losses.py", "g = g / len(targets) if reduction == \"mean\" else g", "g = g", f"{TWINS} -k cross_entropy"),
    Mutation("label smoothing takes ε from the target alone", "functional/losses.py", "total = (1 - label_smoothing) * total - label_smoothing / C",
             "total = (1 - label_smoothing) * total - 0 / C", f"{LOSSES} -k cross_entropy"),
    Mutation("weighted mean divides by the number of examples", "functional/losses.py",
             "    return np.sum(total) / np.sum(counted) if reduction", "    return np.mean(total) if reduction", f"{LOSSES} -k cross_entropy"),
    Mutation("ignored targets count in the mean", "functional/losses.py", "counted = np.take(w.ravel(), targets) * keep",
             "counted = np.take(w.ravel(), targets)", f"{LOSSES} -k cross_entropy"),
    Mutation("KL with its arguments exchanged", "functional/regression.py", "* (log_t - outputs)", "* (outputs - log_t)", f"{LOSSES} -k pairs"),
    Mutation("Gaussian likelihood without the factor 1/2 of its logarithm", "functional/regression.py", "0.5 * (np.log(v) + np.square(outputs - targets) / v)",
             "np.log(v) + 0.5 * np.square(outputs - targets) / v", f"{LOSSES} -k gaussian"),
    Mutation("quantile loss of the opposite quantile", "functional/regression.py", "e * (q - np.less(e, 0))", "e * (1 - q - np.less(e, 0))", f"{LOSSES} -k formula"),
    Mutation("the triplet's margin has the wrong sign", "functional/regression.py", "near - far + margin", "near - far - margin", f"{LOSSES} -k triplet"),
    Mutation("CTC may skip from a symbol to its repetition", "functional/ctc.py", " & (symbols[:, 2:] != symbols[:, :-2])", "", f"{LOSSES} -k ctc"),
    Mutation("CTC ends in the last blank only", "functional/ctc.py", "loss = -np.logaddexp(alpha[rows, 2 * sizes], last)", "loss = -alpha[rows, 2 * sizes]", f"{LOSSES} -k ctc"),
    Mutation("info_nce of vectors that are not normalized", "functional/losses.py", "normalize(queries) @ normalize(keys).T", "queries @ keys.T", f"{LOSSES} -k formula"),
    Mutation("padding's vector learns", "functional/linear.py", "    if padding_idx is None:\n        return y", "    if True:\n        return y", "tests/functional/test_embedding.py"),
    # normalization and dropout
    Mutation("layer norm over the batch", "functional/normalization.py", "normalize_rows(x, weight, bias, axes=axes, eps=eps)", "np.swapaxes(normalize_rows(np.swapaxes(x, 0, -1), eps=eps), 0, -1) * weight + bias",
             f"{NORMS} -k last_axes"),
    Mutation("eps is added to the deviation, not to the variance", "functional/normalized_rows.py", "scale = 1 / np.sqrt(np.vecdot(y, y) / D + eps)",
             "scale = 1 / (np.sqrt(np.vecdot(y, y) / D) + eps)", f"{TWINS} -k layer_norm"),
    Mutation("normalization's gradient takes its mean for a constant", "functional/normalized_rows.py", "        dx -= (g @ (w / D))[:, None]\n", "",
             f"{TWINS} -k layer_norm"),
    Mutation("BatchNorm keeps the biased variance", "functional/channels.py", " * (n / (n - 1))", "", f"{LAYERS} -k batch_norm"),
    Mutation("BatchNorm's momentum is of the old value", "functional/channels.py", "running_mean += momentum *", "running_mean += (1 - momentum) *",
             f"{LAYERS} -k batch_norm"),
    Mutation("batch normalization's gradient takes its mean for a constant", "functional/channels.py", "        dx -= (shift / n)[:, None]\n", "",
             f"{TWINS} -k normalized"),
    Mutation("BatchNorm uses the batch in evaluation, too", "functional/normalization.py", "    if not training:\n", "    if False:\n",
             f"{LAYERS} -k batch_norm"),
    Mutation("group norm mixes the groups", "functional/normalization.py", "(x.shape[0] * num_groups, -1)", "(x.shape[0], -1)",
             f"{NORMS} -k channels"),
    Mutation("RMS norm subtracts the mean", "functional/normalization.py", "_affine(x / np.sqrt(np.mean(np.square(x)", "_affine((x - np.mean(x, axis=-1, keepdims=True)) / np.sqrt(np.mean(np.square(x)",
             f"{NORMS} -k last_axes"),
    Mutation("spectral norm without power iteration", "layers/normalization.py", "self._iterate(self.n_power_iterations)", "pass", f"{NORMS} -k spectral"),
    Mutation("dropout without rescaling", "functional/dropout.py", "return x * _kept(x.shape, p, rng) * (1 / (1 - p))",
             "return x * _kept(x.shape, p, rng)", DROPOUT),
    Mutation("dropout keeps with probability p", "functional/dropout.py", "dtype=np.float32) >= p", "dtype=np.float32) < p", DROPOUT),
    Mutation("dropout in evaluation", "functional/dropout.py", "return training and p > 0", "return p > 0", DROPOUT),
    Mutation("drop path drops single numbers", "functional/dropout.py", "(x.shape[0],) + (1,) * (x.ndim - 1)", "x.shape", DROPOUT),
    # convolution and pooling
    Mutation("convolution's input gradient is not folded over columns", "functional/rows.py", "x[:, :, p, pixels] += part[:, i, :, places]",
             "x[:, :, p, pixels] = part[:, i, :, places]", f"{TWINS} -k conv2d"),
    Mutation("convolution forgets the dilation of its rows", "functional/rows.py", "p = stride * h + dilation * k - padding", "p = stride * h + k - padding",
             "tests/functional/test_convolution.py -k fast_convolution"),
    Mutation("max pooling: all ties get the gradient", "functional/pooling.py", "        won &= free\n", "",
             "tests/functional/test_pooling.py"),
    Mutation("average pooling counts its padding always", "functional/pooling.py", "k * count_include_pad)", "k)", "tests/functional/test_pooling.py"),
    Mutation("pixel shuffle with rows and columns exchanged", "functional/resampling.py", "(*range(n), n + 2, n, n + 3, n + 1)", "(*range(n), n + 2, n + 1, n + 3, n)",
             "tests/functional/test_resampling.py"),
    # attention and recurrence
    Mutation("attention is normalized over the queries", "functional/attention.py", "    total = p.sum(axis=-2, keepdims=True)",
             "    total = p.sum(axis=-1, keepdims=True)", ATTENTION),
    Mutation("attention without 1/√D", "functional/attention.py", "return 1 / math.sqrt(query.shape[-1]) if scale", "return 1.0 if scale", ATTENTION),
    Mutation("the causal mask lets the next token through", "functional/attention.py", "bias = [additive(np.tri(*shape[-2:], dtype=bool)",
             "bias = [additive(np.tri(*shape[-2:], k=1, dtype=bool)", ATTENTION),
    Mutation("a boolean mask hides what it should show", "functional/attention.py", "mask.data if isinstance(mask, Tensor) else mask, 0, -np.inf)",
             "mask.data if isinstance(mask, Tensor) else mask, -np.inf, 0)", ATTENTION),
    Mutation("tiles do not rescale the sums before them", "functional/attention.py", "weighted = weighted * shrink +", "weighted = weighted +", f"{ATTENTION} -k tiled"),
    Mutation("grouped heads are shared in turns", "functional/attention.py", "np.repeat(x, query.shape[-3] // x.shape[-3], axis=-3)",
             "np.concatenate([x] * (query.shape[-3] // x.shape[-3]), axis=-3)", ATTENTION),
    Mutation("rotary turns by the square of the position", "functional/positions.py", "angles = _angles(offset + np.arange(x.shape[-2])",
             "angles = _angles((offset + np.arange(x.shape[-2])) ** 2", "tests/functional/test_positions.py"),
    Mutation("LSTM with its gates in another order", "functional/recurrent.py", "i, f, g, o = np.split(linear(x[:, t], W_ih, b_ih)", "f, i, g, o = np.split(linear(x[:, t], W_ih, b_ih)",
             RECURRENT),
    Mutation("GRU resets the state before its product", "functional/recurrent.py", "n = r * q[2]", "n = 1 * q[2]", RECURRENT),
    Mutation("the LSTM's cell is cut off in backward", "functional/recurrent.py", "dc *= f\n", "dc *= 0\n", RECURRENT),
    # optimizers, schedules, averages
    Mutation("Adam without bias correction", "optimizers/adam.py", "step *= self.rate * (math.sqrt(unbias2) / unbias1)",
             "step *= self.rate", f"{OPTIMIZERS} -k trajectory"),
    Mutation("Adam with eps inside the root", "optimizers/adam.py", "step = np.sqrt(v)  #", "step = np.sqrt(v + self.eps)  #", f"{OPTIMIZERS} -k trajectory"),
    Mutation("AdamW decays through the moments", "optimizers/adam.py", "decoupled = True", "decoupled = False", f"{OPTIMIZERS} -k trajectory"),
    Mutation("Nesterov's look ahead is left out", "optimizers/sgd.py", "g = g + self.momentum * self.v if self.nesterov else self.v", "g = self.v", f"{OPTIMIZERS} -k trajectory"),
    Mutation("momentum's first step is dampened", "optimizers/sgd.py", "g if self.t == 1 else (1 - self.dampening) * g", "(1 - self.dampening) * g", f"{OPTIMIZERS} -k trajectory"),
    Mutation("Lion updates its momentum before the step", "optimizers/sgd.py", "self.m + (1 - b1) * (g - self.m))", "self.m + (1 - b2) * (g - self.m))", REFERENCES),
    Mutation("frozen parameters move with weight decay", "optimizers/base.py", "if not p.requires_grad]", "if False]", f"{OPTIMIZERS} -k frozen"),
    Mutation("clipping each gradient, not their common norm", "optimizers/clipping.py", "norm = float(np.linalg.norm(g, norm_type))", "norm = float(np.abs(g).max())", f"{OPTIMIZERS} -k clipping"),
    Mutation("schedules are one step late", "optimizers/schedules.py", "        self.t += 1\n        self.apply()", "        self.apply()\n        self.t += 1",
             "tests/optimizers/test_schedules.py"),
    Mutation("EMA weighs the newest by its decay", "optimizers/averaging.py", "return 1 - self.decay", "return self.decay", "tests/optimizers/test_averaging.py"),
    Mutation("He's gain for the fan out", "initializers.py", "std=gain / math.sqrt(fans(shape)[0])", "std=gain / math.sqrt(fans(shape)[1])", "tests/test_initializers.py"),
    Mutation("gradients of micro-batches are added, not averaged", "training.py", " * (len(xb) / len(X))", "", "tests/test_training.py"),
    Mutation("a checkpoint without the generators of Dropout", "checkpoints.py", "for g in (rng, *held)}", "for g in (rng,)}", "tests/test_training.py"),
    # models and data
    Mutation("GPT sees the future", "models/transformers.py", "is_causal=True", "is_causal=False", "tests/test_models_transformers.py"),
    Mutation("GPT without positions", "models/transformers.py", "self.positions(np.arange(shape[1]))", "self.positions(0 * np.arange(shape[1]))",
             "tests/test_models_transformers.py"),
    Mutation("the VAE takes exp(log_var) for the deviation", "models/dense.py", "np.exp(0.5 * log_var) * noise", "np.exp(log_var) * noise", "tests/test_models.py -k vae or VAE"),
    Mutation("the VAE's KL with the sign of log_var wrong", "models/dense.py", "np.exp(log_var) - 1 - log_var", "np.exp(log_var) - 1 + log_var", "tests/test_models.py -k vae or VAE"),
    Mutation("a residual block forgets its shortcut", "models/images.py", "return F.relu(x + y)", "return F.relu(y)", "tests/test_models.py"),
    Mutation("mixup mixes the images and not the labels", "data/augment.py", "_blend(Y, Y[other], share)", "Y", "tests/data/test_augment.py"),
    Mutation("the determinant's gradient is not transposed", "engine/rules/linalg.py", "rule(logdet, lambda g, y, a: _matrix(g) * mT(np.linalg.inv(a)))",
             "rule(logdet, lambda g, y, a: _matrix(g) * np.linalg.inv(a))", f"{ENGINE} -k slogdet"),
    # data
    Mutation("labels are shuffled apart from their inputs", "data/batches.py", "tuple(a[rows] for a in arrays)",
             "tuple(a[rows] if i == 0 else a[start : start + size] for i, a in enumerate(arrays))", "tests/data/test_batches.py"),
    Mutation("every epoch has the same order", "data/batches.py", "rng.permutation(lengths[0])", "np.random.default_rng(0).permutation(lengths[0])",
             "tests/data/test_batches.py"),
    Mutation("the last, smaller batch is dropped", "data/batches.py", "range(0, len(order), size)", "range(0, len(order) - size + 1, size)",
             "tests/data/test_batches.py"),
    Mutation("test examples are also trained on", "data/split.py", "test, train = order[:n], order[n:]", "test, train = order[:n], order",
             "tests/data"),
    Mutation("tables are scaled with the test rows' statistics", "data/embedded.py", "(cut.X_train.mean(axis=0), cut.X_train.std(axis=0))", "(X.mean(axis=0), X.std(axis=0))", "tests/data/test_embedded.py"),
    # laboratory
    Mutation("gradcheck compares the gradient with itself", "lab/verify.py", "errors.append(relative_error(analytic.data, numeric,",
             "errors.append(relative_error(analytic.data, analytic.data,", "tests/lab/test_verify.py"),
    Mutation("a claim looks at the mean and not at the interval", "lab/claim.py", "return mean - half, mean + half,", "return mean, mean,",
             "tests/lab/test_claim.py"),
    Mutation("intervals with the biased deviation", "lab/claim.py", "values.std(axis=0, ddof=1)", "values.std(axis=0)", "tests/lab/test_claim.py"),
    Mutation("intervals of the normal, not of Student's t", "lab/claim.py", "half = stdtrit(len(values) - 1, 0.975)", "half = 1.96", "tests/lab/test_claim.py"),
    Mutation("Lanczos without keeping its vectors orthogonal", "lab/curvature.py", "w = w - basis.T @ (basis @ w)",
             "w = w - basis[-2:].T @ (basis[-2:] @ w) * (len(alpha) % 2)", "tests/lab/test_curvature.py"),
    Mutation("Hutchinson with vectors of zeros and ones", "lab/curvature.py", "choice([-1.0, 1.0], (samples, size))", "choice([0.0, 1.0], (samples, size))",
             "tests/lab/test_curvature.py"),
    Mutation("a barrier above the lower end, not above the line", "lab/landscape.py", "np.linspace(losses[0], losses[-1], len(losses))",
             "min(losses[0], losses[-1])", "tests/lab/test_landscape.py"),
    Mutation("CKA of matrices that are not centred", "lab/measures.py", "A, B = A - A.mean(axis=0), B - B.mean(axis=0)", "A, B = A * 1.0, B * 1.0",
             "tests/lab/test_measures.py"),
]  # fmt: skip
