"""Hub sources without a network: a data set's folder in the hub's layout, and a checkpoint in the hub's local cache."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from cascadebert.checkpoints import read_checkpoint, write_checkpoint

SCRIPTS = Path(__file__).parents[1] / "workflow/scripts"
REVISION = "0123456789abcdef0123456789abcdef01234567"


def offline(tmp_path, code):
    """What a program prints as JSON, in a process whose hub cache is tmp_path and which may not use the network."""
    environment = os.environ | {"HF_HOME": str(tmp_path / "hf"), "HF_HUB_OFFLINE": "1", "PYTHONPATH": str(SCRIPTS)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.strip().splitlines()[-1])


def test_data_set_with_the_hubs_layout_is_read_by_split(tmp_path):
    folder = tmp_path / "set"
    folder.mkdir()
    for name, rows in {"train": [("a", 0), ("b", 1)], "validation": [("c", 1)], "test": [("d", -1)]}.items():
        lines = [json.dumps({"sentence": text, "label": label, "idx": i}) for i, (text, label) in enumerate(rows)]
        (folder / f"{name}.jsonl").write_text("\n".join(lines) + "\n")
    found = offline(
        tmp_path,
        "import json; from cascadebert.sources import read_source\n"
        f"frames = read_source({{'source': {{'hub': {str(folder)!r}}}, 'glue': 'sst2', 'label': 'label'}})\n"
        "print(json.dumps({split: frame.to_dict('list') for split, frame in frames.items()}))",
    )
    assert found == {
        "train": {"id": ["train-0", "train-1"], "text": ["a", "b"], "label": ["negative", "positive"]},
        "report": {"id": ["report-0"], "text": ["c"], "label": ["positive"]},
        "test": {"id": ["test-0"], "text": ["d"], "label": [""]},
    }


@pytest.mark.parametrize("revision", ["main", REVISION])
def test_checkpoint_in_the_hubs_cache_is_found_by_its_revision(tmp_path, revision):
    repository = tmp_path / "hf/hub/models--some--tiny"
    write_checkpoint(repository / "snapshots" / REVISION, *read_checkpoint({"random": 2, "hidden": 16}))
    (repository / "refs").mkdir()
    (repository / "refs/main").write_text(REVISION)
    depth = offline(
        tmp_path,
        "import json; from cascadebert.checkpoints import read_checkpoint\n"
        f"config, tensors, tokenizer = read_checkpoint({{'hub': 'some/tiny', 'revision': {revision!r}}})\n"
        "print(json.dumps(config['num_hidden_layers']))",
    )
    assert depth == 2
