"""Knowing an error of any network library, or of Python, for one of memory that ran out; loads none of them."""

import errno
from collections.abc import Iterator
from typing import Final

from sqlalchemy.exc import SQLAlchemyError

from tuner.running.workers.worker_ends import LOWER_MEMORY

_NAMES: Final = ("ResourceExhaustedError", "OutOfMemoryError")
"""Classes of TensorFlow (`tf.errors`) and of Torch."""

_SYMPTOMS: Final = (
    "resource_exhausted",  # JAX: XlaRuntimeError, JaxRuntimeError
    "out of memory",
    "can't allocate memory",  # Torch on a processor: RuntimeError of DefaultCPUAllocator
    "not enough memory",  # the same elsewhere
    "_status_alloc_failed",  # cuDNN, cuBLAS
    "_status_not_initialized",  # the same, where no memory is left for what they begin with
    "dst tensor is not initialized",  # TensorFlow, where a copy to a GPU has no room
)

_GPU_SIGNS: Final = ("gpu", "cuda", "cudnn", "cublas", "dst tensor", "hip ")


def memory_fault(error: BaseException) -> str | None:
    """Return in words that memory ran out, and what to lower, if that is what an error or its cause says."""
    for found in _causes(error):
        if _is_of_memory(found):
            text = f"{type(found).__module__} {found}".lower()
            where = "GPU memory" if any(sign in text for sign in _GPU_SIGNS) else "memory"
            fewer = "" if where == "GPU memory" else "use fewer --workers, or "
            return f"out of {where}: {fewer}{LOWER_MEMORY}"
    return None


def _is_of_memory(error: BaseException) -> bool:
    if isinstance(error, MemoryError) or (isinstance(error, OSError) and error.errno == errno.ENOMEM):
        return True
    if any(kind.__name__ in _NAMES for kind in type(error).__mro__):
        return True
    text = str(error).lower()
    # What a database or a file says of memory is another matter.
    return not isinstance(error, OSError | ValueError | SQLAlchemyError) and any(
        symptom in text for symptom in _SYMPTOMS
    )


def _causes(error: BaseException) -> Iterator[BaseException]:
    found: BaseException | None = error
    while found is not None:
        yield found
        found = found.__cause__
