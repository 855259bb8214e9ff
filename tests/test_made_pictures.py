"""Synthetic pictures: the same for the same seed, all classes as often, drawn where they are said to be."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from minilift.images.made import made_digits, made_digits_of_sizes, made_faces, made_garments, made_things
from minilift.images.made.ink import area, ellipse, strokes
from minilift.images.pictures import Pictures


@pytest.mark.parametrize(
    ("made", "shape"), [(made_digits, (1, 28, 28)), (made_garments, (1, 28, 28)), (made_things, (3, 32, 32))]
)
def test_pictures_are_of_all_classes_and_of_their_seed(
    made: Callable[[int, int], Pictures], shape: tuple[int, int, int]
) -> None:
    found = made(105, 3)
    assert (found.shape, len(found), len(found.classes)) == (shape, 105, 10)
    assert set(np.bincount(found.labels)) == {10, 11}
    np.testing.assert_array_equal(made(105, 3).pixels, found.pixels)
    assert (made(105, 4).pixels != found.pixels).any()
    assert len(np.unique(found.pixels, axis=0)) == 105
    # A nearest mean of the classes knows more than a guess, and not everything
    flat, test = found.pixels.reshape(105, -1) / 255, made(100, 9)
    means = np.stack([flat[found.labels == k].mean(axis=0) for k in range(10)])
    distance = ((test.pixels.reshape(100, 1, -1) / 255 - means) ** 2).sum(axis=2)
    share = (distance.argmin(axis=1) == test.labels).mean()
    assert share < 0.98
    if shape[0] == 1:
        assert share > 0.5


def test_digits_of_sizes_lie_anywhere_on_black() -> None:
    sets = made_digits_of_sizes(31, 2)
    assert [s.shape for s in sets] == [(1, 32, 32), (1, 48, 48), (1, 64, 64)]
    assert sorted(map(len, sets)) == [10, 10, 11]
    one = made_digits(31, 2)
    for s in sets:
        for pixels, label in zip(s.pixels, s.labels, strict=True):
            same = one.pixels[one.labels == label].reshape(-1, 28 * 28).astype(int).sum(axis=1)
            assert pixels.astype(int).sum() in same


def test_faces_are_drawn_where_their_points_are() -> None:
    faces = made_faces(40, 5)
    assert (faces.pixels.shape, faces.points.shape[0], faces.points.shape[2]) == ((40, 1, 96, 96), 40, 2)
    assert faces.points.min() > 5
    assert faces.points.max() < 91
    names = dict(zip(faces.names, range(len(faces.names)), strict=True))
    assert (
        faces.points[:, names["left_eye_center"], 0] > faces.points[:, names["right_eye_center"], 0]
    ).all()
    for name in ("left_eye_center", "mouth_left_corner", "right_eyebrow_outer_end"):
        x, y = faces.points[:, names[name]].T.astype(int)
        here = faces.pixels[np.arange(40), 0, y, x]
        cheek = faces.pixels[np.arange(40), 0, y + 8, x]
        assert (here < cheek).mean() > 0.8, name
    np.testing.assert_array_equal(made_faces(40, 5).pixels, faces.pixels)


def test_ink_covers_what_it_should() -> None:
    square = np.array([[[2, 3], [7, 3], [7, 9], [2, 9]]], float)
    assert abs(area(square, 12).sum() - 30) < 0.5
    assert area(square, 12)[0, 5, 4] == 1
    assert area(square, 12)[0, 5, 9] == 0
    round_one = ellipse(np.array([[[10, 12], [16, 12], [10, 17]]], float), 24)
    assert abs(round_one.sum() - np.pi * 30) < 3
    line = strokes(np.array([[[2.5, 5.5]]]), np.array([[[8.5, 5.5]]]), np.array([1.0]), 11)
    assert line[0, 5, 2:9].tolist() == [1] * 7
    assert line[0, 5, 9:].max() == line[0, 6].max() == 0
