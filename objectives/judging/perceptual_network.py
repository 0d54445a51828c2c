"""LPIPS' AlexNet: the features that the judge looks through, and the LPIPS distance between two pictures' features."""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Final, final

import numpy as np
import torch
from numpy.typing import NDArray

from models.pictures.images import Image
from models.pretrained import files as pretrained
from objectives.judging.torch_setup import import_lpips

NUM_LAYERS: Final = 5
"""AlexNet's relu1 to relu5, the layers of LPIPS (Zhang et al. 2018, section 3.1)."""

MIN_SIDE: Final = 31
"""Pixels: below this AlexNet's second pooling has nothing to pool."""

_EPSILON: Final = 1e-10  # that of lpips.normalize_tensor


@final
@dataclass(frozen=True)
class PictureFeatures:
    """One picture seen through LPIPS' AlexNet.

    Attributes:
        layers: Features after each ReLU, each of shape (channels, height, width).
        normalised: The same with unit length over the channels at each position, as LPIPS compares them.
    """

    layers: tuple[torch.Tensor, ...]
    normalised: tuple[torch.Tensor, ...]

    def positions(self) -> tuple[NDArray[np.float32], ...]:
        """Features as samples: one array per layer of shape (positions, channels)."""
        return tuple(layer.flatten(1).T.numpy() for layer in self.layers)

    def for_distance(self) -> "PictureFeatures":
        """The same without `layers`, half the memory: all that LPIPS compares, and no positions."""
        return replace(self, layers=())


@final
class PerceptualNetwork:
    """The lpips package's own scaling layer, AlexNet class and linear heads (version 0.1) over our fetched backbone.

    Always on the CPU: scoring must give the same number on every machine.
    """

    def __init__(self) -> None:
        """Builds the network; fetches AlexNet's weights where they are not cached.

        Raises:
            PretrainedError: The weights are neither cached nor fetchable.
            QualityError: lpips cannot be imported.
        """
        self.lpips = _build_lpips(pretrained.load("alexnet"))

    def features(self, images: Sequence[Image]) -> list[PictureFeatures]:
        """Runs the AlexNet trunk, once per picture; pictures of one size share a batch.

        Args:
            images: RGB in [0, 1], each of shape (at least `MIN_SIDE`, at least `MIN_SIDE`, 3).

        Returns:
            Features in the order of `images`.
        """
        found: dict[int, PictureFeatures] = {}
        by_shape: dict[tuple[int, ...], list[int]] = {}
        for index, image in enumerate(images):
            by_shape.setdefault(image.shape, []).append(index)
        for indices in by_shape.values():
            batch = self._trunk(np.stack([images[index] for index in indices]))
            for row, index in enumerate(indices):
                layers = tuple(layer[row] for layer in batch)
                found[index] = PictureFeatures(layers, tuple(_normalise(layer) for layer in layers))
        return [found[index] for index in range(len(images))]

    def distance(self, first: PictureFeatures, second: PictureFeatures) -> float:
        """LPIPS between two pictures of one size; 0 for equal pictures, higher is farther."""
        total = 0.0
        with torch.inference_mode():
            for head, one, other in zip(self.lpips.lins, first.normalised, second.normalised, strict=True):
                total += float(head(((one - other) ** 2)[None]).mean())
        return total

    def _trunk(self, batch: NDArray[np.float32]) -> tuple[torch.Tensor, ...]:
        with torch.inference_mode():
            pixels = torch.from_numpy(np.ascontiguousarray(batch.transpose(0, 3, 1, 2), dtype=np.float32))
            return tuple(self.lpips.net(self.lpips.scaling_layer(2.0 * pixels - 1.0)))


@cache
def shared_network() -> PerceptualNetwork:
    """The network, built once per process when it is first asked for."""
    return PerceptualNetwork()


def _normalise(layer: torch.Tensor) -> torch.Tensor:
    with torch.inference_mode():
        return layer / (torch.sqrt(torch.sum(layer**2, dim=0, keepdim=True)) + _EPSILON)


def _build_lpips(arrays: Mapping[str, NDArray[np.float32]]) -> Any:
    lpips = import_lpips()
    with warnings.catch_warnings(), torch.random.fork_rng(devices=[]):
        warnings.filterwarnings("ignore", category=UserWarning, module="torchvision")
        network = lpips.LPIPS(net="alex", version="0.1", pnet_rand=True, verbose=False)
    convolutions = [module for module in network.net.modules() if isinstance(module, torch.nn.Conv2d)]
    for number, convolution in enumerate(convolutions, start=1):
        kernel = arrays[f"conv{number}.kernel"].transpose(3, 2, 0, 1)
        convolution.weight = torch.nn.Parameter(torch.from_numpy(np.ascontiguousarray(kernel)), requires_grad=False)
        convolution.bias = torch.nn.Parameter(
            torch.from_numpy(arrays[f"conv{number}.bias"].copy()), requires_grad=False
        )
    return network.requires_grad_(False).eval()
