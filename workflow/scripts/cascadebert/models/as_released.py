"""The small member as the released code makes it: as deep as the base, its upper layers random (docs/method.md).

That code reads one configuration, the base's, and instantiates every member with it, so that the layers which a small
checkpoint lacks stay as they were initialised, and are trained and executed. It counts them as if they were not there.
"""

from pathlib import Path
from typing import Any

from cascadebert.files import read_json
from cascadebert.models.encoders import untrained_encoder
from cascadebert.models.members import Member, build_member


def build_as_released(weights: Path, layers: int, n_classes: int, freeze_embeddings: bool) -> Member:
    """A member whose first layers are a checkpoint's, all of them, and the rest random.

    Args:
        weights: model.safetensors of the small checkpoint.
        layers: of the base.
        n_classes: of the task.
        freeze_embeddings: keep the embeddings as pre-trained; nothing else is frozen.
    """
    said = read_json(weights.with_name("config.json"))
    pretrained = said["num_hidden_layers"]
    member = build_member(weights, pretrained, n_classes, freeze_embeddings)
    encoder: Any = member.encoder
    deep: Any = untrained_encoder(said | {"num_hidden_layers": layers})
    encoder.encoder.layer.extend(deep.encoder.layer[pretrained:])
    encoder.config.num_hidden_layers = layers
    return member
