"""Saved networks, used where this project is not."""

import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
from numpy.typing import NDArray


def load_in_clean_process(folder: Path) -> NDArray[np.float32]:
    """Outputs of each saved network for the saved photos, from a process that cannot import this project."""
    script = folder / "load.py"
    script.write_text(
        textwrap.dedent(
            """
            import importlib.util
            import sys
            from pathlib import Path

            class Refuse:
                def find_spec(self, name, path=None, target=None):
                    if name.partition(".")[0] in {"models", "objectives", "studies", "tuner", "dashboards"}:
                        raise ModuleNotFoundError(name)

            sys.meta_path.insert(0, Refuse())

            import keras
            import numpy as np

            try:
                import models
            except ModuleNotFoundError:
                pass
            else:
                raise AssertionError("our code can be imported")
            photos = np.load("photos.npy")
            networks = sorted(Path().glob("*.keras"))
            outputs = [keras.models.load_model(path)(photos) for path in networks]
            np.save("outputs.npy", np.stack([keras.ops.convert_to_numpy(output) for output in outputs]))
            """
        )
    )
    subprocess.run([sys.executable, "-P", "-I", script], check=True, cwd=folder, timeout=120)
    return np.load(folder / "outputs.npy")
