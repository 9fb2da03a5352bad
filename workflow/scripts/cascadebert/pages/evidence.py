"""What claims are judged by: every system at exactly the ratio of a claim, each instance beside itself."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from cascadebert.files import read_facts
from cascadebert.metrics.baselines import Baselines, read_baselines
from cascadebert.metrics.crossed import Crossed, interval, mean_of, of_seeds, relative
from cascadebert.metrics.exact import Exact, exit_measures, fixed
from cascadebert.metrics.predictions import check_same, read_predictions
from cascadebert.metrics.sweeps import HALVES
from cascadebert.pages.kinds import File, Task
from cascadebert.systems import SYSTEMS


@dataclass
class Evidence:
    """Systems and single exits by column; means over columns are taken as the paper's AVG is.

    Attributes:
        columns: of tables, in order.
        systems: by name and column.
        exits: measures of an exit by model ("deebert", "bert_kl", "with DAR", ...), depth and column.
        baselines: of common sense, by column.
        metrics: of the task of each column.
    """

    columns: list[str]
    systems: dict[str, dict[str, Exact]]
    exits: dict[str, dict[int, dict[str, dict[str, Crossed]]]]
    baselines: dict[str, Baselines] = field(default_factory=dict)
    metrics: dict[str, str] = field(default_factory=dict)

    def of_seeds(self, seeds: Sequence[int]) -> "Evidence":
        """The same with some of the seeds."""
        systems = {
            name: {column: of.of_seeds(seeds) for column, of in held.items()} for name, held in self.systems.items()
        }
        exits = {
            model: {
                depth: {
                    column: {name: of_seeds(of, seeds) for name, of in named.items()} for column, named in held.items()
                }
                for depth, held in by_depth.items()
            }
            for model, by_depth in self.exits.items()
        }
        return replace(self, systems=systems, exits=exits)

    def score(self, system: str, target: float) -> Crossed:
        """A system's average at exactly a ratio; it is remembered if it is not above common sense.

        Raises:
            LookupError: where a column has no such system or ratio.
        """
        return self._judged(
            f"{system} at {target:g}x", self.by_column(system, lambda of: of.score(target)), self.metrics
        )

    def area(self, system: str) -> Crossed:
        """A system's average of areas under its curve; it is remembered if it is not above common sense."""
        return self._judged(f"{system} over its curve", self.by_column(system, lambda of: of.area()), self.metrics)

    def leaving(self, system: str, target: float) -> Crossed:
        """Of what the first member gets wrong, how much leaves there; the mean over columns."""
        return mean_of(list(self.by_column(system, lambda of: of.leaving(target)).values()))

    def relative(self, better: str, worse: str, target: float, tasks_once: bool) -> Crossed:
        """Relative gain of one system over another at a ratio; with tasks_once both halves of a task count as one."""
        scores = []
        for system in (better, worse):
            of_task: dict[str, list[Crossed]] = {}
            for column, score in self.by_column(system, lambda of: of.score(target)).items():
                task = column.removesuffix(HALVES["mismatched"]) if tasks_once else column
                of_task.setdefault(task, []).append(score)
            mean = mean_of([mean_of(of) for of in of_task.values()])
            scores.append(replace(mean, unlearned=self.score(system, target).unlearned))
        return relative(*scores)

    def measure(self, name: str, model: str, layers: Sequence[int] | None = None) -> Crossed:
        """Mean of a measure (accuracy, dis, ece) of a model over columns and depths, all that it has if not given.

        NaN where one of them is: means over other columns or depths could not be set against each other.

        Raises:
            LookupError: where one of them is missing.
        """
        of_model = self.exits.get(model, {})
        depths = list(of_model) if layers is None else list(layers)
        if not (self.columns and depths) or any(set(of_model.get(depth, {})) != set(self.columns) for depth in depths):
            raise LookupError(f"{name} of {model}")
        means = {column: mean_of([of_model[depth][column][name] for depth in depths]) for column in self.columns}
        if name != "accuracy":
            return mean_of(list(means.values()))
        return self._judged(model, means, dict.fromkeys(self.metrics, "accuracy"))

    def by_column(self, system: str, statistic: Callable[[Exact], Crossed]) -> dict[str, Crossed]:
        """A statistic of a system in every column."""
        held = self.systems.get(system, {})
        if not self.columns or set(held) != set(self.columns):
            raise LookupError(system)
        return {column: statistic(held[column]) for column in self.columns}

    def _judged(self, name: str, scores: dict[str, Crossed], metrics: dict[str, str]) -> Crossed:
        """The mean of some columns' scores, with its name if it is not above that of the better baselines."""
        mean = mean_of(list(scores.values()))
        chance = [
            fixed(of, mean.seeds, self.baselines[of].better(metrics[of])) for of in scores if of in self.baselines
        ]
        learned = len(chance) < len(scores) or not interval(mean - mean_of(chance)).reaches_zero
        return mean if learned else Crossed(mean.seeds, mean.values, mean.influence, frozenset({name}))


def read_evidence(
    tasks: Sequence[Task], baselines: Sequence[Path], systems: Iterable[File], models: Iterable[File] = ()
) -> Evidence:
    """Evidence from files of predictions.

    Args:
        tasks: with facts that hold the metric, in the order of columns.
        baselines: of common sense, one a task.
        systems: predictions of each system and split, called by the system's name.
        models: predictions of models that are compared exit by exit, called as claims call them; of the depth that
            stands with them, or else of all their exits.
    """
    metrics = {task.name: read_facts(*task.facts)["metric"] for task in tasks}
    evidence = Evidence([], {}, {})
    for task, path in zip(tasks, baselines, strict=True):
        by_split = read_baselines(path)[0]
        for split, end in HALVES.items():
            if by_split[split].id.size:
                evidence.columns.append(f"{task.name}{end}")
                evidence.baselines[f"{task.name}{end}"] = by_split[split]
                evidence.metrics[f"{task.name}{end}"] = metrics[task.name]
    for file in systems:
        column = f"{file.task}{HALVES[file.split]}"
        if column in evidence.columns:
            by_seed = read_predictions(file.path)
            check_same(next(iter(by_seed.values())).id, evidence.baselines[column].id)
            rule, metric = SYSTEMS[file.of].exits, metrics[file.task]
            evidence.systems.setdefault(file.of, {})[column] = Exact(column, by_seed, rule, metric)
    for file in models:
        column = f"{file.task}{HALVES[file.split]}"
        if column in evidence.columns:
            by_seed = read_predictions(file.path)
            layers = next(iter(by_seed.values())).stack.layers.tolist()
            for i, depth in enumerate(layers):
                if file.layers in (0, depth):
                    of_depth = evidence.exits.setdefault(file.of, {}).setdefault(depth, {})
                    of_depth[column] = exit_measures(column, by_seed, i)
    return evidence
