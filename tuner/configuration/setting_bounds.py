"""How much a study may ask for, and what it has where nothing is said."""

from typing import Final

MAX_IMAGES: Final = 100_000_000
"""Six hundred times the paper's run."""

MAX_TRIALS: Final = 1_000_000
"""Of a study; where nothing counts them, none has more."""

MAX_STUDY_IMAGES: Final = 10**12
"""A million trials of a million images."""

MAX_MINUTES: Final = 1e6
"""Two years."""

MAX_TABLE_BYTES: Final = 2**36
"""Of the table of crops, 64 GiB: it is kept in memory."""

MAX_HELD_OUT_BYTES: Final = 2**34
"""Of the photos of one held-out set in float32, 16 GiB: they are kept in memory."""

MAX_BATCH_PIXELS: Final = 2**26
"""Of the crops of a batch: 16 GiB in the first layer of a VGG, which has 64 channels in float32."""

MAX_HELD_OUT: Final = 1000
"""Photos of one held-out set: their hashes are stored and exported with the study."""

SEEDS: Final = 2**31
"""How many seeds there are."""

FEWEST_TESTED: Final = 8
"""Photos without which Wilcoxon's test on the rung photos says next to nothing: of 4, one that is better decides it."""

FURTHER: Final = ("style_size", "style_tilt", "learning_rate")
"""What may be searched besides the two ratios."""

FURTHER_SEEDS: Final = 2
"""Runs of each finalist: the fewest that have a spread."""

MAX_FINALISTS: Final = 100
"""Two hundred runs, none of them pruned: far more than tell who is best."""

DEFAULT_BASELINE: Final = (1.0, 1.0, 0.1)
"""Content, style and total-variation weight of a study's first trial: nobody's, near the middle of both ranges."""

FEWEST_PUBLISHED: Final = 12
"""Trials from which on a study tries published defaults unasked: two of them, a sixth, go to these then."""

TRIALS_A_PUBLISHED: Final = 6
"""Trials of a study for each that tries published defaults: a search has four or more before it models any, which are
drawn at random else."""

FEWEST_STARTED: Final = 2
"""Trials besides the price of what they start from: the baseline, and one that is held against it."""
