"""Every public callable refuses a wrong shape, dtype, range or option, and says what it wanted."""

import inspect
import re

import numpy as np
import pandas
import pytest

import dlscratch
from dlscratch import (
    Tensor,
    checkpoints,
    data,
    files,
    functional,
    initializers,
    lab,
    layers,
    losses,
    models,
    optimizers,
    progress,
    testing,
    training,
)
from dlscratch import functional as F
from dlscratch.data import memmap
from dlscratch.lab import curvature, landscape, measures, plot
from dlscratch.layers.function import Function

x, image, ids = np.ones((2, 3)), np.ones((2, 3, 5, 5)), np.array([[0, 1]])
rng = np.random.default_rng
words = np.array(["a"])
net = lambda: layers.Sequential(layers.Linear(3, 2, rng=0))
adam = lambda: optimizers.Adam(net().parameters())

BAD = {
    "dlscratch": {
        "Tensor": lambda: Tensor(ids, requires_grad=True),
        "default_dtype": lambda: dlscratch.default_dtype("int64"),
        **{
            name: lambda name=name: getattr(dlscratch, name)(np.sin)(x)
            for name in "grad value_and_grad hessian".split()
        },
        "jacobian": lambda: dlscratch.jacobian(np.sin)(ids),
        "gradients": lambda: dlscratch.gradients(y := Tensor(x, requires_grad=True), [y]),
        "vjp": lambda: dlscratch.vjp(np.sin, x)[1](np.ones(7)),
        "checkpoint": lambda: dlscratch.checkpoint(F.linear, Tensor(x), x.T),
        **{
            name: lambda name=name: getattr(dlscratch, name)(np.sum, x, np.ones(7))
            for name in "jvp hvp".split()
        },
    },
    "functional": {
        **{
            name: lambda name=name: getattr(F, name)(words)
            for name in (
                "relu sigmoid tanh softmax log_softmax leaky_relu elu selu silu mish softplus "
                "logsigmoid"
            ).split()
        },
        "gelu": lambda: F.gelu(x, approximate="erf"),
        "prelu": lambda: F.prelu(x, np.ones(2)),
        "hardtanh": lambda: F.hardtanh(x, 1, 0),
        "glu": lambda: F.glu(x),
        "gumbel_softmax": lambda: F.gumbel_softmax(x, tau=0),
        "linear": lambda: F.linear(x, np.ones((4, 5))),
        "embedding": lambda: F.embedding(x, x),
        "one_hot": lambda: F.one_hot(ids, 1),
        "conv1d": lambda: F.conv1d(x, np.ones((4, 3, 2))),
        "conv2d": lambda: F.conv2d(image, np.ones((4, 2, 3, 3))),
        "conv_transpose1d": lambda: F.conv_transpose1d(x, np.ones((3, 2, 2))),
        "conv_transpose2d": lambda: F.conv_transpose2d(x, x),
        "max_pool1d": lambda: F.max_pool1d(np.ones(3), 2),
        "max_pool2d": lambda: F.max_pool2d(image, 9),
        "avg_pool1d": lambda: F.avg_pool1d(np.ones(3), 2),
        "avg_pool2d": lambda: F.avg_pool2d(image, 2, padding=2),
        "adaptive_avg_pool2d": lambda: F.adaptive_avg_pool2d(image, 0),
        "adaptive_avg_pool1d": lambda: F.adaptive_avg_pool1d(image, 2),
        "unfold": lambda: F.unfold(image, 9),
        "fold": lambda: F.fold(x, (4, 4), 2),
        "interpolate": lambda: F.interpolate(image, mode="cubic", size=3),
        "pixel_shuffle": lambda: F.pixel_shuffle(image, 2),
        "pad": lambda: F.pad(image, (1,)),
        "dropout": lambda: F.dropout(x, 1.5),
        "alpha_dropout": lambda: F.alpha_dropout(x, 2),
        "drop_path": lambda: F.drop_path(x, -1),
        "layer_norm": lambda: F.layer_norm(x, 4),
        "batch_norm": lambda: F.batch_norm(x, None, None),
        "instance_norm": lambda: F.instance_norm(x),
        "group_norm": lambda: F.group_norm(x, 2),
        "rms_norm": lambda: F.rms_norm(x, 4),
        "weight_norm": lambda: F.weight_norm(x, np.ones(3)),
        "spectral_norm": lambda: F.spectral_norm(x, np.ones(3), np.ones(3)),
        "normalize": lambda: F.normalize(x, axis=2),
        "cosine_similarity": lambda: F.cosine_similarity(x, np.ones((2, 4))),
        **{
            name: lambda name=name: getattr(F, name)(x, x[:1])
            for name in (
                "mse_loss l1_loss smooth_l1_loss huber_loss quantile_loss poisson_nll_loss kl_div "
                "hinge_loss binary_cross_entropy binary_cross_entropy_with_logits info_nce"
            ).split()
        },
        **{
            name: lambda name=name: getattr(F, name)(x, np.array([0, 3]))
            for name in "cross_entropy nll_loss focal_loss".split()
        },
        "gaussian_nll_loss": lambda: F.gaussian_nll_loss(x, x, -x),
        "triplet_margin_loss": lambda: F.triplet_margin_loss(x, x, x[:1]),
        "cosine_embedding_loss": lambda: F.cosine_embedding_loss(x, x, x[:, 0] * 0),
        "ctc_loss": lambda: F.ctc_loss(x, ids, [1], [1]),
        "rnn": lambda: F.rnn(x, x, x, x),
        "lstm": lambda: F.lstm(x, x, x, x, x),
        "gru": lambda: F.gru(x, x, x, x),
        "scaled_dot_product_attention": lambda: F.scaled_dot_product_attention(x, x.T, x),
        "tiled_attention": lambda: F.tiled_attention(x, x, x, block=0),
        "rotary": lambda: F.rotary(x),
        "alibi": lambda: F.alibi(0, 3),
        "sinusoidal": lambda: F.sinusoidal(3, 3),
    },
    "layers": {
        "Module": lambda: layers.Module()(x),
        "Sequential": lambda: layers.Sequential(np.tanh),
        "ModuleList": lambda: layers.ModuleList([np.tanh]),
        "ModuleDict": lambda: layers.ModuleDict({"tanh": np.tanh}),
        "functional_call": lambda: layers.functional_call(net(), {"no such name": x}, x),
        "Parameter": lambda: layers.Parameter(ids),
        "Parameters": lambda: layers.Parameters([]),
        "Linear": lambda: layers.Linear(4, 2)(x),
        "Flatten": lambda: layers.Flatten(2)(x),
        "Embedding": lambda: layers.Embedding(1, 2)(ids),
        "summary": lambda: layers.summary(net()),
        "Conv1d": lambda: layers.Conv1d(3, 4, 2, groups=2),
        "Conv2d": lambda: layers.Conv2d(2, 4, 3)(image),
        "ConvTranspose1d": lambda: layers.ConvTranspose1d(3, 4, 2)(x),
        "ConvTranspose2d": lambda: layers.ConvTranspose2d(2, 4, 3)(image),
        **{
            name: lambda name=name: getattr(layers, name)(4)(x)
            for name in (
                "LayerNorm RMSNorm BatchNorm1d BatchNorm2d InstanceNorm1d InstanceNorm2d"
            ).split()
        },
        "GroupNorm": lambda: layers.GroupNorm(2, 3),
        "PReLU": lambda: layers.PReLU(4)(x),
        "weight_norm": lambda: layers.weight_norm(layers.ReLU()),
        "spectral_norm": lambda: layers.spectral_norm(layers.ReLU()),
        **{
            name: lambda name=name: getattr(layers, name)(1.5)
            for name in "Dropout AlphaDropout DropPath".split()
        },
        **{
            name: lambda name=name: getattr(layers, name)(4, 2)(x)
            for name in "RNN LSTM GRU RNNCell LSTMCell GRUCell".split()
        },
        "MultiheadAttention": lambda: layers.MultiheadAttention(4, 3),
        "TransformerEncoder": lambda: layers.TransformerEncoder(layers.ReLU, 0),
        "TransformerDecoder": lambda: layers.TransformerDecoder(layers.ReLU, 1),
        "TransformerEncoderLayer": lambda: layers.TransformerEncoderLayer(4, 2, activation="tanh"),
        "TransformerDecoderLayer": lambda: layers.TransformerDecoderLayer(4, 2)(x, x),
    },
    "optimizers": {
        "Optimizer": lambda: optimizers.Optimizer(net().parameters(), 1.0).step(),
        "orthogonalize": lambda: optimizers.orthogonalize(np.ones(3)),
        "LBFGS": lambda: optimizers.LBFGS(net().parameters()).step(),
        "SAM": lambda: optimizers.SAM(adam()).step(),
        "Muon": lambda: optimizers.Muon(net().parameters()),
        "clip_grad_norm_": lambda: optimizers.clip_grad_norm_(net().parameters(), 0),
        "clip_grad_value_": lambda: optimizers.clip_grad_value_(net().parameters(), 0),
        "EMA": lambda: optimizers.EMA(net().parameters(), 2),
        "SWA": lambda: optimizers.SWA(net().parameters()).load_state_dict(
            {"x": np.ones(3), "n": 1}
        ),
        "Schedule": lambda: optimizers.Schedule(adam()),
        "LambdaLR": lambda: optimizers.LambdaLR(adam(), [abs, abs]),
        "MultiplicativeLR": lambda: optimizers.MultiplicativeLR(adam(), [abs, abs]),
        "ConstantLR": lambda: optimizers.ConstantLR(adam(), 2.0),
        "ChainedScheduler": lambda: optimizers.ChainedScheduler([]),
        "StepLR": lambda: optimizers.StepLR(adam(), 0),
        "MultiStepLR": lambda: optimizers.MultiStepLR(adam(), [-1]),
        "ExponentialLR": lambda: optimizers.ExponentialLR(adam(), -0.5),
        "CosineAnnealingLR": lambda: optimizers.CosineAnnealingLR(adam(), 0),
        "OneCycleLR": lambda: optimizers.OneCycleLR(adam(), 0.1, total_steps=0),
        "CosineAnnealingWarmRestarts": lambda: optimizers.CosineAnnealingWarmRestarts(adam(), 0),
        "PolynomialLR": lambda: optimizers.PolynomialLR(adam(), 0),
        "LinearLR": lambda: optimizers.LinearLR(adam(), 2.0),
        "SequentialLR": lambda: optimizers.SequentialLR(adam(), [], [1]),
        "WSD": lambda: optimizers.WSD(adam(), -1, 1, 1),
        "ReduceLROnPlateau": lambda: optimizers.ReduceLROnPlateau(adam(), mode="least"),
        "SWALR": lambda: optimizers.SWALR(adam(), 0.1, anneal_epochs=-1),
        "get_ema_avg_fn": lambda: optimizers.get_ema_avg_fn(2),
        "AveragedModel": lambda: optimizers.AveragedModel(net()).update_parameters(
            layers.Linear(3, 2)
        ),
        "update_bn": lambda: optimizers.update_bn(
            [x], layers.Sequential(layers.Linear(4, 2), layers.BatchNorm1d(2))
        ),
    },
    "initializers": {
        **{
            name: lambda name=name: getattr(initializers, name)(rng(0), (3,))
            for name in (
                "xavier_normal xavier_uniform kaiming_normal kaiming_uniform dirac"
            ).split()
        },
        "fans": lambda: initializers.fans((3,)),
        "zeros": lambda: initializers.zeros(None, (-1,)),
        "ones": lambda: initializers.ones(None, (-1,)),
        "normal": lambda: initializers.normal(rng(0), (2, 2), std=-1.0),
        "uniform": lambda: initializers.uniform(rng(0), (2, 2), 1, 0),
        "orthogonal": lambda: initializers.orthogonal(rng(0), (3,)),
        "trunc_normal": lambda: initializers.trunc_normal(rng(0), 3, a=9, b=10),
        "calculate_gain": lambda: initializers.calculate_gain("cube"),
        "mup": lambda: initializers.mup((3, 3), (3,)),
        "lsuv": lambda: initializers.lsuv(
            layers.Sequential(layers.Linear(3, 3, bias=False)), 0 * x
        ),
    },
    "data": {
        "split": lambda: data.split(x, x[:1]),
        "digits": lambda: data.digits(test_fraction=2),
        "mnist1d": lambda: data.mnist1d(n=0),
        "table": lambda: data.table("titanic"),
        "photograph": lambda: data.photograph("cat"),
        **{
            name: lambda name=name: getattr(data, name)(rng(0), 0)
            for name in "moons circles spirals xor blobs".split()
        },
        "batches": lambda: next(data.batches(rng(0), x, x[:1], size=1)),
        "read_idx": lambda: data.read_idx(__file__),
        "read_cifar10": lambda: data.read_cifar10(__file__),
        **{
            name: lambda name=name: getattr(data, name)(rng(0), 0)
            for name in (
                "teacher_student sparse_parity planted_graphs correlated_gaussians scenes markov "
                "hold_symbol"
            ).split()
        },
        "modular_arithmetic": lambda: data.modular_arithmetic(rng(0), 97, "**"),
        "Grammar": lambda: data.Grammar(x, ids).check(),
        "CharTokenizer": lambda: data.CharTokenizer(""),
        "BPETokenizer": lambda: data.BPETokenizer([(999, 1)]),
        "random_crop": lambda: data.random_crop(rng(0), image, 99),
        "random_shift": lambda: data.random_shift(rng(0), image, -1),
        "random_flip": lambda: data.random_flip(rng(0), image, 2),
        "cutout": lambda: data.cutout(rng(0), image, 0),
        "mixup": lambda: data.mixup(rng(0), image, x, 0),
        "cutmix": lambda: data.cutmix(rng(0), image, x, -1),
    },
    "models": {
        "MLP": lambda: models.MLP([3]),
        "VAE": lambda: models.VAE(3, 2, 4)(x[:, :2], 0),
        "LeNet": lambda: models.LeNet()(image),
        "ResNet": lambda: models.ResNet((1,), (4, 8), 2),
        "UNet": lambda: models.UNet(3, 2, 2, 1)(image),
        "LSTMLanguageModel": lambda: models.LSTMLanguageModel(1, 4)(ids),
        "GPT": lambda: models.GPT(2, 1)(ids),
        "BERT": lambda: models.BERT(2, 4)(ids[0]),
        "ViT": lambda: models.ViT(8, 3, 2),
    },
    "training": {
        "fit": lambda: training.fit(net(), losses.mse_loss, adam(), (x, x), accumulate=0),
        "evaluate": lambda: training.evaluate(net(), losses.mse_loss, (x, x)),
        "accuracy": lambda: training.accuracy(x, np.array([0])),
        "train": lambda: training.train(
            training.Run(net(), losses.mse_loss, adam(), (x, x), rng(0), epochs=1, batch_size=0)
        ),
        "Run": lambda: training.Run(net(), losses.mse_loss, adam(), (x, x), rng(0), 1, 0).batches(),
        "AfterBackward": lambda: training.AfterBackward(3),
        "Evaluation": lambda: training.Evaluation("test", x),
        "GradientClipping": lambda: training.GradientClipping(-1.0),
        "Scheduling": lambda: training.Scheduling("cosine"),
        "WeightAveraging": lambda: training.WeightAveraging(0.99),
        "EarlyStopping": lambda: training.EarlyStopping(0),
        "Checkpointing": lambda: training.Checkpointing(3),
        "TensorBoard": lambda: training.TensorBoard(__file__),
    },
    "files": {
        "write_whole": lambda: files.write_whole("/no/such/folder/x", b""),
        "whole": lambda: files.whole("/no/such/folder/x").__enter__(),
    },
    "progress": {"bar": lambda: progress.bar(3, "numbers")},
    "checkpoints": {
        "save": lambda: checkpoints.save(net(), "/no/such/folder/x"),
        "load": lambda: checkpoints.load(net(), __file__),
        "read": lambda: checkpoints.read(__file__),
        "save_checkpoint": lambda: checkpoints.save_checkpoint(
            "/no/such/folder/x", net(), adam(), rng(0)
        ),
        "load_checkpoint": lambda: checkpoints.load_checkpoint(__file__, net(), adam(), rng(0)),
    },
    "curvature": {
        "hessian_product": lambda: curvature.hessian_product(lambda: 1.0, net().parameters())(
            np.ones(8)
        ),
        "power_iteration": lambda: curvature.power_iteration(lambda v: v * np.nan, 3),
        "lanczos": lambda: curvature.lanczos(lambda v: v, 0),
        "hutchinson": lambda: curvature.hutchinson(lambda v: v, 3, samples=0),
        "spectral_density": lambda: curvature.spectral_density(
            lambda v: v, 3, np.linspace(0, 1), probes=0
        ),
    },
    "landscape": {
        "filter_direction": lambda: landscape.filter_direction([]),
        "slice_along": lambda: landscape.slice_along(
            lambda: 1.0, net().parameters(), np.ones(3), [0]
        ),
        "surface": lambda: landscape.surface(
            lambda: 1.0, net().parameters(), np.ones(3), np.ones(8), [0], [0]
        ),
        "path": lambda: landscape.path(lambda: 1.0, net().parameters(), np.ones(3), np.ones(8)),
        "barrier": lambda: landscape.barrier([1.0]),
    },
    "measures": {
        "saturation": lambda: measures.saturation(x, 1, 0),
        "cka": lambda: measures.cka(x, x[:1]),
        **{
            name: lambda name=name: getattr(measures, name)(np.ones(3))
            for name in ("effective_rank", "dead_units")
        },
    },
    "memmap": {
        "write": lambda: memmap.write("/tmp/no.npy", []),
        "open": lambda: memmap.open(__file__),
    },
    "lab": {
        "claim": lambda: lab.claim("it is so", True, above=0),
        "check": lambda: lab.check("it is so", True, above=0),
        "interval": lambda: lab.interval([1.0]),
        "StackedMLP": lambda: lab.StackedMLP([64]),
        "steady_rate": lambda: lab.steady_rate([0.1], [0.2]),
        "source": lambda: lab.source(3),
        "probe": lambda: lab.probe(net()).record(),
    },
    "plot": {
        "curves": lambda: plot.curves([0, 1], {"a": np.ones(3)}),
        "sweep_curves": lambda: plot.sweep_curves(
            pandas.DataFrame({"lr": [1, 1], "seed": [0, 0], "loss": [2.0, 3.0]}), "lr", "loss"
        ),
        "images": lambda: plot.images(x),
        "graph": lambda: plot.graph(x),
        "layers": lambda: plot.layers(np.ones(3)),
        "histograms": lambda: plot.histograms({}),
        "densities": lambda: plot.densities(pandas.DataFrame({"layer": ["a"]})),
        "decision_regions": lambda: plot.decision_regions(lambda x: x[:, 0], x, ids[0]),
        "valley": lambda: plot.valley(np.add, {"a": np.ones(3)}, (0, 1), (0, 1)),
    },
    "testing": {
        "finite_difference": lambda: testing.finite_difference(lambda x: x, ids),
        "gradcheck": lambda: testing.gradcheck(np.sum, x, order=3),
        "relative_error": lambda: testing.relative_error(x, x[:1]),
        "against_torch": lambda: testing.against_torch(
            net(), pytest.importorskip("torch").nn.Linear(3, 2), x
        ),
    },
}
_HELP = (  # what was wanted, or how to repair it; or NumPy's and Python's own words
    "want|must|expected|make|give|need|defines no|pad more|fetch it anew|delete it|no parameters|"
    "but input has|ufunc|out of bounds|missing 1 required|No such file|run forward|reduce it"
)
# what cannot be given anything wrong: containers of results, constants, and names of modules
NONE = {
    "data": {
        "Split",
        "Toy",
        "Scenes",
        "SHAPES",
        "REBER",
        "reber",
        "memmap",
        "mnist",
        "fashion_mnist",
        "cifar10",
        "tiny_shakespeare",
    },
    "dlscratch": {"no_grad", "detect_anomaly"},
    "lab": {"claims", "checks", "plot", "curvature", "landscape", "measures"},
    "optimizers": {"get_swa_avg_fn"},
    "plot": {"COLORS", "style"},
    "training": {"History", "save_checkpoint", "load_checkpoint", "Callback", "ProgressBar"},
    "testing": {"has_torch", "trajectory"},
    "layers": {"Identity"},
}
MODULES = {
    m.__name__.split(".")[-1]: m
    for m in (
        dlscratch,
        functional,
        layers,
        optimizers,
        initializers,
        data,
        memmap,
        models,
        training,
        checkpoints,
        lab,
        plot,
        curvature,
        landscape,
        measures,
        files,
        progress,
        testing,
    )
}


def generic(module, name):
    """Layers that are a function with options, and optimizers, refuse the same things."""
    thing = getattr(MODULES[module], name)
    if inspect.isclass(thing) and issubclass(thing, Function):
        return lambda: thing(no_such_option=1)
    if inspect.isclass(thing) and issubclass(thing, optimizers.Optimizer):
        return lambda: thing(net().parameters(), lr=-1.0)
    raise KeyError(
        f"{module}.{name} is public: which input does it refuse? Add a line to this table"
    )


CASES = [
    (module, name)
    for module, m in MODULES.items()
    for name in m.__all__
    if name not in NONE.get(module, ())
]


@pytest.mark.parametrize("module, name", CASES, ids=lambda x: x)
def test_bad_input_is_told(module, name):
    bad = BAD[module].get(name) or generic(module, name)
    with pytest.raises((ValueError, TypeError, KeyError, OSError, RuntimeError)) as caught:
        bad()
    said = str(caught.value)
    assert re.search(_HELP, said), said


OPTIONS = {  # of what has a line above
    "ceil_mode": lambda: F.max_pool2d(image, 9, 1, ceil_mode=True),
    "return_indices": lambda: F.max_pool1d(image, 2, return_indices=True),
    "divisor_override": lambda: F.avg_pool2d(image, 2, divisor_override=0),
    "ceil_mode of means": lambda: F.avg_pool1d(x[None], 9, 1, ceil_mode=True),
    "track_running_stats": lambda: layers.BatchNorm1d(3, track_running_stats=False).eval()(x[:1]),
    "momentum": lambda: layers.BatchNorm1d(3, momentum=2),
    "momentum of instances": lambda: layers.InstanceNorm1d(3, momentum=-1),
    "running_mean": lambda: F.instance_norm(image, x, x),
    "use_input_stats": lambda: F.instance_norm(image, use_input_stats=False),
    "bias": lambda: layers.GroupNorm(1, 3, bias=True)(x[:, :2]),
    "swap": lambda: F.triplet_margin_loss(x, x, x[:1], swap=True),
    "weight": lambda: F.mse_loss(x, x, weight=x[0]),
    "weight of l1": lambda: F.l1_loss(x, x, weight=x[0]),
    "weight of huber": lambda: F.huber_loss(x, x, weight=x[0]),
    "eps of gumbel": lambda: F.gumbel_softmax(x, eps=1),
    "beta": lambda: F.softplus(x, beta=0),
    "threshold": lambda: layers.Softplus(1.0, 20.0, 3),
    "sparse": lambda: F.embedding(ids, x, sparse=True),
    "max_norm": lambda: F.embedding(ids, 2 * Tensor(x, requires_grad=True), max_norm=1.0),
    "padding_idx": lambda: layers.Embedding(3, 2, 3),
    "_weight": lambda: layers.Embedding(3, 2, _weight=x),
    "from_pretrained": lambda: layers.Embedding.from_pretrained(x[0]),
    "align_corners": lambda: F.interpolate(image, 3, align_corners=True),
    "antialias": lambda: F.interpolate(image, 3, antialias=True),
    "recompute_scale_factor": lambda: F.interpolate(image, 3, recompute_scale_factor=True),
    "value": lambda: F.pad(image, (1, 1), "reflect", 2.0),
    "padding_mode": lambda: layers.ConvTranspose1d(3, 4, 2, padding_mode="reflect"),
    "order": lambda: Tensor(x).ravel("K"),
    **{
        f"{kind} hook": lambda kind=kind: getattr(net(), f"register_{kind}_hook")(3)
        for kind in ("forward_pre", "forward", "full_backward")
    },
}


@pytest.mark.parametrize("bad", OPTIONS.values(), ids=OPTIONS)
def test_bad_option_is_told(bad):
    with pytest.raises((ValueError, TypeError), match=_HELP):
        bad()


def test_no_line_is_stale():
    assert all(name in MODULES[module].__all__ for module, cases in BAD.items() for name in cases)
