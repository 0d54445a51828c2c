from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict, ValidationError

from groundwork.wrong_fields import describe_wrong_fields


class Inner(BaseModel):
    model_config = ConfigDict(extra="forbid")
    width: int = 8


class Outer(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: str
    inner: Inner = Inner()
    sizes: tuple[int, int] = (1, 2)


@pytest.mark.parametrize(
    ("values", "lines"),
    [
        ({}, ["`name` in a.yaml is missing."]),
        ({"name": "a", "nmae": 1}, ["`nmae` in a.yaml is not known. Did you mean 'name'?"]),
        ({"name": "a", "inner": {"widht": 1}}, ["`inner.widht` in a.yaml is not known. Did you mean 'width'?"]),
        ({"name": 1, "inner": 2}, ["`name` in a.yaml must be text. Received 1.", "`inner` in a.yaml must be a group"]),
        ({"name": "a", "sizes": [1]}, ["`sizes.1` in a.yaml is missing from the list. Received [1]."]),
        (
            {"name": "a", "inner": {"width": "x" * 500}},
            ["`inner.width` in a.yaml must be a whole number. Received 'xxx"],
        ),
    ],
)
def test_each_wrong_field_has_a_line(values: dict[str, Any], lines: list[str]) -> None:
    with pytest.raises(ValidationError) as caught:
        Outer.model_validate(values)
    described = describe_wrong_fields(caught.value, Outer, where=" in a.yaml")
    assert len(described) == len(lines)
    assert all(found.startswith(line) for found, line in zip(described, lines, strict=True))
    assert max(map(len, described)) < 150
