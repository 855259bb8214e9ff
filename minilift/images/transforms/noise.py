"""Noise, blur and holes."""

from __future__ import annotations

import numpy as np

from minilift.images.transforms.compose import on_some, probability

Range = tuple[float, float]
TRIES = 10  # rectangles that are drawn for a picture, of which the first that fits is taken


class RandomSpeckle:
    """Noise in proportion to each pixel, x (1 + std g) with g from N(0, 1), with probability p."""

    def __init__(self, std: float = 0.2, p: float = 0.5) -> None:
        if not std >= 0:
            raise ValueError(f"RandomSpeckle: std must be at least 0, got {std}")
        self.std, self.p = std, probability("RandomSpeckle", p)

    def __call__(self, images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        def change(part: np.ndarray) -> np.ndarray:
            noise = rng.standard_normal(part.shape, np.float32)
            return np.clip(part * (1 + np.float32(self.std) * noise), 0, 1)

        return on_some(images, rng.random(len(images)) < self.p, change)


class SaltAndPepper:
    """A share `amount` of the pixels white or black, all channels alike, with probability p."""

    def __init__(self, p: float = 0.5, amount: float = 0.05) -> None:
        self.p, self.amount = probability("SaltAndPepper", p), probability("SaltAndPepper: amount", amount)

    def __call__(self, images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        def change(part: np.ndarray) -> np.ndarray:
            draw = rng.random((len(part), 1, *part.shape[2:]), np.float32)
            out = np.where(draw < self.amount / 2, np.float32(0), part)
            return np.where(draw > 1 - self.amount / 2, np.float32(1), out)

        return on_some(images, rng.random(len(images)) < self.p, change)


class GaussianBlur:
    """A Gaussian of `size` x `size` pixels whose sigma is drawn for each picture; edges are mirrored.

    Raises ValueError for an even size, and for pictures smaller than half of it.
    """

    def __init__(self, size: int = 5, sigma: Range = (0.1, 2.0)) -> None:
        if size < 1 or size % 2 == 0 or not 0 < sigma[0] <= sigma[1]:
            raise ValueError(f"GaussianBlur: size {size} must be odd, sigma {sigma} a range above 0")
        self.size, self.sigma = size, sigma

    def __call__(self, images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        half = self.size // 2
        if min(images.shape[2:]) <= half:
            raise ValueError(
                f"GaussianBlur: pictures of {images.shape[2:]} are too small for size {self.size}"
            )
        sigma = rng.uniform(*self.sigma, len(images))[:, None]
        kernel = np.exp(-0.5 * (np.arange(-half, half + 1) / sigma) ** 2)
        kernel = (kernel / kernel.sum(axis=1, keepdims=True)).astype(np.float32)
        for axis in (2, 3):
            edges = [(0, 0)] * 4
            edges[axis] = (half, half)
            wide, side = np.pad(images, edges, mode="reflect"), images.shape[axis]
            out = np.zeros_like(images)
            for k in range(self.size):
                shifted = wide[:, :, k : k + side] if axis == 2 else wide[..., k : k + side]
                out += kernel[:, k].reshape(-1, 1, 1, 1) * shifted
            images = out
        return images


class RandomErasing:
    """A rectangle of one value, with probability p: its area a share `scale` of the picture, height to width
    in `ratio`. Source: Zhong et al., arXiv:1708.04896.

    As in torchvision, the ratio is drawn on a logarithmic scale; a picture where none of ten rectangles fits
    stays whole.
    """

    def __init__(
        self, p: float = 0.2, scale: Range = (0.02, 0.2), ratio: Range = (0.3, 3.3), value: float = 0.05
    ) -> None:
        if not 0 <= scale[0] <= scale[1] <= 1 or not 0 < ratio[0] <= ratio[1]:
            raise ValueError(f"RandomErasing: scale {scale} and ratio {ratio} must be ranges")
        self.p, self.scale, self.ratio, self.value = probability("RandomErasing", p), scale, ratio, value

    def __call__(self, images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        n, (height, width) = len(images), images.shape[2:]
        chosen = rng.random(n) < self.p
        area = height * width * rng.uniform(*self.scale, (n, TRIES))
        ratio = np.exp(rng.uniform(np.log(self.ratio[0]), np.log(self.ratio[1]), (n, TRIES)))
        h, w = np.rint(np.sqrt(area * ratio)), np.rint(np.sqrt(area / ratio))
        fits = (h < height) & (w < width)
        first = fits.argmax(axis=1)
        h, w = (size[np.arange(n), first].astype(int)[:, None] for size in (h, w))
        top, left = (
            np.floor(rng.random((n, 1)) * np.maximum(1, s - t + 1)) for s, t in ((height, h), (width, w))
        )
        rows, columns = np.arange(height), np.arange(width)
        hole = ((rows >= top) & (rows < top + h))[:, :, None] & ((columns >= left) & (columns < left + w))[
            :, None
        ]
        hole &= (chosen & fits.any(axis=1))[:, None, None]
        return np.where(hole[:, None], np.float32(self.value), images)
