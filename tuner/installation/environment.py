"""What surrounds the process: variables that network libraries read, their chatter at import, our command's path."""

import os
import shlex
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

COMMAND: Final = "styletuner"

STANDARD_ERROR: Final = 2
"""Where native code writes, whatever `sys.stderr` is at the moment."""


def set_defaults() -> None:
    """Set what TensorFlow reads when it loads, unless the user has set it.

    oneDNN's kernels make a training step about a half faster on CPUs where TensorFlow leaves them off by default. What
    goes wrong reaches us as an exception; its log on the way there would only puzzle ("oneDNN supports DT_HALF only
    on ..."). Memory of a GPU is taken as it is needed, since workers share one. How many threads a worker gets is
    settled where several are started.
    """
    defaults = {
        "TF_ENABLE_ONEDNN_OPTS": "1",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "TF_FORCE_GPU_ALLOW_GROWTH": "true",
        "XLA_PYTHON_CLIENT_PREALLOCATE": "false",  # JAX
    }
    for name, value in defaults.items():
        os.environ.setdefault(name, value)


def load_networks() -> None:
    """Load Keras with its backend, without the lines that TensorFlow prints before its own log level counts."""
    set_defaults()
    with _held_back_stderr():
        import keras

        keras.ops.zeros(())


def visible_devices() -> list[str]:
    """Return what the network library, which is loaded, can use, as "cpu:0": a machine may have GPUs that it cannot."""
    import keras

    if keras.backend.backend() == "torch":  # which Keras cannot list devices of
        import torch

        return [f"gpu:{index}" for index in range(torch.cuda.device_count())] or ["cpu:0"]
    return list(keras.distribution.list_devices())


def sees_gpus() -> bool:
    """Return whether the network library, which is loaded, can use a GPU."""
    return any(not device.startswith("cpu") for device in visible_devices())


def own_command() -> str:
    """Return what the user can type to run this command line again: `styletuner`, or its path where that is not found.

    The path is as this process was started, for a shell.
    """
    started = sys.argv[0]
    found = shutil.which(COMMAND)
    if Path(started).name != COMMAND or (found is not None and Path(found).resolve() == Path(started).resolve()):
        return COMMAND
    return shlex.quote(started)


@contextmanager
def _held_back_stderr() -> Iterator[None]:
    """Collect what native code writes to standard error; show it only if the block fails."""
    try:
        saved = os.dup(STANDARD_ERROR)
    except OSError:  # closed
        yield
        return
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), STANDARD_ERROR)
        try:
            yield
        except Exception:
            held.seek(0)
            os.write(saved, held.read())
            raise
        finally:
            if sys.stderr is not None:
                sys.stderr.flush()
            os.dup2(saved, STANDARD_ERROR)
            os.close(saved)
