"""Where files lie in the folder of results."""

from dataclasses import dataclass
from inspect import isfunction, signature
from pathlib import PurePosixPath


@dataclass(frozen=True)
class Places:
    """Paths below a folder of results; every argument may be a wildcard in braces."""

    results: str

    def facts(self, task: str, part: str) -> str:
        """JSON on a part of a task: names of its classes, metric, rows of each split, where the text is from."""
        return f"{self.results}/tasks/{task}/{part}.json"

    def examples(self, task: str, part: str) -> str:
        """Text of a part of a task: training (train, selection), report (report, mismatched) or test."""
        return f"{self.results}/tasks/{task}/{part}.jsonl"

    def tokens(self, task: str, tokenizer: str, part: str) -> str:
        """Token ids of a part of a task under a checkpoint's tokenizer."""
        return f"{self.results}/tasks/{task}/{tokenizer}/{part}.arrow"

    def baselines(self, task: str) -> str:
        """Answers of a task's baselines of common sense."""
        return f"{self.results}/baselines/{task}.npz"

    def weights(self, name: str) -> str:
        """Tensors of a pre-trained checkpoint."""
        return f"{self.results}/weights/{name}/model.safetensors"

    def tokenizer(self, name: str) -> str:
        """tokenizer.json of a pre-trained checkpoint."""
        return f"{self.results}/weights/{name}/tokenizer.json"

    def packed(self, task: str, run: str) -> str:
        """Folder of a trained system that answers."""
        return f"{self.results}/cascades/{task}/{run}"

    def clock(self, task: str) -> str:
        """Times of a task's packed systems on this machine."""
        return f"{self.results}/clock/{task}.csv"

    def equality(self, task: str, run: str) -> str:
        """How a packed system's answers differ from the full compute."""
        return f"{self.results}/equality/{task}/{run}.csv"

    def model(self, task: str, run: str, seed: object) -> str:
        """Trained tensors."""
        return f"{self.results}/models/{task}/{run}/seed{seed}.safetensors"

    def record(self, task: str, run: str, seed: object) -> str:
        """Record of a training."""
        return f"{self.results}/models/{task}/{run}/seed{seed}.json"

    def answers(self, task: str, run: str, seed: object) -> str:
        """What a training answers to its selection split."""
        return f"{self.results}/models/{task}/{run}/seed{seed}.npz"

    def predictions(self, task: str, run: str, split: str) -> str:
        """Logits of a run on a split, all seeds."""
        return f"{self.results}/predictions/{task}/{run}/{split}.npz"

    def teacher(self, task: str, run: str, seed: object) -> str:
        """A teacher's answers to the training split."""
        return f"{self.results}/teachers/{task}/{run}/seed{seed}.npz"

    def fold(self, task: str, member: str, seed: object, fold: object) -> str:
        """Predictions of one fold; the record lies beside it as .json."""
        return f"{self.results}/difficulty/{task}/{member}/seed{seed}/fold{fold}.npz"

    def labels(self, task: str, member: str) -> str:
        """Difficulty labels."""
        return f"{self.results}/difficulty/{task}/{member}/labels.csv"

    def shuffled(self, task: str, member: str, seed: object) -> str:
        """The same, dealt out at random."""
        return f"{self.results}/difficulty/{task}/{member}/shuffled/seed{seed}.csv"

    def margin(self, task: str) -> str:
        """The selected margin."""
        return f"{self.results}/margins/{task}.json"

    def sweep(self, task: str, run: str) -> str:
        """Operating points of a run, all seeds."""
        return f"{self.results}/sweeps/{task}/{run}.csv"

    def measures(self, task: str, run: str) -> str:
        """Accuracy, DIS and ECE of each exit of a run, all seeds."""
        return f"{self.results}/measures/{task}/{run}.csv"

    def states(self, task: str, seed: object) -> str:
        """Representations at the small member's depth."""
        return f"{self.results}/states/{task}/seed{seed}.npz"

    def table(self, name: str, ending: str) -> str:
        """A table, or the verdicts."""
        return f"{self.results}/{name}.{ending}"

    def figure(self, name: str, ending: str) -> str:
        """A figure, or the frame that it shows."""
        return f"{self.results}/figures/{name}.{ending}"


def _folders() -> set[str]:
    """Folders right below a folder of results, from the paths that each method of Places makes."""
    methods = [method for name, method in vars(Places).items() if isfunction(method) and not name.startswith("_")]
    paths = [PurePosixPath(method(Places("results"), *list(signature(method).parameters)[1:])) for method in methods]
    return {path.parts[1] for path in paths if len(path.parts) > 2}


FOLDERS = _folders() | {"benchmarks", "hub", "logs", "packages", "submissions"}
"""Folders right below a folder of results; those that are added are named in rules alone."""
