"""Errors that `models` raises for input a user can mend. The command line formats them; nothing else does."""


class ModelsError(Exception):
    """Root of every error of this package; its message names the thing and the fix in one or two lines."""


class ImageError(ModelsError, ValueError):
    """A picture cannot be read, or is too small or too flat for its purpose."""


class PhotosError(ModelsError, ValueError):
    """A collection of photos is missing, empty or too small."""


class NetworkError(ModelsError, ValueError):
    """A network is asked for with options that do not exist or do not fit together."""


class PretrainedError(ModelsError, OSError):
    """A pretrained file cannot be fetched, or is not the file that it should be."""
