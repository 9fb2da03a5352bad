"""Puts the tables, figures and verdicts of a finished run into a page of docs, as they came out.

python docs/collect.py                                  # of the default: docs/results.md
python docs/collect.py results/glue results-glue        # of another preset: docs/results-glue.md

What stands in the page above the mark, written by hand, stays.
"""

import sys
from pathlib import Path

from PIL import Image

from cascadebert.captions import FIGURES
from cascadebert.catalogue import PAGES

DOCS = Path(__file__).parent
TABLES = [name for name in PAGES if name.startswith("table") or name == "theory"]
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
