"""A BERT that torch exported to ONNX, back under the encoder's own names."""

import re

import onnx
import torch
from google.protobuf.message import DecodeError
from onnx import numpy_helper
from torch import Tensor

from cascadebert.layouts import Problem


def read_onnx(content: bytes, where: str) -> dict[str, Tensor]:
    """Tensors of an encoder, float32.

    The export keeps every tensor's name, whatever it was wrapped in, but for the kernels of linear layers: they are
    folded into anonymous ones, transposed to (in, out), and each is read by one MatMul node that is called by the
    layer's path.

    Args:
        content: of the file.
        where: the file, for the message.

    Raises:
        Problem: for a file that is no ONNX model, or one that holds no encoder.
    """
    try:
        graph = onnx.load_model_from_string(content).graph
    except DecodeError as error:
        raise Problem(f"{where} is not an ONNX model ({error}): get the file that was meant.") from None
    layers = {name: node.name for node in graph.node if node.op_type == "MatMul" for name in node.input}
    tensors = {}
    for held in graph.initializer:
        tensor = torch.from_numpy(numpy_helper.to_array(held).copy())
        name = held.name
        if name in layers:
            name = layers[name].removesuffix("/MatMul").replace("/", ".") + ".weight"
            tensor = tensor.T.contiguous()
        if inside := re.search(r"\b(?:embeddings|encoder\.layer|pooler)\..+", name):
            tensors[inside[0]] = tensor.float()
    if not tensors:
        raise Problem(f"{where} holds no BERT encoder: choose an export of one.")
    return tensors
