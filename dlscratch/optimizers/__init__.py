"""Optimizers: each is its formula. Names, arguments and defaults are PyTorch's."""

from .adam import Adam, Adamax, AdamW, NAdam, RAdam
from .adaptive import Adadelta, Adagrad, RMSprop
from .averaging import EMA, SWA, AveragedModel, get_ema_avg_fn, get_swa_avg_fn, update_bn
from .base import Optimizer
from .clipping import clip_grad_norm_, clip_grad_value_
from .combined import ChainedScheduler, SequentialLR
from .cycles import SWALR, CosineAnnealingLR, CosineAnnealingWarmRestarts, OneCycleLR
from .lbfgs import LBFGS
from .lion import Lion
from .matrix import LAMB, Adafactor, Muon, Shampoo, orthogonalize
from .plateau import ReduceLROnPlateau
from .schedule_free import ScheduleFreeAdamW, ScheduleFreeSGD
from .schedules import (
    WSD,
    ConstantLR,
    ExponentialLR,
    LambdaLR,
    LinearLR,
    MultiplicativeLR,
    MultiStepLR,
    PolynomialLR,
    Schedule,
    StepLR,
)
from .sgd import SGD
from .sharpness import SAM

__all__ = [
    "Optimizer",
    "SGD",
    "Lion",
    "Adagrad",
    "RMSprop",
    "Adadelta",
    "Adam",
    "AdamW",
    "Adamax",
    "NAdam",
    "RAdam",
    "Adafactor",
    "LAMB",
    "Shampoo",
    "Muon",
    "orthogonalize",
    "LBFGS",
    "SAM",
    "ScheduleFreeSGD",
    "ScheduleFreeAdamW",
    "clip_grad_norm_",
    "clip_grad_value_",
    "EMA",
    "SWA",
    "AveragedModel",
    "get_ema_avg_fn",
    "get_swa_avg_fn",
    "update_bn",
    "Schedule",
    "LambdaLR",
    "MultiplicativeLR",
    "StepLR",
    "MultiStepLR",
    "ConstantLR",
    "LinearLR",
    "ExponentialLR",
    "PolynomialLR",
    "WSD",
    "CosineAnnealingLR",
    "CosineAnnealingWarmRestarts",
    "OneCycleLR",
    "SWALR",
    "SequentialLR",
    "ChainedScheduler",
    "ReduceLROnPlateau",
]
