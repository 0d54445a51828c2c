"""Reading saved networks, whatever is wrong with their files."""

from pathlib import Path

import keras

from tuner.errors import NetworkFileError


def read_network(path: Path) -> keras.Model:
    """Read a saved network.

    Raises:
        NetworkFileError: The file is damaged, or no saved network.
    """
    try:
        network = keras.saving.load_model(path, compile=False)
    # Keras and the readers of zip and HDF5 let through whatever they trip over in a damaged file.
    except Exception as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise NetworkFileError(f"{path} is no saved network: {reason}") from error
    # XLA would compile once for each size of photo.
    network.jit_compile = False
    return network
