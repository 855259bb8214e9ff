"""Transforms of pictures: what each does to a pixel, against torch and Pillow; seeds give the same again."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch

from minilift.images.transforms import (
    Augment,
    AutoAugment,
    Compose,
    GaussianBlur,
    Normalize,
    RandomAffine,
    RandomChoice,
    RandomErasing,
    RandomHorizontalFlip,
    RandomPerspective,
    RandomQuarterTurn,
    RandomRotation,
    RandomSpeckle,
    RandomTranslation,
    SaltAndPepper,
    ToTensor,
    adjust,
)
from minilift.images.transforms.compose import Transform
from minilift.images.transforms.policy import CHANGES, CIFAR10, read_policy
from minilift.images.transforms.turns import moved
from minilift.images.transforms.warps import affine_inverse, homography, warp
from minilift.ops import get_ops

ALL: dict[str, Callable[[], Transform]] = {
    "flip": RandomHorizontalFlip, "translation": RandomTranslation, "turn": RandomQuarterTurn,
    "speckle": RandomSpeckle, "salt and pepper": SaltAndPepper, "blur": GaussianBlur,
    "erasing": lambda: RandomErasing(0.8), "rotation": RandomRotation, "affine": RandomAffine,
    "perspective": RandomPerspective, "policy": AutoAugment,
    "choice": lambda: RandomChoice([RandomSpeckle(p=1.0), SaltAndPepper(p=1.0)]),
    "several": lambda: Compose([ToTensor(), RandomHorizontalFlip(), RandomTranslation(), AutoAugment()]),
}  # fmt: skip


def pictures(n: int = 6, channels: int = 3, side: int = 12, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).random((n, channels, side, side), np.float32)


def rng(seed: int = 1) -> np.random.Generator:
    return np.random.default_rng(seed)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("name", ALL)
def test_every_transform_changes_some_and_keeps_shape_range_and_what_it_was_given(
    name: str, channels: int
) -> None:
    images = pictures(60, channels)
    before = images.copy()
    out = ALL[name]()(images, rng())
    np.testing.assert_array_equal(images, before)
    assert (out.shape, out.dtype) == (images.shape, np.float32)
    assert np.isfinite(out).all()
    assert out.min() >= -1e-6
    assert out.max() <= 1 + 1e-6
    assert (out != images).any()
    np.testing.assert_array_equal(out, ALL[name]()(images, rng()))
    assert (out != ALL[name]()(images, rng(2))).any()


def test_flips_turns_and_translations_move_whole_pixels() -> None:
    images = pictures(400)
    flipped = RandomHorizontalFlip(0.25)(images, rng())
    mirrored = (flipped == images[..., ::-1]).all(axis=(1, 2, 3))
    assert ((flipped == images).all(axis=(1, 2, 3)) ^ mirrored).all()
    assert 0.18 < mirrored.mean() < 0.32
    turned = RandomQuarterTurn((1, 2))(images, rng())
    left, half = ((turned == np.rot90(images, k, (2, 3))).all(axis=(1, 2, 3)) for k in (1, 2))
    assert (left ^ half).all()
    assert 0.4 < left.mean() < 0.6
    out = moved(images[:1], np.array([2]), np.array([-3]), 0.5)
    np.testing.assert_array_equal(out[:, :, :-3, 2:], images[:1, :, 3:, :-2])
    assert (out[:, :, -3:] == 0.5).all()
    assert (out[:, :, :, :2] == 0.5).all()
    ones = np.ones((500, 1, 8, 8), np.float32)
    kept = RandomTranslation(1.0, 0.25)(ones, rng()).sum(axis=(1, 2, 3))
    assert set(kept) == {a * b for a in (6, 7, 8) for b in (6, 7, 8)}


def test_noise_has_the_spread_and_the_share_that_it_is_given() -> None:
    grey = np.full((50, 1, 40, 40), 0.5, np.float32)
    out = RandomSpeckle(0.1, p=1.0)(grey, rng())
    assert abs(out.std() - 0.05) < 5e-4
    assert abs(out.mean() - 0.5) < 1e-3
    out = SaltAndPepper(1.0, 0.1)(np.repeat(grey, 3, axis=1), rng())
    assert abs((out == 1).mean() - 0.05) < 5e-3
    assert abs((out == 0).mean() - 0.05) < 5e-3
    assert ((out[:, 0] == out[:, 1]) & (out[:, 1] == out[:, 2])).all()


def test_erased_rectangles_have_area_and_ratio_in_their_ranges() -> None:
    out = RandomErasing(1.0, (0.1, 0.2), (0.5, 2.0), 0.25)(np.ones((300, 2, 60, 50), np.float32), rng())
    hole = out[:, 0] == 0.25
    np.testing.assert_array_equal(hole, out[:, 1] == 0.25)
    height, width = hole.any(axis=2).sum(axis=1), hole.any(axis=1).sum(axis=1)
    np.testing.assert_array_equal(hole.sum(axis=(1, 2)), height * width)
    assert 0.09 < (height * width).min() / 3000 < 0.12
    assert 0.18 < (height * width).max() / 3000 < 0.21
    assert 0.45 < (height / width).min() < 0.6
    assert 1.7 < (height / width).max() < 2.2


def test_blur_is_that_of_torch() -> None:
    images = pictures(3)
    out = GaussianBlur(5, (0.7, 0.7))(images, rng())
    kernel = torch.exp(-0.5 * (torch.arange(-2.0, 3.0) / 0.7) ** 2)
    kernel = torch.outer(kernel, kernel) / kernel.sum() ** 2
    wide = torch.nn.functional.pad(torch.from_numpy(images), (2, 2, 2, 2), mode="reflect")
    expected = torch.nn.functional.conv2d(wide, kernel.expand(3, 1, 5, 5), groups=3)
    np.testing.assert_allclose(out, expected.numpy(), atol=2e-6)


@pytest.mark.parametrize("shape", [(2, 12, 12), (1, 9, 14)])
def test_warps_are_those_of_torch(shape: tuple[int, int, int]) -> None:
    images = np.random.default_rng(3).random((4, *shape), np.float32)
    height, width = shape[1:]
    draws = rng()
    inverse = affine_inverse(
        draws.uniform(-40, 40, 4),
        draws.uniform(-3, 3, (4, 2)),
        draws.uniform(0.7, 1.5, 4),
        draws.uniform(-20, 20, 4),
    )
    # torch's grid has the picture from -1 to 1 in both directions
    units = np.diag([width / 2, height / 2, 1])
    theta = torch.from_numpy((np.linalg.inv(units) @ inverse @ units)[:, :2]).float()
    grid = torch.nn.functional.affine_grid(theta, [4, *shape], align_corners=False)
    expected = torch.nn.functional.grid_sample(torch.from_numpy(images), grid, align_corners=False)
    np.testing.assert_allclose(warp(images, inverse), expected.numpy(), atol=2e-5)


def test_affine_maps_turn_clockwise_scale_and_move() -> None:
    image = np.zeros((1, 1, 11, 11), np.float32)
    image[0, 0, 5, 8] = 1  # three to the right of the middle
    out = warp(image, affine_inverse(np.array([90.0]), np.array([[1.0, 0.0]]), np.array([1.0])))
    assert np.unravel_index(out[0, 0].argmax(), (11, 11)) == (8, 6)  # three below, and one to the right
    assert abs(out.sum() - 1) < 1e-5
    turned = RandomRotation((90, 90))(pictures(2), rng())
    np.testing.assert_allclose(turned, np.rot90(pictures(2), -1, (2, 3)), atol=1e-5)


def test_perspective_takes_corners_to_corners() -> None:
    corners = np.array([[[-5, -5], [5, -5], [5, 5], [-5, 5]]], float)
    source = corners * 0.8 + [[[1, 0], [0, 1], [0, 0], [0.5, 0]]]
    there = homography(source, corners) @ np.concatenate([source, np.ones((1, 4, 1))], axis=2).transpose(
        0, 2, 1
    )
    np.testing.assert_allclose((there[:, :2] / there[:, 2:]).transpose(0, 2, 1), corners, atol=1e-9)
    images = pictures(3)
    np.testing.assert_allclose(RandomPerspective(0.0, 1.0)(images, rng()), images, atol=1e-5)


def test_adjustments_are_those_of_pillow() -> None:
    image_of = pytest.importorskip("PIL.Image")
    from PIL import ImageEnhance, ImageOps

    values = np.random.default_rng(1).integers(30, 180, (5, 40, 45, 3)).astype(np.uint8)
    values[0] = values[0] // 32 * 32  # few levels
    images = (values.transpose(0, 3, 1, 2) / 255).astype(np.float32)
    n = len(values)
    cases = {
        "equalize": (adjust.equalize, 0, ImageOps.equalize, 0.01),
        "autocontrast": (adjust.autocontrast, 0, ImageOps.autocontrast, 1.01),
        "posterize": (adjust.posterize, 3, lambda image: ImageOps.posterize(image, 3), 0.01),
        "solarize": (adjust.solarize, 100, lambda image: ImageOps.solarize(image, 100), 0.01),
        "invert": (adjust.invert, 0, ImageOps.invert, 0.01),
        "brightness": (
            adjust.brightness,
            1.4,
            lambda image: ImageEnhance.Brightness(image).enhance(1.4),
            1.01,
        ),
        "contrast": (adjust.contrast, 0.5, lambda image: ImageEnhance.Contrast(image).enhance(0.5), 1.3),
        "colour": (adjust.colour, 1.7, lambda image: ImageEnhance.Color(image).enhance(1.7), 2.0),
        "sharpness": (adjust.sharpness, 1.6, lambda image: ImageEnhance.Sharpness(image).enhance(1.6), 1.6),
    }
    for name, (change, amount, theirs, tolerance) in cases.items():
        out = change(images, np.full(n, float(amount))) * 255
        expected = [np.asarray(theirs(image_of.fromarray(value))) for value in values]
        np.testing.assert_allclose(out.transpose(0, 2, 3, 1), expected, atol=tolerance, err_msg=name)


def test_the_policy_is_the_papers() -> None:
    pairs = read_policy(CIFAR10)
    assert len(pairs) == 25
    assert {name for pair in pairs for name, _, _ in pair} == set(CHANGES)
    inverted = AutoAugment("invert 1 0, invert 0 0")(pictures(), rng())
    np.testing.assert_allclose(inverted, 1 - pictures(), atol=1e-7)
    both = AutoAugment("translate_y 1 9, translate_y 0 9")(np.ones((300, 1, 32, 32), np.float32), rng())
    rows = both[:, 0, :, 0].sum(axis=1)
    assert set(rows) == {18}  # moved by int(32 * 150 / 331) = 14 up or down
    assert 0.4 < (both[:, 0, 0, 0] == 0).mean() < 0.6
    with pytest.raises(ValueError, match="is no pair of changes"):
        read_policy("invert 1 0")


def test_units_and_choice() -> None:
    whole = np.array([[[[0, 51], [255, 102]]]], np.uint8)
    np.testing.assert_allclose(ToTensor()(whole), [[[[0, 0.2], [1, 0.4]]]], atol=1e-7)
    out = Normalize((0.5, 0.2, 0.1), (0.5, 0.1, 2.0))(pictures())
    np.testing.assert_allclose(out[:, 1], (pictures()[:, 1] - 0.2) / 0.1, rtol=1e-5)
    assert out.dtype == np.float32
    black, white = (lambda part, _, v=v: np.full_like(part, v) for v in (0.0, 1.0))
    chosen = RandomChoice([black, white])(pictures(300, 1, 2), rng()).mean(axis=(1, 2, 3))
    assert set(chosen) == {0, 1}
    assert 0.4 < chosen.mean() < 0.6


def test_normalised_by_themselves_pictures_have_mean_0_and_spread_1() -> None:
    images = pictures()
    out = Normalize.by(images)(images)
    np.testing.assert_allclose(out.mean(axis=(0, 2, 3)), 0, atol=1e-5)
    np.testing.assert_allclose(out.std(axis=(0, 2, 3)), 1, atol=1e-5)


def test_augmented_batches_depend_on_seed_and_step_alone() -> None:
    ops, images, labels = get_ops("cpu"), pictures(), np.arange(6)
    augment = Augment(RandomRotation(), 7, ops)
    first, y = augment(3, images, labels)
    first = first.copy()
    assert y is labels
    augment(4, images, labels)
    np.testing.assert_array_equal(Augment(RandomRotation(), 7, ops)(3, images, labels)[0], first)
    assert (augment(4, images, labels)[0] != first).any()
    assert (Augment(RandomRotation(), 8, ops)(3, images, labels)[0] != first).any()


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: RandomHorizontalFlip(1.5), "p must lie between 0 and 1"),
        (lambda: GaussianBlur(4), "must be odd"),
        (lambda: Normalize((0.5,), (0.0,)), "std more than 0"),
        (lambda: RandomAffine(scale=(0, 1)), "scale"),
        (lambda: RandomErasing(ratio=(0, 1)), "must be ranges"),
        (lambda: RandomQuarterTurn()(np.zeros((1, 1, 2, 3), np.float32), rng()), "not square"),
        (lambda: GaussianBlur(5)(np.zeros((1, 1, 2, 9), np.float32), rng()), "too small"),
    ],
)
def test_what_cannot_be_is_said(make: Callable[[], object], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        make()
