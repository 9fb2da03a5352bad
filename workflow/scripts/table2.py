"""Table 2: early exit against the cascade at 2x, 3x and 4x (section 4.3)."""

import json
from pathlib import Path

import pandas as pd
import tyro

from cascadebert.records import read_json, write_csv, write_text
from cascadebert.sweeps import printed_points
from cascadebert.tables import best, entries, layout, sentences, summarised, to_latex, to_markdown, with_paper


def main(
    sweeps: list[Path], tasks: list[Path], paper: Path, spec: str, decimals: int, csv: Path, md: Path, tex: Path
) -> None:
    """Summarise operating points over seeds.

    Args:
        sweeps: of sweep_thresholds.py, every task, system and seed.
        tasks: task.json of each task, in the order of columns.
        paper: the paper's printed values.
        spec: JSON with tasks (names, in order), glue (the paper's names, or null), speed_ups, full_layers, notes.
        decimals: of scores in per cent, in md and tex.
        csv: tidy, fractions, unrounded.
        md: the paper's layout.
        tex: the same.
    """
    wanted = json.loads(spec)
    points, columns = printed_points(sweeps, wanted["tasks"])
    rows = entries(wanted["speed_ups"], wanted["full_layers"])
    tidy, by_seed = summarised(points, rows, columns)
    names = {task: glue for task, glue in zip(wanted["tasks"], wanted["glue"], strict=True) if glue}
    names |= {f"{task}-mm": f"{glue}-mm" for task, glue in names.items()}
    tidy = with_paper(tidy, pd.read_csv(paper), names)
    facts = {name: read_json(path) for name, path in zip(wanted["tasks"], tasks, strict=True)}
    text = caption(facts, columns, tidy, wanted["notes"])
    bold = best(tidy, by_seed)
    write_csv(csv, tidy.drop(columns="system"))
    write_text(md, to_markdown(layout(tidy, bold, decimals, "**{}**"), f"Table 2: {text}"))
    write_text(tex, to_latex(layout(tidy, bold, decimals, r"\textbf{{{}}}"), text))


def caption(facts: dict[str, dict], columns: list[str], tidy: pd.DataFrame, notes: list[str]) -> str:
    """Splits, sizes, seeds, and what the signs mean."""
    sizes, lacking = [], []
    for task, fact in facts.items():
        halves = [f"{fact['rows']['report']} instances"]
        if f"{task}-mm" in columns:
            halves.append(f"{fact['rows']['mismatched']} of its mismatched half")
        elif fact["rows"]["mismatched"] == 0:
            lacking.append(task)
        sizes.append(f"{task} ({fact['metric']}, {fact['rows']['train']} training instances): {' and '.join(halves)}")
    seeds = tidy["n_seeds"].max()
    return sentences(
        [
            f"Results on the report split, in per cent. {'; '.join(sizes)}.",
            f"Mean ± standard deviation over {seeds} model seeds" if seeds > 1 else "One model seed",
            "(ddof 1), in brackets the achieved speed-up in layers."
            if seeds > 1
            else "; in brackets the achieved speed-up in layers.",
            "Thresholds are chosen on the selection split for each ratio, without labels of the report split.",
            "AVG is the mean of all columns, both halves of a task counted.",
            "Bold: the best mean at a ratio, and those not told apart from it (paired over seeds, 95 % t interval).",
            "- : not available; BERT-kL needs a whole number of layers.",
            f"No mismatched half: {', '.join(lacking)}." if lacking else "",
            *notes,
        ]
    )


if __name__ == "__main__":
    tyro.cli(main, description=__doc__)
