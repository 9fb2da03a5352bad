"""CascadeBERT (Li et al., Findings of EMNLP 2021): complete members, multi-exit baselines, exits and their scores.

`from cascadebert import Cascade` is the door for one who has a trained system and texts; torch is loaded by its use.
"""

from typing import Any

__all__ = ["Adaptive", "Answer", "Cascade", "EarlyExit"]


def __getattr__(name: str) -> Any:
    """What is public, from where it is, when it is asked for."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from cascadebert.inference import adaptive

    return getattr(adaptive, name)
