"""Charts of the examples: what they show is what they were given."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("matplotlib", reason="pictures need: pip install 'minilift[plot]'")

from minilift.errors import InputError
from minilift.show.charts import courses
from minilift.show.charts.courses import BLUE, drawable, plot_before_after, plot_line, plot_points


@pytest.fixture
def figures(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The figures that are saved."""
    kept: list[Any] = []
    monkeypatch.setattr(courses, "save", lambda figure, path: kept.append(figure))
    return kept


def test_a_line_has_its_title_names_and_colour(figures: list[Any]) -> None:
    plot_line([1, 2, 3], [0.5, np.nan, 0.2], "a.png", "Lr: 0.1, Epochs: 3", "epoch", "loss")
    [axes] = figures[0].axes
    [line] = axes.get_lines()
    np.testing.assert_array_equal(line.get_ydata(), [0.5, np.nan, 0.2])
    assert line.get_color() == BLUE
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("epoch", "loss")
    assert axes.get_title(loc="left") == "Lr: 0.1, Epochs: 3"
    long = "Running loss for mean-in-turn, batch_size = 16, epochs = 3, and lr = 0.001"
    plot_line([1, 2], [1, 2], "a.png", long, "batches", "loss")
    assert figures[1].axes[0].get_title(loc="left").split("\n") == [long[:59].rstrip(), long[59:].lstrip()]
    with pytest.raises(InputError, match=r"cannot draw a\.png: no finite value"):
        plot_line([1], [np.nan], "a.png", "t", "x", "y")


def test_a_long_title_is_whole_and_epochs_are_whole_numbers(figures: list[Any]) -> None:
    title = "Validation accuracy for max-in-turn, batch_size = 2048, epochs = 200, and lr = 0.00123"
    plot_line([1], [0.5], "a.png", title, "epoch", "accuracy (%)")
    [axes] = figures[0].axes
    assert axes.get_title(loc="left").replace("\n", " ") == title
    figures[0].canvas.draw()
    box = axes.title.__class__.get_window_extent(axes._left_title)
    assert box.x1 <= figures[0].bbox.x1
    low, high = axes.get_xlim()
    assert [tick for tick in axes.get_xticks() if low <= tick <= high] == [1]


@pytest.mark.parametrize("channels", [1, 3])
def test_pictures_before_and_after(channels: int, figures: list[Any]) -> None:
    before = np.random.default_rng(0).random((3, channels, 5, 6))
    plot_before_after(before, {"inverted": 1 - before}, "a.png")
    shown = [axes.get_images()[0].get_array() for axes in figures[0].axes]
    assert len(shown) == 6
    expected = before.transpose(0, 2, 3, 1)
    for i in range(3):
        np.testing.assert_allclose(np.squeeze(shown[i]), np.squeeze(expected[i]))
        np.testing.assert_allclose(np.squeeze(shown[3 + i]), np.squeeze(1 - expected[i]))
    assert figures[0].axes[3].get_ylabel() == "inverted"


def test_points_lie_on_the_pixels_that_they_name(figures: list[Any]) -> None:
    true, found = np.full((5, 2, 2), 3.5), np.full((5, 2, 2), 1.0)
    plot_points(np.zeros((5, 1, 8, 8)), true, found, [f"picture {i}" for i in range(5)], "a.png")
    own, theirs = figures[0].axes[4].get_lines()
    assert set(own.get_xdata()) == {3.0}  # the middle of the pixel from 3 to 4
    assert set(theirs.get_ydata()) == {0.5}
    assert [text.get_text() for text in figures[0].legends[0].get_texts()] == ["true", "predicted"]


def test_without_matplotlib_it_is_said_and_nothing_is_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(courses, "installed", lambda name: False)
    assert not drawable(said.append)
    assert said == ["drawing the curves needs matplotlib: pip install 'minilift[plot]'"]


def test_a_file_is_written(tmp_path: Path) -> None:
    plot_line([1, 2], [1, 2], tmp_path / "a.png", "t", "x", "y")
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
