"""Imports LPIPS where torchvision's compiled operators do not load, and keeps scoring to one thread."""

import importlib
import importlib.machinery
import importlib.util
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from typing import Any, Final

import torch
from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped]

from objectives.errors import QualityError

_SCHEMAS: Final = tuple(
    f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor" for name in ("nms", "qnms")
)
_KEPT: Final[list[torch.library.Library]] = []  # a library that is collected takes its schemas with it


def import_lpips() -> Any:
    """Imports the lpips package.

    It needs torchvision only for network classes, but `import torchvision` fails where its compiled operators do not
    fit the installed Torch. Then, and only then, the schemas of the two operators it registers are declared first;
    nothing here calls them. To try the import and mend it afterwards would leave half of torchvision imported, and its
    error as the context of whatever else fails in the meantime, such as a finaliser.

    Returns:
        The module `lpips`.

    Raises:
        QualityError: lpips or torchvision cannot be imported.
    """
    try:
        _declare_missing_operators()
        return importlib.import_module("lpips")
    except (ImportError, RuntimeError) as error:
        raise QualityError(
            f"`lpips` cannot be imported: {error}. Install the versions of torch, torchvision and lpips that "
            f"styletuner pins."
        ) from error


@contextmanager
def single_thread() -> Iterator[None]:
    """Keeps Torch and NumPy's linear algebra to one thread inside the block.

    Their threads spin while they wait: with other busy processes on the same cores, as when several workers run one
    study, scoring takes several times as long with more threads than with one.

    Yields:
        Nothing.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with _thread_pools().limit(limits=1, user_api="blas"):
            yield
    finally:
        torch.set_num_threads(before)


@cache
def _thread_pools() -> ThreadpoolController:
    """Finds the loaded libraries once; that takes longer than a score."""
    return ThreadpoolController()


@cache
def _declare_missing_operators() -> None:
    """Load torchvision's operators as its own import will, and declare those that are missing all the same."""
    package = importlib.util.find_spec("torchvision")
    search = package.submodule_search_locations if package else None
    compiled = importlib.machinery.PathFinder.find_spec("_C", search) if search else None
    if compiled and compiled.origin:
        with suppress(OSError):
            torch.ops.load_library(compiled.origin)  # type: ignore[no-untyped-call]
    if hasattr(torch.ops.torchvision, "nms"):
        return
    library = torch.library.Library("torchvision", "FRAGMENT")  # type: ignore[no-untyped-call]
    for schema in _SCHEMAS:
        library.define(schema)  # type: ignore[no-untyped-call]
    _KEPT.append(library)
