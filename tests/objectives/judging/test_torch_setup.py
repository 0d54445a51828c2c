import subprocess
import sys

import torch

from objectives.judging.torch_setup import import_lpips, single_thread

# A plain import of torchvision fails on machines where its operators do not load; either way LPIPS must come out, and
# nothing may be imported while another error is being handled: what a finaliser then raises would carry that error.
FRESH_IMPORT = """
import sys

class Witness:
    asked = []
    def find_spec(self, name, *_):
        self.asked.append((name, repr(sys.exc_info()[1])))

sys.meta_path.insert(0, Witness())
from objectives.judging.torch_setup import import_lpips
print(import_lpips().LPIPS.__module__)
print(sum(name == "lpips" for name, _ in Witness.asked))
print({handled for name, handled in Witness.asked if name == "lpips.lpips"})
"""


def test_lpips_is_the_packages_own() -> None:
    assert import_lpips().LPIPS.__module__ == "lpips.lpips"
    assert import_lpips() is import_lpips()


def test_lpips_imports_in_a_fresh_process() -> None:
    found = subprocess.run([sys.executable, "-c", FRESH_IMPORT], capture_output=True, text=True, check=True)
    assert found.stdout.splitlines() == ["lpips.lpips", "1", "{'None'}"]


def test_threads_are_limited_inside_the_block_only() -> None:
    before = torch.get_num_threads()
    with single_thread():
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == before
