"""The study that the fixtures make."""

WAVES = "0f6e2c1c-5d0b-4d0e-9d55-0a5e9b6f3a11"
"""UUID of the study named "waves"."""
