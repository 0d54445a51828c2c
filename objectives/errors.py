"""Errors that `objectives` raises for input a user can mend. The command line formats them; nothing else does."""


class ObjectivesError(Exception):
    """Root of every error of this package; its message names the thing and the fix in one or two lines."""


class TrainingError(ObjectivesError, ValueError):
    """A training run cannot start with the options or photos it was given."""


class QualityError(ObjectivesError, ValueError):
    """Pictures cannot be scored against each other."""


class DivergedError(ObjectivesError, ArithmeticError):
    """The training loss is no finite number any more; the message says which.

    Attributes:
        images: How many images were trained on with finite losses since the training call; None if that is not known.
    """

    def __init__(self, message: str, *, images: int | None = None) -> None:
        """Take the message, and the number of images before the loss that is not finite."""
        super().__init__(message)
        self.images = images


class CheckpointError(ObjectivesError, ValueError):
    """A checkpoint cannot be read, or belongs to another training."""
