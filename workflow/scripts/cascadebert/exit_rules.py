"""How an instance leaves a model with exits."""

from typing import Literal

Exits = Literal["last", "entropy", "uncertainty", "patience", "confidence"]
"""last: no early exit. entropy: below a threshold (DeeBERT). uncertainty: entropy over its largest value, below a
threshold (FastBERT). patience: agreeing layers (PABEE). confidence: above a threshold (a cascade)."""
