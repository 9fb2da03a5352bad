"""What a finished run judged its claims by, for the benchmarks that judge them in other ways."""

import sys
from pathlib import Path

import yaml

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow/scripts"))

from cascadebert import catalogue
from cascadebert.config import read
from cascadebert.config.overlay import merged
from cascadebert.pages.claims import read_effects
from cascadebert.pages.evidence import Evidence, read_evidence
from cascadebert.pages.statements import claims
from cascadebert.pages.verdicts import Claim, Effect


def finished(results: Path, presets: tuple[Path, ...]) -> tuple[list[Claim], Evidence, dict[str, Effect]]:
    """Claims of a run, what they are judged by, and the paper's effects.

    Args:
        results: folder of the finished run.
        presets: that were run, in their order.
    """
    files = {str(path): yaml.safe_load(path.read_text(encoding="utf-8")) for path in presets}
    told = {"results": str(results), "training": {"precision": "fp32"}}  # only captions say which precision it was
    page = catalogue.page(read(merged(files, told)), "claims")
    evidence = read_evidence(page.tasks, page.baselines, page.systems, page.models)
    listed = claims([*page.speed_ups], [*page.high], page.static, [*page.depths], page.full_layers)
    return listed, evidence, read_effects(page.effects)


def seeds_of(evidence: Evidence) -> list[int]:
    """Seeds of any system."""
    return sorted({seed for held in evidence.systems.values() for of in held.values() for seed in of.rungs})
