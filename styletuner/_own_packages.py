"""Our packages found where this one lies, whatever else of their names is on the path.

`models`, `tuner` and their like are common names: a `models.py` in a folder on PYTHONPATH would be imported in their
place. Imports the standard library alone.
"""

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType
from typing import Final, final

PACKAGES: Final = ("tuner", "dashboards", "objectives", "studies", "models", "measures", "groundwork")
"""Everything that is installed beside this package."""

_ROOT: Final = Path(__file__).resolve().parent.parent


@final
class _OwnPackages(MetaPathFinder):
    """Finds our packages beside this one, before anybody else is asked."""

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,  # noqa: ARG002  the interface's
        target: ModuleType | None = None,  # noqa: ARG002
    ) -> ModuleSpec | None:
        """Return where one of our packages lies; None for every other module, theirs included."""
        return PathFinder.find_spec(fullname, [str(_ROOT)]) if fullname in PACKAGES else None


def claim_names() -> None:
    """Have imports of our packages' names find ours from now on, in this process.

    Raises:
        ImportError: A module of such a name that is not ours is loaded already; names its file.
    """
    for name in PACKAGES:
        loaded = sys.modules.get(name)
        if loaded is not None and not _is_ours(loaded):
            raise ImportError(
                f"{getattr(loaded, '__file__', None) or name} shadows styletuner's package `{name}`. Rename it, or use "
                "styletuner in a process that has not imported it."
            )
    if not any(isinstance(finder, _OwnPackages) for finder in sys.meta_path):
        sys.meta_path.insert(0, _OwnPackages())


def _is_ours(module: ModuleType) -> bool:
    file = getattr(module, "__file__", None)
    return file is not None and Path(file).resolve().is_relative_to(_ROOT)
