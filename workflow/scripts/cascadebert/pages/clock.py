"""Table 9 (not in the paper): the speed-up that is counted, and the one that a clock shows."""

from pathlib import Path

import numpy as np
import pandas as pd

from cascadebert.pages.kinds import Clock
from cascadebert.pages.tables import MISSING, write_table
from cascadebert.pages.times import clocked, read_times
from cascadebert.systems import SYSTEMS


def render(page: Clock, out: Path) -> None:
    """Write a line for each system and ratio, the batch sizes side by side."""
    frame = clocked(read_times(page.times, page.names, page.runs))
    lines = [
        ({"Task": key[0]} if len(page.names) > 1 else {}) | _line(of_key)
        for key, of_key in frame.groupby(["task", "run", "what", "target"], sort=False)
    ]
    first, shown = frame.iloc[0], set(frame["run"])
    absent = [SYSTEMS[system].label.format(k="k") for run, system in page.runs.items() if run not in shown]
    n = ", ".join(f"{rows} of {task}" for task, rows in frame.groupby("task", sort=False)["n"].max().items())
    said = [
        _machines(frame),
        f"Every system answers the same instances of the report split ({n}) in turns with the base, by the same engine,"
        f" {first['turns']} times after one to warm up; instances that have left are computed no further. Counted is"
        " the ratio on these instances, in layers and in operations; clock is the base's time over the system's in the"
        " same turn, median (least - most). Batch 1 is one instance after another.",
        "Times are of token ids; ms is of one instance, p95 the 95th percentile of single ones. Tokenising takes"
        f" {frame['tokenising_ms'].min():.2f} to {frame['tokenising_ms'].max():.2f} ms an instance beside it, which is"
        " within the time of the last lines, from text. There the pipeline of transformers answers with the base: as it"
        " comes, and at its best (half precision where the machine has it, texts in order of length). MiB is what the"
        " system adds to the peak memory of its process when it is loaded and has answered.",
        "Ratios that a system cannot have are left out"
        + (f"; {', '.join(dict.fromkeys(absent))} can have none of them." if absent else "."),
        "Times of two machines, or of two runs, are not to be compared.",
    ]
    write_table(page, out, frame, pd.DataFrame(lines).fillna(MISSING), said)


def _machines(frame: pd.DataFrame) -> str:
    """What was timed on, which can be another machine for each task."""
    tasks: dict[str, list[str]] = {}
    for task, rows in frame.groupby("task", sort=False):
        tasks.setdefault("; ".join((rows["machine"] + ", " + rows["precision"]).unique()), []).append(str(task))
    if len(tasks) == 1:
        return f"The clock of one machine: {next(iter(tasks))}."
    named = [f"{machine} ({', '.join(of)})" for machine, of in tasks.items()]
    return f"The clocks of several machines: {'; '.join(named)}."


def _line(rows: pd.DataFrame) -> dict[str, str]:
    """A system at a ratio."""
    first, line = rows.iloc[0], {}
    text = first["what"] == "text"
    line["Method"] = _method(first) + (", from text" if text else "")
    line["layers"] = MISSING if text else f"{rows['speed_up'].mean():.2f}×"
    line["FLOPs"] = MISSING if text else f"{rows['speed_up_flops'].mean():.2f}×"
    for row in rows.itertuples():
        line[f"clock, batch {row.batch_size}"] = f"{row.clock:.2f}× ({row.low:.2f} - {row.high:.2f})"
        tail = "" if np.isnan(row.p95_ms) else f" (p95 {row.p95_ms:.2f})"
        line[f"ms, batch {row.batch_size}"] = f"{row.ms:.2f}{tail}"
    line["MiB"] = MISSING if text else f"{first['memory_mb']:.0f}"
    return line


def _method(row: pd.Series) -> str:
    """What a system is called, with the ratio that it was asked for if there is a choice."""
    static = not row["system"] or SYSTEMS[row["system"]].exits == "last"
    return row["label"] if static else f"{row['target']:g}× {row['label']}"
