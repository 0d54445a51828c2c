"""What every command does before it begins."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]

SCRIPT = """
import os, sys
from tuner.command_line import main

class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == "tensorflow":
            print("kernels:", os.environ.get("TF_ENABLE_ONEDNN_OPTS"))

sys.meta_path.insert(0, Finder())
sys.argv[1:] = ["study", "validate", "waves", "--storage", "none.db"]
main.main()
"""


def test_tensorflow_loads_with_the_kernels_that_trials_had(tmp_path: Path) -> None:
    """It reads which once, when it loads, and on some processors has others by itself; this command loads it early."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("TF_")}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        cwd=tmp_path,
        env={**inherited, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "There is no study database" in done.stderr
    assert done.stdout == "kernels: 1\n"
