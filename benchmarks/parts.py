"""Where the time of a packed cascade goes: embeddings, one layer, all layers, and each member as a whole.

    python benchmarks/parts.py results/cascades/movies/cascadebert

Milliseconds a text, medians of five, in batches of 1 and 32 of the lengths that the folder's selection split has. A
member costs more than its layers: embeddings, the pooling of its tokens and its classifier are in no count of layers.
"""

import numpy as np
import torch
import tyro
from tabulate import tabulate
from tyro.conf import Positional

from cascadebert import Adaptive
from cascadebert.inference.turns import alternating
from cascadebert.models.encoders import embedded
from cascadebert.models.half import autocast

NAMES = ("input_ids", "token_type_ids", "attention_mask")
ROWS = 256


def main(folder: Positional[str]) -> None:
    """Print a line for each batch size."""
    system = Adaptive.from_pretrained(folder)
    models, tokens, device = system.engine.models, system.stand_ins(ROWS), torch.device("cpu")
    encoder, lines = models[-1].encoder, []
    for size in (1, 32):
        padded = [tokens.padded(rows) for rows in tokens.by_length(np.arange(len(tokens.ends)), size)]
        batches = [dict(zip(NAMES, map(torch.from_numpy, arrays), strict=True)) for arrays in padded]
        with torch.inference_mode(), autocast(device, system.engine.precision):
            states = [embedded(encoder, batch) for batch in batches]

            def layers(count: int, states: list = states) -> None:
                for at, mask in states:
                    for layer in encoder.encoder.layer[:count]:
                        at = layer(at, mask)

            def whole(index: int, batches: list = batches) -> None:
                for batch in batches:
                    models[index].pass_through(
                        range(models[index].exit_layers[-1]), *embedded(models[index].encoder, batch)
                    )

            runs = {
                "embeddings": lambda batches=batches: [embedded(encoder, batch) for batch in batches],
                "one layer": lambda: layers(1),
                "all layers": lambda: layers(len(encoder.encoder.layer)),
            }
            runs |= {name: lambda index=index: whole(index) for index, name in enumerate(system.exit_names)}
            seconds = alternating(runs, 5, device)
        lines.append([size, *(f"{1000 * np.median(taken) / len(tokens.ends):.3f}" for taken in seconds.values())])
    print(f"{torch.get_num_threads()} threads, {system.engine.precision}, milliseconds a text\n")
    print(tabulate(lines, ["batch", *seconds], tablefmt="github", disable_numparse=True))


if __name__ == "__main__":
    tyro.cli(main, description=__doc__)
