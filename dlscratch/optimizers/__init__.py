"""Optimizers: each is its formula on one vector of parameters. Names, arguments and defaults are PyTorch's."""

from .adam import Adam, Adamax, AdamW, NAdam, RAdam
from .adaptive import Adadelta, Adagrad, RMSprop
from .averaging import EMA, SWA, AveragedModel, get_ema_avg_fn, get_swa_avg_fn, update_bn
from .base import Optimizer
from .clipping import clip_grad_norm, clip_grad_value
from .cycles import CosineAnnealingLR, CosineAnnealingWarmRestarts, OneCycleLR, SWALR
from .lbfgs import LBFGS
from .matrix import LAMB, Adafactor, Muon, Shampoo, orthogonalize
from .schedule_free import ScheduleFreeAdamW, ScheduleFreeSGD
from .schedules import (
    WSD,
    ExponentialLR,
    LinearLR,
    MultiStepLR,
    PolynomialLR,
    ReduceLROnPlateau,
    Schedule,
    SequentialLR,
    StepLR,
)
from .sgd import SGD, Lion
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
    "clip_grad_norm",
    "clip_grad_value",
    "EMA",
    "SWA",
    "AveragedModel",
    "get_ema_avg_fn",
    "get_swa_avg_fn",
    "update_bn",
    "Schedule",
    "StepLR",
    "MultiStepLR",
    "ExponentialLR",
    "CosineAnnealingLR",
    "CosineAnnealingWarmRestarts",
    "OneCycleLR",
    "SWALR",
    "PolynomialLR",
    "LinearLR",
    "SequentialLR",
    "WSD",
    "ReduceLROnPlateau",
]
