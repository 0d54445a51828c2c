import subprocess
import sys

import torch

from objectives.judging.torch_setup import import_lpips, single_thread

# The first import of torchvision fails on machines where its operators do not load; either way LPIPS must come out.
FRESH_IMPORT = """
from objectives.judging.torch_setup import import_lpips
print(import_lpips().LPIPS.__module__)
"""


def test_lpips_is_the_packages_own() -> None:
    assert import_lpips().LPIPS.__module__ == "lpips.lpips"
    assert import_lpips() is import_lpips()


def test_lpips_imports_in_a_fresh_process() -> None:
    found = subprocess.run([sys.executable, "-c", FRESH_IMPORT], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "lpips.lpips"


def test_threads_are_limited_inside_the_block_only() -> None:
    before = torch.get_num_threads()
    with single_thread():
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == before
