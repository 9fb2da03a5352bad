"""The trade-off figure: one artist a system as registered, and the same bytes from the same frame."""

import matplotlib.colors as colors
import numpy as np
import pandas as pd
import pytest
from matplotlib.container import ErrorbarContainer
from matplotlib.lines import Line2D

from cascadebert.figures import figure_of, plot_trade_off, save
from cascadebert.systems import SYSTEMS

NAN = float("nan")


@pytest.fixture
def frame():
    """Three points of every adaptive system, out of order; one or two of the static ones."""
    rows = []
    for i, (name, system) in enumerate(SYSTEMS.items()):
        ratios = [1.0] if name == "bert_base" else [4.0, 2.0] if system.exits == "last" else [3.0, 1.5, 5.0]
        for ratio in ratios:
            mean = 0.9 - 0.01 * i - 0.02 * ratio
            rows.append({"system": name, "speed_up": ratio, "mean": mean, "low": mean - 0.02, "high": mean + 0.02})
    return pd.DataFrame(rows)


def drawn(frame):
    """Handle of each system by its label."""
    _, (ax,) = figure_of(1)
    plot_trade_off(ax, frame)
    handles, labels = ax.get_legend_handles_labels()
    assert len(set(labels)) == len(labels)
    return ax, dict(zip(labels, handles, strict=True))


def line_of(handle):
    """The marks of a curve or of points with error bars."""
    return handle.lines[0] if isinstance(handle, ErrorbarContainer) else handle


def test_every_system_is_drawn_once_as_registered(frame):
    ax, handles = drawn(frame)
    assert set(handles) == {system.label.format(k="k") for system in SYSTEMS.values()}
    for name, system in SYSTEMS.items():
        handle, own = handles[system.label.format(k="k")], frame[frame["system"] == name].sort_values("speed_up")
        assert isinstance(handle, ErrorbarContainer if system.exits == "last" else Line2D)
        line = line_of(handle)
        assert (colors.to_hex(line.get_color()).upper(), line.get_marker()) == (system.color, system.marker)
        assert line.get_linestyle() == ("None" if system.exits == "last" else system.line)
        np.testing.assert_allclose(line.get_xydata(), np.column_stack([own["speed_up"], 100 * own["mean"]]))
    assert len(ax.lines) == len(SYSTEMS) + 2 * 2  # each of the two static systems has two lines of caps


def test_systems_are_told_apart_by_colour_or_marker():
    assert len({(system.color, system.marker) for system in SYSTEMS.values()}) == len(SYSTEMS)
    assert len({system.color for system in SYSTEMS.values()}) == len(SYSTEMS)


def test_band_of_a_curve_is_its_interval(frame):
    ax, _ = drawn(frame[frame["system"] == "pabee"])
    (band,) = (c for c in ax.collections if colors.to_hex(c.get_facecolor()[0]).upper() == SYSTEMS["pabee"].color)
    heights = band.get_paths()[0].vertices[:, 1]
    own = frame[frame["system"] == "pabee"]
    assert (heights.min(), heights.max()) == pytest.approx((100 * own["low"].min(), 100 * own["high"].max()))


def test_single_seed_is_drawn_without_intervals(frame):
    ax, handles = drawn(frame.assign(low=NAN, high=NAN))
    assert len(handles) == len(SYSTEMS)
    assert line_of(handles["BERT-base"]).get_xydata() == pytest.approx(np.array([[1.0, 88.0]]))
    (bar,) = handles["BERT-base"].lines[2]
    assert np.ptp(bar.get_segments()[0][:, 1]) == 0


def test_system_without_points_is_left_out(frame):
    _, handles = drawn(frame[frame["system"] != "pabee"])
    assert "PABEE" not in handles


def test_same_frame_gives_the_same_bytes(frame, tmp_path):
    for name in ("one", "two"):
        figure, (ax,) = figure_of(1)
        plot_trade_off(ax, frame)
        save(figure, frame, tmp_path / name / "figure.pdf")
    for end in ("pdf", "png", "csv"):
        first, second = (tmp_path / name / f"figure.{end}" for name in ("one", "two"))
        assert first.read_bytes() == second.read_bytes()
    assert sorted(path.name for path in (tmp_path / "one").iterdir()) == ["figure.csv", "figure.pdf", "figure.png"]
    assert (tmp_path / "one/figure.pdf").read_bytes().startswith(b"%PDF")
    assert (tmp_path / "one/figure.png").read_bytes().startswith(b"\x89PNG")


def test_another_frame_gives_other_bytes(frame, tmp_path):
    for name, own in (("one", frame), ("two", frame.assign(mean=frame["mean"] - 0.01))):
        figure, (ax,) = figure_of(1)
        plot_trade_off(ax, own)
        save(figure, own, tmp_path / name / "figure.pdf")
    for end in ("pdf", "png", "csv"):
        assert (tmp_path / f"one/figure.{end}").read_bytes() != (tmp_path / f"two/figure.{end}").read_bytes()


def test_plotted_frame_is_written_unrounded(frame, tmp_path):
    exact = frame.assign(mean=frame["mean"] / 3)
    save(figure_of(1)[0], exact, tmp_path / "figure.pdf")
    read = pd.read_csv(tmp_path / "figure.csv", dtype=str)
    assert list(read.columns) == list(exact.columns)
    assert [float(text) for text in read["mean"]] == exact["mean"].tolist()


def test_panels_stand_side_by_side():
    figure, axes = figure_of(3)
    assert len(axes) == len(figure.axes) == 3
    assert len({ax.get_subplotspec().rowspan.start for ax in axes}) == 1
