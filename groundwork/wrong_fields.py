"""What is wrong with values from outside, one line a field, from what Pydantic found."""

from collections.abc import Sequence
from typing import Final

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from groundwork.similar_names import did_you_mean

_PLAIN_MESSAGES: Final = {
    "model_type": "must be a group of settings",
    "model_attributes_type": "must be a group of settings",
    "dict_type": "must be a group of settings",
    "mapping_type": "must be a group of settings",
    "tuple_type": "must be a list",
    "list_type": "must be a list",
    "path_type": "must be a path",
    "string_type": "must be text",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_parsing_size": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "invalid_key": "must be the name of a setting",
}
"""What Pydantic says in words of Python, by its type of error."""

_LONGEST_VALUE: Final = 60


def describe_wrong_fields(error: ValidationError, model: type[BaseModel], *, where: str = "") -> list[str]:
    """Return a line for each wrong field: its name, what it must be, what was received.

    Args:
        error: What Pydantic found.
        model: What was validated: its fields are what an unknown name is compared with.
        where: Said behind each name, such as " in best.yaml".
    """
    by_name: dict[str, str] = {}
    for detail in error.errors(include_url=False):
        name = ".".join(map(str, detail["loc"]))
        # A list whose entries are wrong is called too short as well.
        if not any(known.startswith(f"{name}.") for known in by_name):
            by_name.setdefault(name, _describe(detail, model, where))
    return list(by_name.values())


def _describe(detail: ErrorDetails, model: type[BaseModel], where: str) -> str:
    location = [str(part) for part in detail["loc"]]
    name = f"`{_short('.'.join(location))}`{where}"
    if detail["type"] == "extra_forbidden":
        return f"{name} is not known. {did_you_mean(location[-1], _fields_at(model, location[:-1]), none='')}".rstrip()
    if detail["type"] == "missing":
        if isinstance(detail["loc"][-1], int):
            return f"{name} is missing from the list. Received {_short(repr(detail['input']))}."
        return f"{name} is missing."
    message = str(detail["ctx"]["error"]) if detail["type"] == "value_error" else detail["msg"]
    if message.startswith("`"):
        named, _, rest = message[1:].partition("`")
        return f"`{named}`{where}{rest}."
    if detail["type"] == "too_long":
        message = f"must have at most {detail['ctx']['max_length']} entries"
    if detail["type"] == "too_short":
        fewest = detail["ctx"]["min_length"]
        message = f"must have at least {'one entry' if fewest == 1 else f'{fewest} entries'}"
    message = _PLAIN_MESSAGES.get(detail["type"], message.replace("Input should be", "must be"))
    return f"{name} {message}. Received {_short(repr(detail['input']))}."


def _fields_at(model: type[BaseModel], location: Sequence[str]) -> list[str]:
    section = model
    for part in location:
        field = section.model_fields.get(part)
        if field is None or not (isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel)):
            return []
        section = field.annotation
    return list(section.model_fields)


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST_VALUE else text[:_LONGEST_VALUE] + "..."
