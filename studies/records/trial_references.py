"""What a trial's losses were divided by, of all that its study measured."""

from collections.abc import Mapping
from typing import Any, Final

from studies.records.attribute_values import mapping_of

STYLE_AT_SIZE: Final = "style_at_size"
"""Among a study's references: those of the style loss at each other size of the style image that is searched."""


def trial_references(references: Mapping[str, Any], parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return a study's references as one that trains with the trial's style size alone has them.

    Args:
        references: The study's attribute.
        parameters: The trial's, by name.
    """
    others = mapping_of(references.get(STYLE_AT_SIZE))
    own = {name: value for name, value in references.items() if name != STYLE_AT_SIZE}
    style = others.get(str(parameters.get("style_size")))
    return own if style is None else {**own, "style": style}
