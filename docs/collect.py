"""Puts the tables, figures and verdicts of a finished run into a page of docs, as they came out.

python docs/collect.py                                  # of the default: docs/results.md
python docs/collect.py results/glue results-glue        # of another preset: docs/results-glue.md

What stands in the page above the mark, written by hand, stays.
"""

import sys
from pathlib import Path

from PIL import Image

from cascadebert.catalogue import PAGES

DOCS = Path(__file__).parent
TABLES = [name for name in PAGES if name.startswith("table") or name == "theory"]
FIGURES = {
    "figure1": "Figure 1: an instance that DeeBERT's off-ramp at the small member's depth gets wrong and the small"
    " complete member right, chosen by the rule in `workflow/scripts/cascadebert/pages/instances.py`.",
    "figure2": "Figure 2: accuracy by layer on the instances that DeeBERT emits there.",
    "figure3": "Figure 3: DIS of every classifier, higher is better.",
    "figure4": "Figure 4: t-SNE at the small member's depth; the numbers are computed before the projection.",
    "figure5": "Figure 5: a cascade of two members and of three; bars are 95 % t intervals over seeds.",
    "figure5_all": "Figure 5, every system: at all ratios, and at that of the static students with names and 95 % t"
    " intervals over seeds (an arrow: further than shown). In brackets the ratio of one that has none so near; the grey"
    " line is the better baseline of common sense; three members, and without DAR: of the cascade.",
    "figure6": "Figure 6 (not in the paper): reliability of the small member.",
    "figure7": "Figure 7 (not in the paper): difficulty labels against how far the mean human rating is from neutral.",
    "figure8": "Figure 8 (not in the paper): the clock against what is counted; bars: least and most of the turns.",
}
MARK = "<!-- Below this line docs/collect.py writes; above it people do. -->"
HEAD = """# What the default printed

Written by `make all && python docs/collect.py`; what it means is in the README.
"""


def main(results: Path, page: str) -> None:
    """Write a page and its figures."""
    target, folder = DOCS / f"{page}.md", "figures" + page.removeprefix("results")
    (DOCS / folder).mkdir(exist_ok=True)
    above = target.read_text().split(MARK)[0].rstrip() + "\n" if target.is_file() else HEAD
    parts = [f"{above}\n{MARK}\n\n## Verdicts on the paper's claims\n\n{(results / 'claims.md').read_text()}"]
    for name in TABLES:
        printed = results / f"{name}.md"
        if printed.is_file():
            parts.append(
                f"## {'Appendix C' if name == 'theory' else name.replace('table', 'Table ')}\n\n{printed.read_text()}"
            )
    for name, caption in FIGURES.items():
        drawn = results / f"figures/{name}.png"
        if drawn.is_file():
            with Image.open(drawn) as image:
                half = image.convert("RGB").resize((image.width // 2, image.height // 2), Image.Resampling.LANCZOS)
                half.quantize(256).save(DOCS / folder / f"{name}.png", optimize=True)
            parts.append(f"![{name}]({folder}/{name}.png)\n\n{caption}\n")
    target.write_text("\n".join(parts))


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "results"), sys.argv[2] if len(sys.argv) > 2 else "results")
