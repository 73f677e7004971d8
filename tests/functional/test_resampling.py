"""Interpolation, pixel shuffle and padding equal PyTorch's."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dlscratch import functional as F
from tests.parity import same

ones = np.ones
few = settings(max_examples=15, deadline=None)
sizes = st.integers(1, 9)


def torch(name):
    return getattr(pytest.importorskip("torch").nn.functional, name)


def image(*shape):
    return np.random.default_rng(sum(shape)).normal(size=shape)


@few
@given(sizes, sizes, st.tuples(sizes, sizes), st.sampled_from(["nearest", "bilinear", "corners"]))
def test_interpolate_to_a_size_equals_torch(H, W, size, mode):
    options = {"mode": "bilinear", "align_corners": True} if mode == "corners" else {"mode": mode}
    same(
        lambda a: F.interpolate(a, size, **options),
        lambda a: torch("interpolate")(a, size, **options),
        image(2, 3, H, W),
    )


@few
@given(
    sizes,
    sizes,
    st.sampled_from([1.0, 1.5, 2, 3, 2.3, (2, 1.5)]),
    st.sampled_from(["nearest", "bilinear", "corners"]),
)
def test_interpolate_by_a_factor_equals_torch(H, W, scale, mode):
    options = {"mode": "bilinear", "align_corners": True} if mode == "corners" else {"mode": mode}
    ours = lambda a: F.interpolate(a, scale_factor=scale, **options)
    same(ours, lambda a: torch("interpolate")(a, scale_factor=scale, **options), image(2, 3, H, W))


@few
@given(sizes, sizes, sizes, st.integers(2, 9))
def test_interpolate_without_aliases_equals_torch(
    H, W, h, w
):  # to one column PyTorch 2.13 repeats its first row: 2 to 9 here
    options = {"size": (h, w), "mode": "bilinear", "antialias": True}
    same(
        lambda a: F.interpolate(a, **options),
        lambda a: torch("interpolate")(a, **options),
        image(2, 3, H, W),
    )


@few
@given(
    sizes,
    sizes,
    st.floats(1, 3),
    st.sampled_from(["nearest", "bilinear"]),
    st.sampled_from([None, True, False]),
)
def test_interpolate_by_recomputed_factors_equals_torch(H, W, scale, mode, again):
    options = {
        "scale_factor": scale,
        "mode": mode,
        "recompute_scale_factor": again if mode == "bilinear" else True,
    }
    same(
        lambda a: F.interpolate(a, **options),
        lambda a: torch("interpolate")(a, **options),
        image(2, 3, H, W),
    )


@pytest.mark.parametrize("mode", ["nearest", "linear"])
def test_interpolate_a_sequence_equals_torch(mode):
    same(
        lambda a: F.interpolate(a, 7, mode=mode),
        lambda a: torch("interpolate")(a, 7, mode=mode),
        image(2, 3, 5),
    )


def test_nearest_pixels_are_exact_and_torch_s():
    """In float64, where PyTorch's ⌊i n / m⌋ is exact for sequences; ours is for all."""
    tensor = pytest.importorskip("torch").tensor
    for n in range(1, 24):
        x = np.arange(float(n)).reshape(1, 1, n)
        for m in range(1, 60):
            y = F.interpolate(x, m)
            np.testing.assert_array_equal(
                y, torch("interpolate")(tensor(x), m).numpy(), err_msg=f"{n} to {m}"
            )
            np.testing.assert_array_equal(F.interpolate(x[None], (1, m))[0], y)


@few
@given(st.integers(1, 3), st.integers(1, 2), st.integers(1, 3), st.sampled_from([(), (2,), (2, 2)]))
def test_pixel_shuffle_equals_torch(r, C, H, lead):
    same(
        lambda a: F.pixel_shuffle(a, r),
        lambda a: torch("pixel_shuffle")(a, r),
        image(*lead, C * r * r, H, 2),
    )


@few
@given(
    st.sampled_from(["constant", "reflect", "replicate", "circular"]),
    st.tuples(*[st.integers(0, 3)] * 4),
    st.booleans(),
)
def test_pad_equals_torch(mode, width, whole):
    x, width = image(2, 3, 4, 5), width if whole else width[:2]
    x = x if whole else x[0]
    same(lambda a: F.pad(a, width, mode), lambda a: torch("pad")(a, width, mode), x)
    if mode == "constant":
        same(lambda a: F.pad(a, width, value=1.5), lambda a: torch("pad")(a, width, value=1.5), x)


@pytest.mark.parametrize(
    "call, error, message",
    [
        (lambda: F.interpolate(ones((1, 1, 4, 4)), 8, 2), ValueError, "want one of the two"),
        (lambda: F.interpolate(ones((1, 1, 4, 4))), ValueError, "want one of the two"),
        (
            lambda: F.interpolate(ones((1, 1, 4, 4)), 8, mode="linear"),
            ValueError,
            "mode 'linear'; want",
        ),
        (lambda: F.interpolate(ones((4, 4)), 8), ValueError, r"input \(4, 4\)"),
        (
            lambda: F.interpolate(ones((1, 1, 4, 4)), scale_factor=0.1),
            ValueError,
            "leaves no pixels",
        ),
        (
            lambda: F.interpolate(ones((1, 1, 4, 4), int), 8, mode="bilinear"),
            TypeError,
            "make it float first",
        ),
        (lambda: F.pixel_shuffle(ones((1, 6, 2, 2)), 2), ValueError, r"want \(..., C·4, H, W\)"),
        (lambda: F.pad(ones((2, 2)), (1,)), ValueError, "two numbers"),
        (lambda: F.pad(ones((2, 2)), (-2, -1)), ValueError, "cuts all of an axis off"),
        (lambda: F.pad(ones((2, 2)), (1, 1), "edge"), ValueError, "mode 'edge'"),
        (
            lambda: F.pad(ones((2, 2)), (2, 0), "reflect"),
            ValueError,
            "at most the size of the axis - 1",
        ),
        (
            lambda: F.pad(ones((2, 2)), (3, 0), "circular"),
            ValueError,
            "at most the size of the axis",
        ),
    ],
)
def test_bad_input(call, error, message):
    with pytest.raises(error, match=message):
        call()


@few
@given(sizes, sizes, st.tuples(sizes, sizes), st.sampled_from([1.5, 2, 2.3, (2, 1.5)]))
def test_the_nearest_centre_is_torch_s(H, W, size, scale):
    x = image(2, 3, H, W)
    for options in ({"size": size}, {"scale_factor": scale}):
        same(
            lambda a, o=options: F.interpolate(a, mode="nearest-exact", **o),
            lambda a, o=options: torch("interpolate")(a, mode="nearest-exact", **o),
            x,
        )


@few
@given(
    st.sampled_from(["constant", "reflect", "replicate", "circular"]),
    st.tuples(*[st.integers(-1, 2)] * 4),
)
def test_negative_padding_cuts_off_as_in_torch(mode, width):
    same(lambda a: F.pad(a, width, mode), lambda a: torch("pad")(a, width, mode), image(2, 3, 4, 5))
