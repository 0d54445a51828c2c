"""What TensorFlow reads when it loads is in a test's process what it is in our command's.

Where it leaves oneDNN's kernels off by itself, numbers of the two would differ, and tests compare them.
"""

from tuner.installation.environment import set_defaults

set_defaults()
