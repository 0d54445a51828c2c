"""Memory that ran out, as each library says it: real errors of allocations that no machine can make."""

import errno
from collections.abc import Callable

import jax.numpy
import numpy as np
import pytest
import tensorflow as tf
import torch
from sqlalchemy.exc import OperationalError

from tuner.running.workers.memory_faults import memory_fault

TOO_MANY = 2**50
"""Bytes: a petabyte."""

LOWER = "use fewer --workers, or lower training.batch_size, data.crop_size or network.width"


def caught(allocate: Callable[[], object]) -> BaseException:
    with pytest.raises(Exception) as error:  # noqa: PT011  each library has its own
        allocate()
    return error.value


@pytest.mark.parametrize(
    "allocate",
    [
        lambda: np.empty(TOO_MANY, np.uint8),
        lambda: torch.empty(TOO_MANY, dtype=torch.uint8),
        lambda: tf.random.uniform([2**24, 2**24]).numpy(),
        lambda: jax.numpy.zeros(TOO_MANY, np.uint8).block_until_ready(),
    ],
    ids=["numpy", "torch", "tensorflow", "jax"],
)
def test_a_real_allocation_that_fails(allocate: Callable[[], object]) -> None:
    assert memory_fault(caught(allocate)) == f"out of memory: {LOWER}"


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB."),
        tf.errors.ResourceExhaustedError(None, None, "OOM when allocating tensor on /device:GPU:0 by GPU_0_bfc"),
        tf.errors.InternalError(None, None, "Blas xGEMM launch failed: CUBLAS_STATUS_ALLOC_FAILED"),
        tf.errors.InternalError(None, None, "Dst tensor is not initialized."),
        RuntimeError("cuDNN error: CUDNN_STATUS_NOT_INITIALIZED"),
        RuntimeError("CUDA error: CUBLAS_STATUS_NOT_INITIALIZED when calling `cublasCreate(handle)`"),
        RuntimeError("RESOURCE_EXHAUSTED: Out of memory while trying to allocate 8 bytes on the GPU (GPU_0_bfc)."),
    ],
    ids=["torch", "tensorflow", "cublas", "copy", "no cudnn", "no cublas", "jax"],
)
def test_of_a_gpu(error: Exception) -> None:
    assert memory_fault(error) == ("out of GPU memory: lower training.batch_size, data.crop_size or network.width")


def test_the_cause_counts() -> None:
    error = ValueError("the step failed")
    error.__cause__ = OSError(errno.ENOMEM, "Cannot allocate memory")
    assert memory_fault(error) == f"out of memory: {LOWER}"


@pytest.mark.parametrize(
    "error",
    [
        ValueError("bad luck"),
        OSError(errno.ENOSPC, "No space left on device"),
        OperationalError("INSERT", {}, Exception("out of memory")),
        tf.errors.InvalidArgumentError(None, None, "Incompatible shapes"),
    ],
)
def test_others_are_none(error: Exception) -> None:
    assert memory_fault(error) is None
