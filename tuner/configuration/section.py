"""What all groups of settings share."""

from typing import Any, get_args

from pydantic import BaseModel, ConfigDict, model_validator

from tuner.configuration.setting_bounds import MAX_BATCH_PIXELS


def check_batch(section: str, batch_size: int, *, crop: tuple[str, int]) -> None:
    """Refuse a batch that no machine has the memory for.

    Args:
        section: Of the batch, as a file names it.
        batch_size: Crops in it.
        crop: The setting of their side, as a file names it, and the side in pixels.

    Raises:
        ValueError: Its crops are more than `MAX_BATCH_PIXELS`.
    """
    name, side = crop
    if batch_size * side**2 > MAX_BATCH_PIXELS:
        raise ValueError(
            f"`{section}.batch_size` is {batch_size} crops of `{name}` {side} px: {batch_size * side**2 / 1e6:,.0f} "
            f"megapixels, at most {MAX_BATCH_PIXELS / 1e6:,.0f}; take fewer or smaller ones"
        )


def gigabytes(num_bytes: int) -> str:
    """Return a size in words: "16 GB"."""
    return f"{num_bytes / 2**30:,.0f} GB"


class Section(BaseModel):
    """A group of settings; an unknown key is an error, null is the default where it has no meaning of its own."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _leave_out_nulls(cls, values: Any) -> Any:
        """A null in a file takes back what the preset below it says."""
        if not isinstance(values, dict):
            return values
        fields = cls.model_fields
        never_null = {name for name, field in fields.items() if type(None) not in get_args(field.annotation)}
        return {key: value for key, value in values.items() if value is not None or key not in never_null}
