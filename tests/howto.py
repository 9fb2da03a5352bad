"""The worked examples of docs/howto.md, which tests execute."""

import re

from smoke import ROOT


def example(first_line):
    """Code of the block whose first line, a comment, begins so; without that line."""
    text = (ROOT / "docs/howto.md").read_text(encoding="utf-8")
    blocks = [block for block in re.findall(r"```\w+\n# (.*?\n.*?)```", text, re.S) if block.startswith(first_line)]
    assert len(blocks) == 1, first_line
    return blocks[0].split("\n", 1)[1]


def before(path, folder):
    """Put an example where its first line says: in a file, before one of its lines."""
    text = (ROOT / "docs/howto.md").read_text(encoding="utf-8")
    line = re.search(rf'# {re.escape(path)}, before "(.*)"\n', text)[1].replace('\\"', '"')
    held = (folder / path).read_text(encoding="utf-8")
    assert held.count(line) == 1, line
    (folder / path).write_text(held.replace(line, example(f"{path}, before") + line), encoding="utf-8")
