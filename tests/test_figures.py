"""Figures: one artist a system or class as registered, numbers in cells, and the same bytes from the same frame."""

import itertools

import matplotlib.colors as colors
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgb
from matplotlib.container import ErrorbarContainer
from matplotlib.lines import Line2D
from matplotlib.text import Text
from matplotlib.transforms import Bbox
from page_builders import LEARNED, predictions, rendered, tasks_of

from cascadebert.files import write_examples
from cascadebert.metrics.predictions import write_predictions
from cascadebert.metrics.sweeps import sweep
from cascadebert.pages import kinds
from cascadebert.pages.accuracy_by_layer import plot_layers
from cascadebert.pages.figures import figure_of, legend_above, panels_of, save
from cascadebert.pages.instances import words
from cascadebert.pages.inversions import limits, plot_dis
from cascadebert.pages.passages import lines_of, plot_probabilities, plot_texts, wrapped
from cascadebert.pages.ratings import plot_rating
from cascadebert.pages.reliability import plot_reliability
from cascadebert.pages.states import plot_states
from cascadebert.pages.styles import CLASSES, MOST_CLASSES, STYLES
from cascadebert.pages.trade_off import plot_trade_off, trade_off_figure
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
        assert isinstance(handle, ErrorbarContainer if name in static else Line2D)
        line = line_of(handle)
        assert (hex_of(line.get_color()), line.get_marker()) == STYLES[name][:2]
        assert line.get_linestyle() == ("None" if name in static else STYLES[name].line)
        x, y = line.get_xydata().T
        np.testing.assert_allclose(x, own["speed_up"], atol=0.5 if name in static else 0)
        np.testing.assert_allclose(y, 100 * own["mean"])
    assert len(ax.lines) == len(SHOWN) + 2 * len(static)  # each static system has two lines of caps


def test_static_systems_of_one_speed_up_stand_side_by_side(frame):
    _, handles = drawn(frame)
    at_two = [
        line_of(handles[SYSTEMS[name].label.format(k="k")]).get_xdata()[0]
        for name in SHOWN
        if SYSTEMS[name].exits == "last" and name != "bert_base"
    ]
    assert np.diff(at_two) == pytest.approx([0.1] * (len(at_two) - 1))
    assert np.mean(at_two) == pytest.approx(2)


def test_systems_of_a_figure_are_told_apart_without_colour():
    assert len({STYLES[name][1:] for name in SHOWN}) == len(SHOWN)


def test_band_of_a_curve_is_its_interval(frame):
    ax, _ = drawn(frame[frame["system"] == "pabee"])
    (band,) = (c for c in ax.collections if hex_of(c.get_facecolor()[0]) == STYLES["pabee"].color)
    heights = band.get_paths()[0].vertices[:, 1]
    own = frame[frame["system"] == "pabee"]
    assert (heights.min(), heights.max()) == pytest.approx((100 * own["low"].min(), 100 * own["high"].max()))


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
    figure = trade_off_figure(both, {"movies": "f1", "movies-mm": "accuracy"}, ncols=3)
    (legend,) = figure.legends
    assert {text.get_text() for text in legend.get_texts()} == {SYSTEMS[name].label.format(k="k") for name in SHOWN}
    assert [ax.get_title() for ax in figure.axes] == ["movies", "movies-mm"]
    assert [ax.get_ylabel() for ax in figure.axes] == ["F1 (%)", "accuracy (%)"]
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
    for labels in (3, 4):
        figure, axes = figure_of(1)
        for i in range(labels):
            axes[0].plot([0, 1], label=str(i))
        legend_above(figure, axes, ncols=3)
        heights.append(size_of(figure)[1] - 2.6)
    assert heights[1] == pytest.approx(2 * heights[0])
    assert heights[0] > 0.1


# --- Figure 1 ---------------------------------------------------------------------------------------------------------

TEXT = "The man, who paid $5 and then $6, is sleeping under the old bridge near the quiet river in London."
PAIR = "The man is sleeping near an old river."


@pytest.fixture
def instance():
    """Three classifiers, three classes; the second class is right."""
    odds = {"DeeBERT, layer 2": (0.6, 0.3, 0.1), "BERT-Complete-2L": (0, 1, 0), "the base": (0.1, 0.8, 0.1)}
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
    assert [bar.get_height() for bar in handles["neutral (gold)"]] == pytest.approx([30, 100, 80])
    assert len({bars[0].get_hatch() for bars in handles.values()}) == 3
    assert [label.get_text() for label in ax.get_xticklabels()] == list(instance["model"].unique())
    assert [text.get_text() for text in ax.texts] == ["60", "0", "10", "30", "100", "80", "10", "0", "10"]
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
    assert ax.get_xlabel() == f"accuracy 81.2 %\nsilhouette {shown}, 2 nearest neighbours 50.0 %"
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
    assert ax.get_legend().get_title().get_text() == "ECE (%)"
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


def test_panels_in_rows_leave_each_other_room():
    names = ["movies", "pairs", "questions", "sentences"]
    reliability = pd.concat([reliability_frame().assign(column=name) for name in names])
    check_tidy(panels_of(reliability, names, plot_reliability, height=3.2)[0])
    layers = pd.concat([layers_frame(column=name) for name in names])
    figure, axes = panels_of(layers, names, plot_layers)
    legend_above(figure, axes, ncols=3)
    check_tidy(figure)


def test_variant_without_files_is_left_out():
    frame = reliability_frame()
    _, (ax,) = figure_of(1)
    plot_reliability(ax, frame[frame["variant"] != "temperature scaling"])
    assert list(handles_of(ax)) == ["with DAR: 10.0", "without DAR: 11.0"]


@pytest.mark.parametrize(("rho", "told"), [(0.4567, "0.46 [0.30, 0.60]"), (NAN, "undefined")])
def test_share_of_difficult_instances_falls_or_not(rho, told):
    rows = [(0.5, 0.9, 0.8, 0.95), (1.5, 0.4, 0.3, 0.5)]
    frame = pd.DataFrame(rows, columns=["rating", "difficult", "low", "high"])
    figure, (ax,) = figure_of(1)
    plot_rating(ax, frame.assign(rho=rho, rho_low=0.3, rho_high=0.6))
    (container,) = ax.containers
    np.testing.assert_allclose(container.lines[0].get_xydata(), [[0.5, 90], [1.5, 40]])
    (bars,) = container.lines[2]
    np.testing.assert_allclose([bar[:, 1] for bar in bars.get_segments()], [[80, 95], [30, 50]])
    assert ax.get_xlabel() == f"rating, from the classes' border (points)\nρ: {told}"
    check_tidy(figure)


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
    frame = drawn_by(kinds.TradeOff, tmp_path, sweeps=sweeps, systems=tuple(shown_in("figure5")), baselines=False)
    curves = {(task, system): 2 for task in NAMES for system in ("cascadebert", "cascadebert_three")}
    assert frame.groupby(["column", "system"]).size().to_dict() == curves
    whole = drawn_by(kinds.TradeOff, tmp_path, sweeps=sweeps, systems=tuple(SHOWN), baselines=True)
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


def test_many_classes_with_long_names_leave_a_legend_that_can_be_read():
    names = [f"intent_{i:02}_card_payment_not_recognised" for i in range(60)]
    frame = pd.DataFrame({"class": pd.Categorical(names * 2, categories=names), "x": 0.0, "y": 0.0})
    figure, (ax,) = figure_of(1)
    plot_states(ax, frame.assign(accuracy=0.5, silhouette=0.5, neighbours=0.5))
    labels = ax.get_legend_handles_labels()[1]
    assert len(labels) == MOST_CLASSES + 1
    assert labels[-1] == "and 48 more"
    assert max(map(len, labels)) <= 26
    bars = pd.DataFrame({"model": "m", "class": names, "gold": names[-1], "probability": np.linspace(1, 0, 60) / 30})
    figure, (ax,) = figure_of(1)
    plot_probabilities(ax, bars)
    assert len(ax.containers) == MOST_CLASSES
    assert ax.get_legend_handles_labels()[1][-1].endswith("(gold)")
    assert ax.get_legend().get_title().get_text() == "the 12 likeliest of 60 classes"


def test_markup_is_drawn_as_it_is_and_letters_without_a_font_are_told(tmp_path, caplog):
    figure, (ax,) = figure_of(1)
    ax.set_title(r"$x_1^ \frac{ {a} % & # _b_ <i>")
    save(figure, pd.DataFrame({"a": [1]}), tmp_path / "fine.pdf")
    assert not caplog.text
    ax.set_title("\ue000")  # of private use: no font has it
    save(figure, pd.DataFrame({"a": [1]}), tmp_path / "odd.pdf")
    assert "odd.pdf has letters that no font here has" in caplog.text
