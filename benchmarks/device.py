"""Our training step and our cascade at BERT-base's size on this device, in at most 8 minutes; weights are random.

    python benchmarks/device.py                     # a GPU if there is one, else the CPU
    python benchmarks/device.py --size tiny         # seconds on a CPU, to see that it runs

It needs torch, transformers, numpy, safetensors and the small libraries that our models import beside them (jaxtyping,
scipy, pandas, tokenizers, pyarrow); no Snakemake, no data, no network. It prints Markdown for docs/cost.md:
milliseconds of a training step against the cost model's `launch_ms` and `utilisation`, the clock of the cascade and of
DeeBERT at 2x, 3x and 4x, peak memory, and whether the device answers as the CPU does.
"""

import argparse
import platform
import sys
import time
from functools import partial
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow/scripts"))

from cascadebert.data.encoding import TokenRows  # noqa: E402
from cascadebert.inference.engine import Engine  # noqa: E402
from cascadebert.inference.turns import alternating  # noqa: E402
from cascadebert.metrics.costs import Shape, layer_flops  # noqa: E402
from cascadebert.metrics.exits import ExitLogits, threshold_for  # noqa: E402
from cascadebert.models.deebert import DeeBert  # noqa: E402
from cascadebert.models.encoders import untrained_encoder  # noqa: E402
from cascadebert.models.half import HALF, autocast  # noqa: E402
from cascadebert.models.members import Member  # noqa: E402

SIZES = {
    "base": {
        "hidden": 768,
        "heads": 12,
        "layers": 12,
        "words": 30522,
        "rows": 1024,
        "batches": [16, 32, 128],
        "lengths": [32, 128],
    },
    "tiny": {"hidden": 32, "heads": 2, "layers": 6, "words": 200, "rows": 32, "batches": [4], "lengths": [8, 16]},
}
CLASSES, SMALL = 3, 2


def model_of(size, layers, seed, kind=Member):
    """A model of random weights whose classifier is large enough for its confidences to spread."""
    torch.manual_seed(seed)
    config = {
        "model_type": "bert", "hidden_size": size["hidden"], "num_hidden_layers": layers, "vocab_size": size["words"],
        "num_attention_heads": size["heads"], "intermediate_size": 4 * size["hidden"],
    }  # fmt: skip
    model = kind.around(untrained_encoder(config), CLASSES)
    with torch.no_grad():
        for name, tensor in model.named_parameters():
            if "classifier.weight" in name:
                tensor.mul_(20)
    return model


def rows_of(size, n, length=None):
    """Random tokens; lengths as of MNLI's pairs, 40 on average and 128 at most, if not given."""
    rng = np.random.default_rng(0)
    lengths = np.full(n, length) if length else np.clip(rng.gamma(4, 10, n).round(), 5, 128).astype(int)
    tokens = rng.integers(5, size["words"], lengths.sum())
    return TokenRows(tokens.astype(np.int32), np.zeros(lengths.sum(), dtype=np.int8), np.cumsum(lengths), 0)


def row(*cells):
    """Print a row of a table."""
    print(f"| {' | '.join(map(str, cells))} |", flush=True)


def head(*names):
    """Print the head of a table."""
    row(*names)
    row(*("---" for _ in names))


def synchronized(device):
    """The time, when the device has ended its work."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter()


def step_ms(size, device, precision, batch, length, steps):
    """Milliseconds of a training step of the base, and the peak memory in MB on a GPU."""
    model = model_of(size, size["layers"], 0).to(device).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-5, fused=True)
    scaler = torch.amp.GradScaler(device.type, enabled=precision == "fp16")
    ids, types, mask = (torch.from_numpy(a).to(device) for a in rows_of(size, batch, length).padded(np.arange(batch)))
    inputs = {"input_ids": ids, "token_type_ids": types, "attention_mask": mask}
    labels = torch.zeros(batch, dtype=torch.int64, device=device)
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    start = 0.0
    for step in range(steps + 3):
        if step == 3:
            start = synchronized(device)
        with autocast(device, precision):
            loss = torch.nn.functional.cross_entropy(model(inputs)[0].float(), labels)
        scaler.scale(loss).backward()
        scaler.unscale_(optimizer)
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        scaler.step(optimizer)
        scaler.update()
        optimizer.zero_grad(set_to_none=True)
    taken = 1000 * (synchronized(device) - start) / steps
    return taken, torch.cuda.max_memory_allocated(device) / 2**20 if device.type == "cuda" else float("nan")


def gemm_tflops(device, precision, n):
    """10^12 operations a second of a large matrix product."""
    a = torch.randn(n, n, device=device, dtype=HALF.get(precision, torch.float32))
    seconds = alternating({"gemm": lambda: a @ a}, 5, device)["gemm"]
    return 2 * n**3 / np.median(seconds) / 1e12


def training(size, device, precisions, steps):
    """Steps by precision, batch and length; what the cost model would have to assume for each precision."""
    head("precision", "batch", "tokens", "ms a step", "TFLOP/s", "peak memory (MB)")
    shape, fitted = Shape(size["hidden"], 4 * size["hidden"]), {}
    for precision in precisions:
        work, taken = [], []
        for batch in size["batches"]:
            for length in size["lengths"]:
                ms, memory = step_ms(size, device, precision, batch, length, steps)
                flops = 3 * size["layers"] * batch * float(layer_flops(shape, np.array([length]))[0])
                work.append(flops)
                taken.append(ms)
                row(precision, batch, length, f"{ms:.2f}", f"{flops / ms / 1e9:.1f}", f"{memory:.0f}")
        rates = [flops / ms / 1e9 for flops, ms in zip(work, taken, strict=True)]
        fitted[precision] = (min(taken) / (3 * size["layers"]), max(rates))
    print()
    head("precision", "ms of a layer's pass, smallest step", "TFLOP/s at best", "of a large product", "share")
    for precision, (launch, rate) in fitted.items():
        peak = gemm_tflops(device, precision, 8192 if device.type == "cuda" else 512)
        row(precision, f"{launch:.3f}", f"{rate:.1f}", f"{peak:.1f}", f"{rate / peak:.2f}")


@torch.inference_mode()
def stacked(models, tokens, device, precision):
    """All exits' logits of all rows, nothing skipped."""
    rows, logits = np.arange(len(tokens.ends)), []
    for model in models:
        model.to(device).eval()
        of_model = np.empty((len(model.exit_layers), len(rows), CLASSES), dtype=np.float32)
        for some in tokens.by_length(rows, 256):
            ids, types, mask = (torch.from_numpy(array).to(device) for array in tokens.padded(some))
            with autocast(device, precision):
                answers = model({"input_ids": ids, "token_type_ids": types, "attention_mask": mask})
            of_model[:, some] = answers.float().cpu().numpy()
        logits.append(of_model)
    executed = np.cumsum([layers for model in models for layers in np.diff([0, *model.exit_layers])])
    return ExitLogits(np.concatenate(logits), executed, models[-1].exit_layers[-1])


def clocks(size, device, precisions, repeats):
    """The cascade and DeeBERT against the base alone, all by one engine, in turns."""
    head("precision", "batch", "system", "counted", "clocked (min - max)", "ms an instance", "engine's own (%)")
    tokens = rows_of(size, size["rows"])
    for precision in precisions:
        small, base = model_of(size, SMALL, 1), model_of(size, size["layers"], 2)
        deebert = model_of(size, size["layers"], 3, DeeBert)
        stacks = {
            "cascade": stacked([small, base], tokens, device, precision),
            "DeeBERT": stacked([deebert], tokens, device, precision),
        }
        engines = {
            "base": Engine([base], "last", device, precision),
            "cascade": Engine([small, base], "confidence", device, precision),
            "DeeBERT": Engine([deebert], "entropy", device, precision),
        }
        for batch in (1, 32, 256):
            some = min(len(tokens.ends), 128) if batch == 1 else len(tokens.ends)
            part = TokenRows(tokens.tokens, tokens.types, tokens.ends[:some], 0)
            settings, counted, shares = {"base": (float("nan"))}, {}, {}
            for name, stack in stacks.items():
                few = ExitLogits(stack.logits[:, :some], stack.layers, stack.full_layers)
                for target in (2, 3, 4):
                    settings[f"{name} {target}x"] = float(threshold_for(few, engines[name].exits, target))

            def run(name, engine, threshold, batch=batch, part=part, some=some, counted=counted, shares=shares):
                start = time.perf_counter()
                left = engine.answer(lambda member: part, CLASSES, threshold, batch)
                shares[name] = 100 * (1 - left.seconds / (time.perf_counter() - start))
                counted[name] = size["layers"] * some / np.array(engine.layers)[left.exit].sum()

            runs = {
                name: partial(run, name, engines[name.split()[0]], threshold) for name, threshold in settings.items()
            }
            seconds = alternating(runs, repeats, device)
            for name, of_run in seconds.items():
                ratios = np.median(seconds["base"]) / of_run
                said = f"{np.median(ratios):.2f} ({ratios.min():.2f} - {ratios.max():.2f})"
                ms, share = 1000 * np.median(of_run) / some, shares[name]
                row(precision, batch, name, f"{counted[name]:.2f}", said, f"{ms:.3f}", f"{share:.1f}")
        for model in (small, base, deebert):
            model.float().cpu()


def equality(size, device, precisions):
    """The device's answers against those of the CPU in fp32."""
    head("precision", "largest difference of a logit", "mean", "same class (%)")
    tokens, model = rows_of(size, 128), model_of(size, size["layers"], 2)
    cpu = Engine([model], "last", torch.device("cpu"), "fp32").answer(lambda member: tokens, CLASSES, float("nan"), 32)
    for precision in precisions:
        there = Engine([model], "last", device, precision).answer(lambda member: tokens, CLASSES, float("nan"), 32)
        model.float().cpu()
        apart = np.abs(there.logits - cpu.logits)
        same = 100 * np.mean(there.logits.argmax(-1) == cpu.logits.argmax(-1))
        row(precision, f"{apart.max():.5f}", f"{apart.mean():.5f}", f"{same:.1f}")


def main():
    """Print everything."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", choices=SIZES, default="base")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--steps", type=int, default=20)
    said = parser.parse_args()
    size, device = SIZES[said.size], torch.device("cuda" if torch.cuda.is_available() else "cpu")
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else f"CPU, {torch.get_num_threads()} threads"
    precisions = ["fp32", "bf16", "fp16"] if device.type == "cuda" else ["fp32", "bf16"]
    print(f"{name}, torch {torch.__version__}, Python {platform.python_version()}")
    print(f"{size['layers']} layers of {size['hidden']}, the small member has {SMALL}\n")
    for title, part in (
        ("As the CPU answers", lambda: equality(size, device, precisions)),
        ("The clock", lambda: clocks(size, device, precisions[:2], said.repeats)),
        ("A training step of the base", lambda: training(size, device, precisions, said.steps)),
    ):
        start = time.perf_counter()
        print(f"\n### {title}\n", flush=True)
        part()
        print(f"\n{time.perf_counter() - start:.0f} s", flush=True)


if __name__ == "__main__":
    main()
