"""One table or figure: reads the page from JSON and has the module of its kind render it."""

import json
from importlib import import_module
from pathlib import Path
from typing import get_type_hints

import tyro

from cascadebert.files import write_text
from cascadebert.pages.kinds import from_json
from cascadebert.pages.web import to_rst


def main(page: str, out: Path) -> None:
    """Render a page.

    Args:
        page: JSON of a value of cascadebert.pages.kinds.
        out: the tidy table as .csv, or the figure as .pdf; what belongs to it goes beside it.
    """
    module = import_module(f"cascadebert.pages.{json.loads(page)['kind']}")
    value = from_json(page, get_type_hints(module.render)["page"])
    module.render(value, out)
    if value.caption:
        write_text(out.with_suffix(".rst"), to_rst(value.caption))


if __name__ == "__main__":
    tyro.cli(main, description=__doc__)
