"""Figures: one artist a system or class as registered, numbers in cells, and the same bytes from the same frame."""

import itertools

import matplotlib.colors as colors
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgb
from matplotlib.container import ErrorbarContainer
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.transforms import Bbox
from page_builders import LEARNED, predictions, rendered, tasks_of

from cascadebert.files import write_examples
from cascadebert.metrics.predictions import write_predictions
from cascadebert.metrics.sweeps import sweep
from cascadebert.pages import kinds
from cascadebert.pages.accuracy_by_layer import plot_layers
from cascadebert.pages.figures import figure_of, legend_outside, panels_of, save
from cascadebert.pages.instances import words
from cascadebert.pages.inversions import limits, plot_dis
from cascadebert.pages.passages import instance_figure, lines_of, plot_probabilities, plot_texts, wrapped
from cascadebert.pages.ratings import NOTE, plot_rating
from cascadebert.pages.reliability import plot_reliability
from cascadebert.pages.states import plot_states, states_figure
from cascadebert.pages.styles import CLASSES, STYLES, brief, short_name
from cascadebert.pages.trade_off import comparison_figure, curves_figure, nearest, plot_at_ratio, plot_trade_off
from cascadebert.systems import SYSTEMS, shown_in

NAN = float("nan")
SHOWN = shown_in("figure5_all")


@pytest.fixture
def frame():
    """Three points of every adaptive system, out of order; one or two of the static ones."""
    rows = []
    for i, name in enumerate(SHOWN):
        ratios = [1.0] if name == "bert_base" else [4.0, 2.0] if SYSTEMS[name].exits == "last" else [3.0, 1.5, 5.0]
        for ratio in ratios:
            mean = 0.9 - 0.01 * i - 0.02 * ratio
            rows.append({"system": name, "speed_up": ratio, "mean": mean, "low": mean - 0.02, "high": mean + 0.02})
    return pd.DataFrame(rows)


def handles_of(ax):
    """Handle of each label, every label once."""
    handles, labels = ax.get_legend_handles_labels()
    assert len(set(labels)) == len(labels)
    return dict(zip(labels, handles, strict=True))


def drawn(frame):
    """Axes of the trade-off, and the handle of each system by its label."""
    _, (ax,) = figure_of(1)
    plot_trade_off(ax, frame)
    return ax, handles_of(ax)


def line_of(handle):
    """The marks of a curve or of points with error bars."""
    return handle.lines[0] if isinstance(handle, ErrorbarContainer) else handle


def hex_of(color):
    """A colour as it is registered."""
    return colors.to_hex(color).upper()


def size_of(figure):
    """Width and height in inches."""
    return tuple(figure.get_size_inches())


def check_tidy(figure):
    """Nothing sticks out of the canvas, and no panel's labels reach into another panel."""
    figure.draw_without_rendering()
    width, height = size_of(figure)
    box = figure.get_tightbbox()
    assert min(box.x0, box.y0, width - box.x1, height - box.y1) > -0.02, box
    panels = {ax.get_subplotspec(): ax.get_tightbbox() for ax in figure.axes}
    for one, other in itertools.combinations(panels.values(), 2):
        shared = Bbox.intersection(one, other)
        assert shared is None or min(shared.size) < 2, (one, other)


# --- the trade-off ----------------------------------------------------------------------------------------------------


def test_every_system_is_drawn_once_as_registered(frame):
    ax, handles = drawn(frame)
    assert set(handles) == {SYSTEMS[name].label.format(k="k") for name in SHOWN}
    static = [name for name in SHOWN if SYSTEMS[name].exits == "last"]
    for name in SHOWN:
        system = SYSTEMS[name]
        handle, own = handles[system.label.format(k="k")], frame[frame["system"] == name].sort_values("speed_up")
        line = line_of(handle)
        assert (hex_of(line.get_color()), line.get_marker()) == STYLES[name][:2]
        assert line.get_linestyle() == ("None" if name in static else STYLES[name].line)
        x, y = line.get_xydata().T
        np.testing.assert_allclose(x, own["speed_up"])  # each at its own ratio
        np.testing.assert_allclose(y, 100 * own["mean"])
    assert len(ax.lines) == len(SHOWN)


def test_systems_of_a_figure_are_told_apart_without_colour():
    assert len({STYLES[name][1:] for name in SHOWN}) == len(SHOWN)


def test_bars_of_a_curve_are_its_intervals(frame):
    rows = frame[frame["system"] == "pabee"].sort_values("speed_up")
    _, handles = drawn(rows)
    (bars,) = handles["PABEE"].lines[2]
    heights = [bar[:, 1] for bar in bars.get_segments()]
    np.testing.assert_allclose(heights, 100 * rows[["low", "high"]].to_numpy())


def test_systems_stand_by_name_at_one_ratio_the_best_on_top_and_cut_intervals_have_arrows(frame):
    wide = frame["system"] == "deebert"
    frame.loc[wide, "low"], frame.loc[wide, "high"] = frame["mean"] - 0.5, frame["mean"] + 0.5
    common = pd.DataFrame([{"system": "majority", "mean": 0.55}])
    rows = nearest(pd.concat([frame, common], ignore_index=True), 3.0)
    assert rows["mean"].is_monotonic_decreasing
    assert rows["system"].value_counts().to_dict() == dict.fromkeys([*SHOWN, "majority"], 1)
    _, (ax,) = figure_of(1)
    plot_at_ratio(ax, rows, 3.0)
    names = [label.get_text() for label in ax.get_yticklabels()]
    assert {"PABEE", "BERT-base (1×)", "PKD (4×)", "majority"} < set(names)
    marks = {
        line.get_ydata()[0]: line.get_xdata()[0] for line in ax.lines if line.get_marker() == STYLES["pabee"].marker
    }
    assert marks == pytest.approx({names.index("PABEE"): 100 * rows.set_index("system")["mean"]["pabee"]})
    assert [line.get_ydata()[0] for line in ax.lines if line.get_markersize() == 2.5] == [names.index("DeeBERT")] * 2


def test_every_system_and_ratio_of_a_column_is_in_its_two_panels(frame):
    columns = {"movies": frame[frame["system"] != "pabee"], "movies-mm": frame, "pairs": frame}
    both = pd.concat([rows.assign(column=column) for column, rows in columns.items()], ignore_index=True)
    figure = comparison_figure(both, dict.fromkeys(columns, "accuracy"), 3.0)
    check_tidy(figure)
    for curves, at_ratio, column in zip(figure.axes[::2], figure.axes[1::2], columns, strict=True):
        names = {label.get_text().split(" (")[0] for label in at_ratio.get_yticklabels()}
        assert names == {short_name(name) for name in columns[column]["system"]}
        assert curves.get_ylabel() == "accuracy (%) → better"
        assert curves.get_title() == column


def test_single_seed_is_drawn_without_intervals(frame):
    _, handles = drawn(frame.assign(low=NAN, high=NAN))
    assert len(handles) == len(SHOWN)
    assert line_of(handles["BERT-base"]).get_xydata() == pytest.approx(np.array([[1.0, 88.0]]))
    (bar,) = handles["BERT-base"].lines[2]
    assert np.ptp(bar.get_segments()[0][:, 1]) == 0


def test_system_without_points_is_left_out(frame):
    _, handles = drawn(frame[frame["system"] != "pabee"])
    assert "PABEE" not in handles


def test_legend_has_a_system_that_only_a_later_panel_shows(frame):
    columns = {"movies": frame[frame["system"] != "pabee"], "movies-mm": frame[frame["system"] != "deebert"]}
    both = pd.concat([own.assign(column=column) for column, own in columns.items()])
    figure = curves_figure(both, {"movies": "f1", "movies-mm": "accuracy"})
    (legend,) = figure.legends
    assert {text.get_text() for text in legend.get_texts()} == {SYSTEMS[name].label.format(k="k") for name in SHOWN}
    assert [ax.get_title() for ax in figure.axes] == ["movies", "movies-mm"]
    assert [ax.get_ylabel() for ax in figure.axes] == ["F1 (%) → better", "accuracy (%) → better"]
    check_tidy(figure)


# --- saving and layout ------------------------------------------------------------------------------------------------


def test_same_frame_gives_the_same_bytes_and_another_frame_other_bytes(frame, tmp_path):
    for name, own in (("one", frame), ("two", frame), ("other", frame.assign(mean=frame["mean"] - 0.01))):
        figure, (ax,) = figure_of(1)
        plot_trade_off(ax, own)
        save(figure, own, tmp_path / name / "figure.pdf")
    for end in ("pdf", "png", "csv"):
        first, second, other = ((tmp_path / name / f"figure.{end}").read_bytes() for name in ("one", "two", "other"))
        assert first == second != other
    assert sorted(path.name for path in (tmp_path / "one").iterdir()) == ["figure.csv", "figure.pdf", "figure.png"]


def test_plotted_frame_is_written_unrounded(frame, tmp_path):
    exact = frame.assign(mean=frame["mean"] / 3)
    save(figure_of(1)[0], exact, tmp_path / "figure.pdf")
    read = pd.read_csv(tmp_path / "figure.csv", dtype=str)
    assert list(read.columns) == list(exact.columns)
    assert [float(text) for text in read["mean"]] == exact["mean"].tolist()


@pytest.mark.parametrize(
    ("panels", "rows"), [(1, [1]), (2, [2]), (3, [3]), (4, [2, 2]), (5, [3, 2]), (6, [3, 3]), (7, [3, 3, 1])]
)
def test_panels_stand_in_even_rows_of_at_most_three(panels, rows):
    figure, axes = figure_of(panels)
    assert figure.axes == axes
    assert np.bincount([ax.get_subplotspec().rowspan.start for ax in axes]).tolist() == rows
    assert size_of(figure) == pytest.approx((6.3, 2.6 * len(rows)))


def test_figure_grows_by_the_height_of_its_legend():
    heights = []
    for labels in (2, 4):
        figure, axes = figure_of(1)
        for i in range(labels):
            axes[0].plot([0, 1], label=f"{i} is a name of more than a third of the width")
        legend_outside(figure, axes)
        heights.append(size_of(figure)[1] - 2.6)
        check_tidy(figure)
    assert heights[1] == pytest.approx(2 * heights[0])
    assert heights[0] > 0.1


# --- Figure 1 ---------------------------------------------------------------------------------------------------------

TEXT = "The man, who paid $5 and then $6, is sleeping under the old bridge near the quiet river in London."
PAIR = "The man is sleeping near an old river."


@pytest.fixture
def instance():
    """Three classifiers, three classes; the second class is right."""
    odds = {"DeeBERT, layer 2": (0.511, 0.3, 0.189), "BERT-Complete-2L": (0, 1, 0), "the base": (0.003, 0.996, 0.001)}
    classes = ("entailment", "neutral", "contradiction")
    rows = [(m, c, p) for m, own in odds.items() for c, p in zip(classes, own, strict=True)]
    about = {"id": "dev-7", "text": TEXT, "text_pair": PAIR, "gold": "neutral", "overlap": 0.4, "candidates": 12}
    return pd.DataFrame(rows, columns=["model", "class", "probability"]).assign(**about)


def test_shared_words_are_marked_and_nothing_is_lost():
    shared = words(TEXT) & words(PAIR)
    lines = wrapped(TEXT, shared, inches=2.0)
    assert len(lines) > 2
    assert " ".join(run for line in lines for run, _ in line) == TEXT
    marked = " ".join(run for line in lines for run, bold in line if bold)
    assert marked == "The man, is sleeping the old near the river"
    assert wrapped("x" * 130, set(), inches=6.3) == [[("x" * 60, False)], [("x" * 60 + " " + "x" * 10, False)]]


def test_lines_fit_their_width():
    figure, (ax,) = figure_of(1, height=2.0)
    plot_texts(ax, wrapped(" ".join([TEXT, PAIR] * 3), words(PAIR), inches=4.0))
    figure.draw_without_rendering()
    (box,) = ax.artists
    assert box.get_window_extent().width / figure.dpi == pytest.approx(3.8, abs=0.3)


def test_texts_stand_above_in_colour_and_bold(instance):
    figure, (ax,) = figure_of(1)
    plot_texts(ax, lines_of(instance, inches=5.6))
    figure.draw_without_rendering()
    assert figure.bbox.fully_containsx(ax.artists[0].get_window_extent().x1)
    texts = {text.get_text(): text for text in ax.artists[0].findobj(Text)}
    assert "Instance dev-7, gold label: neutral; 40 % of the words in both texts; 12 candidates" in texts
    assert (texts["The man,"].get_color(), texts["The man,"].get_weight()) == ("#D55E00", "bold")
    assert texts["who paid $5 and then $6,"].get_weight() == "normal"
    assert not texts["who paid $5 and then $6,"].get_parse_math()


def test_single_text_has_no_shared_words(instance):
    lines = lines_of(instance.assign(text_pair="", overlap=0.0), inches=5.6)
    assert not any(bold for line in lines for _, bold in line)
    assert "both texts" not in " ".join(run for line in lines for run, _ in line)


def test_bars_have_their_probabilities_and_the_gold_class_is_named(instance):
    figure, (ax,) = figure_of(1)
    plot_probabilities(ax, instance)
    handles = handles_of(ax)
    assert list(handles) == ["entailment", "neutral (gold)", "contradiction"]
    assert [bar.get_height() for bar in handles["neutral (gold)"]] == pytest.approx([30, 100, 99.6])
    assert len({bars[0].get_hatch() for bars in handles.values()}) == 3
    assert [label.get_text() for label in ax.get_xticklabels()] == list(instance["model"].unique())
    assert [text.get_text() for text in ax.texts] == ["51", "0", "<1", "30", "100", ">99", "19", "0", "<1"]
    check_tidy(figure)


# --- Figure 2 ---------------------------------------------------------------------------------------------------------


def layers_frame(**changes):
    """Two layers of three systems."""
    rows = [
        ("movies", layers, name, 100 * layers, 0.5 + 0.1 * i + 0.01 * layers, 0.1)
        for layers in (10, 2)
        for i, name in enumerate(("deebert", "bert_kl", "bert_complete"))
    ]
    frame = pd.DataFrame(rows, columns=["column", "layers", "system", "n", "mean", "reach"])
    return frame.assign(low=frame["mean"] - frame["reach"], high=frame["mean"] + frame["reach"]).assign(**changes)


@pytest.mark.parametrize("changes", [{}, {"low": NAN, "high": NAN}])
def test_layers_are_compared_with_their_sizes(changes):
    figure, (ax,) = figure_of(1)
    plot_layers(ax, layers_frame(**changes))
    handles = handles_of(ax)
    assert list(handles) == ["DeeBERT", "BERT-kL", "BERT-Complete-kL"]
    assert [label.get_text() for label in ax.get_xticklabels()] == ["2\nn = 200", "10\nn = 1000"]
    assert line_of(handles["BERT-kL"]).get_ydata() == pytest.approx([62, 70])
    assert len({line_of(handle).get_linestyle() for handle in handles.values()}) == 3
    (bar,) = handles["DeeBERT"].lines[2]
    assert np.ptp(bar.get_segments()[0][:, 1]) == pytest.approx(0 if changes else 20)
    check_tidy(figure)


def test_panel_without_a_large_enough_subset_says_so():
    frame = layers_frame()
    figure, axes = panels_of(frame, ["movies", "pairs"], plot_layers)
    assert [text.get_text() for text in axes[1].texts] == ["DeeBERT emits too few instances\nat every layer compared."]
    assert (axes[0].axison, axes[1].axison) == (True, False)
    check_tidy(figure)


# --- Figure 3 ---------------------------------------------------------------------------------------------------------


def test_cells_hold_legible_numbers_and_are_blank_without_a_model():
    rows = [("deebert", 1, 0.5), ("deebert", 2, 0.812), ("bert_kl", 2, NAN), ("bert_complete", 2, 0.9)]
    frame = pd.DataFrame(rows, columns=["system", "layers", "dis"])
    figure, (ax,) = figure_of(1, height=1.3)
    mesh = plot_dis(ax, frame, *limits(frame["dis"]))
    texts = {text.get_position(): text for text in ax.texts}
    assert {at: text.get_text() for at, text in texts.items()} == {
        (0.5, 0.5): "50.0",
        (1.5, 0.5): "81.2",
        (1.5, 1.5): "–",
        (1.5, 2.5): "90.0",
    }
    darkest, lightest = (to_rgb(texts[at].get_color()) for at in ((0.5, 0.5), (1.5, 2.5)))
    assert sum(darkest) > 2.5
    assert sum(lightest) < 0.6
    assert mesh.get_clim() == pytest.approx((50, 90))
    assert np.ma.getmaskarray(mesh.get_array()).reshape(3, 2).tolist() == [[False, False], [True, True], [True, False]]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["DeeBERT", "BERT-kL", "BERT-Complete-kL"]
    assert ax.get_ylim()[0] > ax.get_ylim()[1]  # the first row on top
    check_tidy(figure)


def test_limits_leave_out_what_is_undefined():
    assert limits(pd.Series([0.5, NAN, 0.75])) == (50, 75)
    for shares in ([NAN, NAN], [0.5]):
        low, high = limits(pd.Series(shares))
        assert low < high


# --- Figures 4, 6, 7 --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("silhouette", [0.126, NAN])
def test_classes_have_colour_and_marker_and_numbers_stand_beneath(silhouette):
    kinds = pd.Categorical(["b", "a", "b"], categories=["b", "a"])
    frame = pd.DataFrame({"class": kinds, "x": [0.0, 1, 2], "y": [0.0, 1, 4]})
    figure, (ax,) = figure_of(1)
    plot_states(ax, frame.assign(accuracy=0.8123, silhouette=silhouette, neighbours=0.5))
    first, second = ax.collections
    assert [first.get_label(), second.get_label()] == ["b", "a"]
    assert first.get_offsets().tolist() == [[0, 0], [2, 4]]
    assert (hex_of(first.get_facecolor()[0]), hex_of(second.get_facecolor()[0])) == (CLASSES[0][0], CLASSES[1][0])
    assert len(first.get_paths()[0].vertices) != len(second.get_paths()[0].vertices)  # other markers
    shown = "undefined" if np.isnan(silhouette) else "0.13"
    assert ax.get_xlabel() == f"accuracy 81.2 %; silhouette {shown},\n2 nearest neighbours 50.0 %"
    check_tidy(figure)


def reliability_frame():
    """Three variants; most bins empty."""
    frames = []
    for i, variant in enumerate(("with DAR", "without DAR", "temperature scaling")):
        bins = pd.DataFrame({"low": np.arange(10) / 10, "high": np.arange(1, 11) / 10, "n": 0})
        bins = bins.assign(confidence=NAN, accuracy=NAN, variant=variant, ece=0.1 + i / 100, column="movies")
        bins.loc[[7, 9], ["confidence", "accuracy", "n"]] = [[0.75, 0.6, 30], [0.95, 0.8, 10]]
        frames.append(bins)
    return pd.concat(frames, ignore_index=True)


def test_reliability_is_drawn_for_bins_that_hold_instances():
    figure, (ax,) = figure_of(1, height=3.2)
    plot_reliability(ax, reliability_frame())
    handles = handles_of(ax)
    assert list(handles) == ["with DAR: 10.0", "without DAR: 11.0", "temperature scaling: 12.0"]
    assert ax.get_legend().get_title().get_text() == "ECE (%), lower is better"
    for line in handles.values():
        np.testing.assert_allclose(line.get_xydata(), [[75, 60], [95, 80]])
    assert len({(line.get_marker(), line.get_linestyle()) for line in handles.values()}) == 3
    (diagonal,) = set(ax.lines) - set(handles.values())
    x, y = diagonal.get_xydata().T
    assert x.tolist() == y.tolist()
    assert hex_of(handles["with DAR: 10.0"].get_color()) == STYLES["cascadebert"].color
    (shares,) = set(figure.axes) - {ax}
    for patch in shares.patches:
        np.testing.assert_allclose(patch.get_data().values, [0] * 7 + [75, 0, 25])
        np.testing.assert_allclose(patch.get_data().edges, np.arange(0, 101, 10))
    assert len(shares.patches) == 3
    check_tidy(figure)


@pytest.mark.parametrize("n", [2, 3, 4])
def test_panels_in_rows_leave_each_other_room(n):
    names = ["movies", "pairs", "questions", "sentences"][:n]
    reliability, ratings, layers = (
        pd.concat([frame.assign(column=name) for name in names])
        for frame in (reliability_frame(), ratings_frame(), layers_frame())
    )
    check_tidy(panels_of(reliability, names, plot_reliability, height=3.2)[0])
    figure, _ = panels_of(ratings, names, plot_rating)
    figure.supxlabel(NOTE, fontsize=7)
    check_tidy(figure)
    figure, axes = panels_of(layers, names, plot_layers)
    legend_outside(figure, axes)
    check_tidy(figure)


def test_variant_without_files_is_left_out():
    frame = reliability_frame()
    _, (ax,) = figure_of(1)
    plot_reliability(ax, frame[frame["variant"] != "temperature scaling"])
    assert list(handles_of(ax)) == ["with DAR: 10.0", "without DAR: 11.0"]


@pytest.mark.parametrize(("rho", "told"), [(0.4567, "0.46 [0.30, 0.60]"), (NAN, "undefined")])
def test_share_of_difficult_instances_falls_or_not(rho, told):
    figure, (ax,) = figure_of(1)
    plot_rating(ax, ratings_frame(rho=rho))
    (container,) = ax.containers
    np.testing.assert_allclose(container.lines[0].get_xydata(), [[0.5, 90], [1.5, 40]])
    (bars,) = container.lines[2]
    np.testing.assert_allclose([bar[:, 1] for bar in bars.get_segments()], [[80, 95], [30, 50]])
    assert ax.get_xlabel() == f"ρ: {told}"
    check_tidy(figure)


def ratings_frame(**values):
    rows = [(0.5, 0.9, 0.8, 0.95), (1.5, 0.4, 0.3, 0.5)]
    frame = pd.DataFrame(rows, columns=["rating", "difficult", "low", "high"])
    return frame.assign(**{"rho": 0.4567, "rho_low": 0.3, "rho_high": 0.6} | values)


# --- whole figures, from files ----------------------------------------------------------------------------------------

NAMES = {"movies": ["negative", "positive"], "pairs": ["entailment", "neutral", "contradiction"]}
SYSTEM = {"base": "bert_base", "first2": "bert_kl", "small": "bert_complete", "two": "bert_complete"}
DEPTHS = {"deebert": [1, 2, 3], "small": [1], "two": [2], "first2": [2], "base": [3], "pabee": [1, 2, 3]}
DEPTHS |= {"cascadebert": [1, 4], "cascadebert_three": [1, 3, 6]}


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Files of two tasks and one seed, as the rules before figures write them: function to a path of each task."""
    folder = tmp_path_factory.mktemp("files")
    rng = np.random.default_rng(0)
    n = 60
    for task, names in NAMES.items():
        label = rng.integers(0, len(names), n)
        for run, layers in DEPTHS.items():
            logits = rng.normal(size=(len(layers), n, len(names)))
            logits[:, np.arange(n), label] += 1
            own = predictions(logits, label, layers, full=3, names=names)
            write_predictions(folder / f"{task}_{run}.npz", {1: own})
            about = {"task": task, "system": SYSTEM.get(run, run), "run": run, "seed": 1, "metric": "accuracy"}
            rows = sweep({"selection": own, "report": own}, SYSTEMS[about["system"]].exits, [1.5, 2.0], "accuracy")
            points = pd.DataFrame([about | row for row in rows]).drop(columns="answers").assign(**LEARNED)
            points.to_csv(folder / f"{task}_{run}_sweep.csv", index=False)
            rows = [about | {"split": "report", "layers": k, "dis": 0.5 + k / 20} for k in layers]
            pd.DataFrame(rows).to_csv(folder / f"{task}_{run}_measures.csv", index=False)
        report = pd.DataFrame(
            {"id": own.id, "split": "report", "text": "A short text", "label": np.array(names)[label]}
        )
        train = report.assign(split="train", id=[f"t{i}" for i in range(n)])
        if task == "pairs":
            report, train = report.assign(text_pair="another text"), train.assign(text_pair="one")
        else:
            train["rating"] = np.round(rng.normal(size=n), 1)
        write_examples(folder / f"{task}_report.jsonl", report)
        write_examples(folder / f"{task}_training.jsonl", train)
        right = rng.integers(0, 3, n)
        labels = pd.DataFrame({"id": train["id"], "right": right, "difficult": right < 2})
        labels.to_csv(folder / f"{task}_labels.csv", index=False)
        states = {name: rng.normal(size=(n, 8)).astype(np.float32) for name in ("deebert", "member")}
        answers = {f"{name}_answers": label for name in states}
        np.savez(folder / f"{task}_states.npz", **states, **answers, label=label, names=np.array(names), layer=1)
    return lambda *ends, tasks=NAMES: tuple(folder / f"{task}_{end}" for end in ends for task in tasks)


def of_runs(files, called, end=".npz"):
    """Files of some runs, with what each is called there and its depth where that counts."""
    return tuple(
        kinds.File(task, name, *files(f"{run}{end}", tasks=[task]), layers=layers)
        for run, (name, layers) in called.items()
        for task in NAMES
    )


def drawn_by(page, folder, tasks=NAMES, **more):
    """The frame beside a figure that was rendered from its page."""
    out = rendered(page(tasks=tasks_of(*tasks), **more), folder / "figure.pdf")
    assert out.read_bytes().startswith(b"%PDF")
    assert out.with_suffix(".png").read_bytes().startswith(b"\x89PNG")
    return pd.read_csv(out.with_suffix(".csv"))


def test_figure1_prefers_a_task_with_pairs_and_says_so_without_a_candidate(files, tmp_path):
    def told(tasks, **runs):
        ends = {"deebert": "deebert.npz", "small": "small.npz", "base": "base.npz", "examples": "report.jsonl"} | runs
        paths = {name: files(end, tasks=tasks) for name, end in ends.items()}
        return drawn_by(kinds.EasyInstance, tmp_path, tasks, seed=1, layer=1, **paths)

    frame = told(NAMES)
    assert set(frame["task"]) == {"pairs"}
    assert len(frame) == 3 * 3
    assert set(told(["movies"])["task"]) == {"movies"}
    none = told(NAMES, deebert="small.npz", base="small.npz")
    assert none[["task", "candidates"]].to_numpy().tolist() == [["pairs", 0]]


@pytest.mark.parametrize(("min_subset", "layers"), [(1, {1, 2}), (61, set())])
def test_figure2_leaves_out_small_subsets(files, tmp_path, min_subset, layers):
    called = {"deebert": ("deebert", 0), "small": ("bert_complete", 1), "two": ("bert_complete", 2)}
    called |= {"base": ("bert_complete", 3), "first2": ("bert_kl", 2)}
    told = {"runs": of_runs(files, called), "sweeps": files("deebert_sweep.csv")}
    frame = drawn_by(kinds.AccuracyByLayer, tmp_path, **told, target=2.0, min_subset=min_subset)
    assert set(frame["layers"]) == layers


def test_figure3_has_a_cell_for_every_classifier(files, tmp_path):
    called = {"deebert": ("deebert", 0), "small": ("bert_complete", 1), "first2": ("bert_kl", 2)}
    frame = drawn_by(kinds.Runs, tmp_path, kind="inversions", runs=of_runs(files, called, "_measures.csv"))
    assert frame.groupby("column").size().to_dict() == {"movies": 5, "pairs": 5}


def test_figure4_draws_two_panels_a_task(files, tmp_path):
    settings = {"perplexity": 5.0, "instances": 30, "seed": 0}
    frame = drawn_by(kinds.States, tmp_path, states=files("states.npz"), **settings)
    panels = {(task, model): 30 for task in NAMES for model in ("deebert", "member")}
    assert frame.groupby(["task", "model"]).size().to_dict() == panels


def test_figure5_compares_the_two_cascades(files, tmp_path):
    runs = ("cascadebert", "cascadebert_three", "pabee", "base", "first2")
    sweeps = files(*(f"{run}_sweep.csv" for run in runs))
    frame = drawn_by(kinds.TradeOff, tmp_path, sweeps=sweeps, systems=tuple(shown_in("figure5")))
    curves = {(task, system): 2 for task in NAMES for system in ("cascadebert", "cascadebert_three")}
    assert frame.groupby(["column", "system"]).size().to_dict() == curves
    whole = drawn_by(kinds.TradeOff, tmp_path, sweeps=sweeps, systems=tuple(SHOWN), ratio=3.0)
    assert set(whole["system"].dropna()) == {*runs[:3], "bert_base", "bert_kl", "majority"}
    assert (whole["system"] == "majority").sum() == len(NAMES)  # the better one, or the first of two as good


def test_figure6_pools_its_variants(files, tmp_path):
    called = {"small": ("with DAR", 0), "two": ("without DAR", 0)}
    frame = drawn_by(kinds.Runs, tmp_path, kind="reliability", runs=of_runs(files, called))
    assert frame.groupby(["column", "variant"])["n"].sum().tolist() == [60] * 4


def test_figure7_shows_the_tasks_with_ratings(files, tmp_path):
    def told(tasks):
        paths = {"labels": files("labels.csv", tasks=tasks), "examples": files("training.jsonl", tasks=tasks)}
        return drawn_by(kinds.Ratings, tmp_path, tasks, **paths)

    frame = told(NAMES)
    assert set(frame["column"]) == {"movies"}
    assert frame["n"].sum() == 60
    assert told(["pairs"]).empty


# --- names and texts of all kinds


def test_many_classes_with_long_names_leave_a_legend_that_can_be_read(instance):
    names = [f"intent_{i:02}_card_payment_not_recognised" for i in range(60)]
    frame = pd.DataFrame({"class": pd.Categorical(names * 2, categories=names), "x": 0.0, "y": 0.0})
    figure, (ax,) = figure_of(1)
    plot_states(ax, frame.assign(accuracy=0.5, silhouette=0.5, neighbours=0.5))
    labels = ax.get_legend_handles_labels()[1]
    assert labels[0] == "54 more classes"
    assert len(set(labels[1:])) == len(CLASSES) == 6
    assert max(map(len, labels)) <= 26
    assert sum(len(marks.get_offsets()) for marks in ax.collections) == 120
    bars = pd.DataFrame({"model": "m", "class": names, "gold": names[-1], "probability": np.linspace(1, 0, 60) / 30})
    figure, (ax,) = figure_of(1)
    plot_probabilities(ax, bars)
    assert len(ax.containers) == len(CLASSES)
    assert ax.get_legend_handles_labels()[1][-1].endswith("(gold)")
    points = pd.concat([frame.assign(model=model, layers=2) for model in ("deebert", "member")])
    numbers = {"accuracy": 0.5, "silhouette": 0.5, "neighbours": 0.5}
    texts = instance.iloc[[0] * len(names)].drop(columns=bars.columns).reset_index(drop=True)
    for figure, width, height in (
        (states_figure({"intents": points.assign(**numbers)}), 0.3, 0.5),
        (instance_figure(pd.concat([bars, texts], axis=1)), 0.8, 0.3),
    ):
        check_tidy(figure)
        box = figure.axes[-1].get_position()
        assert (box.width > width, box.height > height) == (True, True)


def test_markup_is_drawn_as_it_is_and_letters_without_a_font_are_told(tmp_path, caplog):
    figure, (ax,) = figure_of(1)
    ax.set_title(r"$x_1^ \frac{ {a} % & # _b_ <i>")
    save(figure, pd.DataFrame({"a": [1]}), tmp_path / "fine.pdf")
    assert not caplog.text
    ax.set_title("\ue000")  # of private use: no font has it
    save(figure, pd.DataFrame({"a": [1]}), tmp_path / "odd.pdf")
    assert "odd.pdf has letters that no font here has" in caplog.text


def test_a_class_that_begins_with_an_underscore_is_in_a_legend():
    ax = Figure().subplots()
    ax.scatter([0], [0], label=brief("_other"))
    assert [text.strip() for text in ax.get_legend_handles_labels()[1]] == ["_other"]
