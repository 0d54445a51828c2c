"""Architecture of a style network."""

from dataclasses import asdict, dataclass
from typing import Any, Literal, final

from models.errors import NetworkError


@final
@dataclass(frozen=True, kw_only=True)
class StyleNetworkOptions:
    """Architecture of a style network; changing any of them makes another study, not another trial.

    Attributes:
        width: Channels of the first convolution; the residual blocks have four times as many. The paper's is 32.
        num_residual_blocks: Residual blocks between down- and upsampling. The paper's is 5.
        norm: "instance" (Ulyanov et al. 2016, arXiv:1607.08022) or "batch" (the paper's).
        output: "sigmoid" or "tanh" (shifted and halved); both give pixels in [0, 1].
        upsampling: "nearest" (resize, then convolve: Odena et al. 2016) or "transposed" (the paper's).
        order: "norm_first" (convolve, normalise, activate) or "activation_first" (convolve, activate, normalise).
        kernel_initializer: Name of a Keras initialiser.
    """

    width: int = 32
    num_residual_blocks: int = 5
    norm: Literal["instance", "batch"] = "instance"
    output: Literal["sigmoid", "tanh"] = "sigmoid"
    upsampling: Literal["nearest", "transposed"] = "nearest"
    order: Literal["norm_first", "activation_first"] = "norm_first"
    kernel_initializer: str = "glorot_uniform"

    def __post_init__(self) -> None:
        if self.width < 1:
            raise NetworkError(f"`width` must be at least 1. Received {self.width}. Try 16 or 32.")
        if self.num_residual_blocks < 0:
            raise NetworkError(f"`num_residual_blocks` must be 0 or more. Received {self.num_residual_blocks}. Try 5.")
        _check_choice("norm", self.norm, ("instance", "batch"))
        _check_choice("output", self.output, ("sigmoid", "tanh"))
        _check_choice("upsampling", self.upsampling, ("nearest", "transposed"))
        _check_choice("order", self.order, ("norm_first", "activation_first"))

    def to_dict(self) -> dict[str, Any]:
        """Return the options as plain values, for a configuration file."""
        return asdict(self)


def _check_choice(name: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise NetworkError(f"`{name}` must be one of {', '.join(choices)}. Received {value!r}.")
