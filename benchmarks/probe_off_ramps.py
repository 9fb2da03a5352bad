"""What the state of a sentence holds after each layer of the default's base, as its classifiers read it.

Reads a finished run of the default, or of its control at [CLS] (config/pooling/cls.yaml). For each layer of the
fine-tuned base it prints how much the state differs between training instances, what a standardised logistic regression
makes of it, and what off-ramps make of it that are trained on the same frozen states without the backbone's dropout:

    python benchmarks/probe_off_ramps.py [results]
    python benchmarks/probe_off_ramps.py results/cls
"""

from copy import deepcopy
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
import tyro
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from tyro.conf import Positional

from cascadebert.data.encoding import Encoded, read_encoded
from cascadebert.models.deebert import build_deebert
from cascadebert.models.encoders import sentence_states
from cascadebert.training.loop import start, to_batch

RATES = (1.0e-3, 1.0e-2, 1.0e-1)


def main(results: Positional[Path] = Path("results")) -> None:
    """Print one line a layer."""
    device = start(1, torch.get_num_threads())
    train, report = (read_encoded(results / f"tasks/movies/base/{part}.arrow") for part in ("training", "report"))
    weights, stage1 = results / "weights/base/model.safetensors", results / "models/movies/base/seed1.safetensors"
    model = build_deebert(weights, stage1, 6, len(train.names), freeze_embeddings=True).eval()

    def states(task: Encoded, rows: np.ndarray) -> torch.Tensor:
        found = torch.zeros(6, len(rows), model.member.encoder.config.hidden_size)
        with torch.inference_mode():
            for i in range(0, len(rows), 64):
                batch = to_batch(task, rows[i : i + 64], device)
                found[:, i : i + 64] = torch.stack(sentence_states(model.member.encoder, batch))
        return found.clone()

    rows, held = train.rows("train"), report.rows("report")
    seen, unseen = states(train, rows), states(report, held)
    labels, truth = torch.from_numpy(train.label[rows]), report.label[held]
    for layer, highway in enumerate(model.highways):
        features, held_out = seen[layer], unseen[layer]
        probe = make_pipeline(StandardScaler(), LogisticRegression(max_iter=3000, C=0.1))
        accuracy = probe.fit(features.numpy(), labels.numpy()).score(held_out.numpy(), truth)
        line = [
            f"layer {layer + 1}: sd over instances {features.std(0).mean():.5f}, logistic regression {accuracy:.3f}"
        ]
        for rate in RATES:
            ramp = deepcopy(highway).train()
            optimizer = torch.optim.AdamW(ramp.parameters(), lr=rate, weight_decay=0.0)
            for _ in range(3):
                for some in torch.randperm(len(labels)).split(32):
                    optimizer.zero_grad()
                    F.cross_entropy(ramp(features[some]), labels[some]).backward()
                    optimizer.step()
            with torch.inference_mode():
                right = ramp.eval()(held_out).argmax(-1).numpy() == truth
            line.append(f"off-ramp at lr {rate:g} {right.mean():.3f}")
        print(", ".join(line), flush=True)


if __name__ == "__main__":
    tyro.cli(main, description=__doc__)
