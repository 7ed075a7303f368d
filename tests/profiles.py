"""Hypothesis's profiles: `ci`, the default, and `thorough` with four times as many examples."""

from hypothesis import settings

THOROUGH = 100

settings.register_profile("ci", settings(), max_examples=THOROUGH // 4)
settings.register_profile("thorough", settings(), max_examples=THOROUGH)
settings.load_profile("ci")  # --hypothesis-profile comes later and wins


def examples(thorough: int) -> int:
    """So many under `thorough`, a quarter of them under `ci`: for settings(max_examples=...)."""
    return thorough * settings().max_examples // THOROUGH
