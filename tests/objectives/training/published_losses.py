"""The losses of the trainers once more, as their published sources describe them: sums, halves, ranges and all.

Written with `keras.ops` over a batch, so that they can be differentiated; nothing of ours but the loss network. NumPy's
arrays go through as well.
"""

from collections.abc import Callable, Mapping
from typing import Any

from keras import ops

Tensor = Any
Features = Mapping[str, Tensor]

FOUR = ("relu1_2", "relu2_2", "relu3_3", "relu4_3")


def grams(features: Tensor, *, over_channels: bool = True) -> Tensor:
    _, height, width, channels = features.shape
    products = ops.einsum("bhwi,bhwj->bij", features, features)
    return products / (height * width * (channels if over_channels else 1))


def mean_square_error(one: Tensor, other: Tensor) -> Tensor:
    return ops.mean((one - other) ** 2)


def steps(pictures: Tensor) -> tuple[Tensor, Tensor]:
    return pictures[:, 1:] - pictures[:, :-1], pictures[:, :, 1:] - pictures[:, :, :-1]


def lengstrom(out: Features, photo: Features, style: Features, pictures: Tensor) -> dict[str, Tensor]:
    layers = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")
    down, across = steps(pictures * 255.0)
    num = pictures.shape[0]
    return {
        "content": mean_square_error(out["relu4_2"], photo["relu4_2"]),
        "style": sum(mean_square_error(grams(out[layer]), grams(style[layer])) for layer in layers),
        "total_variation": (
            ops.sum(down**2) / (down[0].shape[0] * down[0].shape[1] * 3)
            + ops.sum(across**2) / (across[0].shape[0] * across[0].shape[1] * 3)
        )
        / num,
    }


def jcjohnson(out: Features, photo: Features, style: Features, pictures: Tensor) -> dict[str, Tensor]:
    inner = pictures[:, :-1, :-1] * 255.0
    below, right = pictures[:, 1:, :-1] * 255.0, pictures[:, :-1, 1:] * 255.0
    return {
        "content": mean_square_error(out["relu3_3"], photo["relu3_3"]),
        "style": sum(mean_square_error(grams(out[layer]), grams(style[layer])) for layer in FOUR),
        "total_variation": (ops.sum((inner - below) ** 2) + ops.sum((inner - right) ** 2)) / 2,
    }


def pytorch_examples(out: Features, photo: Features, style: Features, pictures: Tensor) -> dict[str, Tensor]:
    del pictures
    return {
        "content": mean_square_error(out["relu2_2"], photo["relu2_2"]),
        "style": sum(mean_square_error(grams(out[layer]), grams(style[layer])) for layer in FOUR),
    }


def gordicaleksa(out: Features, photo: Features, style: Features, pictures: Tensor) -> dict[str, Tensor]:
    deviation = ops.convert_to_tensor([0.229, 0.224, 0.225], dtype="float32")
    down, across = steps(pictures / deviation)
    return {
        "content": mean_square_error(out["relu2_2"], photo["relu2_2"]),
        "style": sum(mean_square_error(grams(out[layer]), grams(style[layer])) for layer in FOUR) / 4,
        "total_variation": (ops.sum(ops.abs(down)) + ops.sum(ops.abs(across))) / pictures.shape[0],
    }


def magenta(out: Features, photo: Features, style: Features, pictures: Tensor) -> dict[str, Tensor]:
    def apart(layer: str) -> Tensor:
        return mean_square_error(grams(out[layer], over_channels=False), grams(style[layer], over_channels=False))

    down, across = steps(pictures)
    num, height, width, _ = pictures.shape
    return {
        "content": mean_square_error(out["relu3_3"], photo["relu3_3"]),
        "style": sum(apart(layer) for layer in FOUR),
        "total_variation": (
            ops.sum(down**2) / 2 / ((height - 1) * width * 3) + ops.sum(across**2) / 2 / (height * (width - 1) * 3)
        )
        / num,
    }


PUBLISHED: dict[str, Callable[[Features, Features, Features, Tensor], dict[str, Tensor]]] = {
    "lengstrom": lengstrom,
    "jcjohnson": jcjohnson,
    "pytorch-examples": pytorch_examples,
    "gordicaleksa": gordicaleksa,
    "magenta": magenta,
}
