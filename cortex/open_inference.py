"""The V2 (Open Inference) protocol, as KServe and its clients speak it, for one model named ``genre``.

The input is one tensor ``text`` of BYTES, shape [n] or [n, 1]. The outputs have the shape [n]: ``label`` (BYTES, the first
genre, '' where the model abstains), ``score`` (FP64, its score, 0 there) and ``results`` (BYTES, the whole answer as JSON).

References
----------
Open Inference Protocol, HTTP/REST: https://github.com/kserve/open-inference-protocol
"""

import json
import math
from collections.abc import Callable, Sequence
from typing import Any

from classifier.core.model import GenreModel
from cortex.noting import Notes
from cortex.predicting import MAX_ITEMS, predict_one
from cortex.wire import Problem

MODEL_NAME = "genre"
INPUT = {"name": "text", "datatype": "BYTES", "shape": [-1]}
OUTPUTS = [
    {"name": "label", "datatype": "BYTES", "shape": [-1]},
    {"name": "score", "datatype": "FP64", "shape": [-1]},
    {"name": "results", "datatype": "BYTES", "shape": [-1]},
]
_OPTIONS = ("limit", "threshold")


def server_metadata(version: str) -> dict[str, Any]:
    """Return what the server is."""
    return {"name": "genre-detector", "version": version, "extensions": []}


def model_metadata(model: GenreModel) -> dict[str, Any]:
    """Return what the model takes and gives."""
    return {
        "name": MODEL_NAME,
        "versions": [_version(model)],
        "platform": "fasttext",
        "inputs": [INPUT],
        "outputs": OUTPUTS,
    }


def infer(model: GenreModel, body: Any, notes: Notes) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return the answer to an inference request, and the single answers in it. One bad text refuses all of them.

    Raises
    ------
    Problem
    """
    if not isinstance(body, dict):
        raise Problem(400, "The body must be an object with inputs.")
    texts, names = _texts(body.get("inputs")), _wanted(body.get("outputs"))
    parameters = body.get("parameters", {})
    if not isinstance(parameters, dict):
        raise Problem(400, "parameters must be an object.")
    options = {name: parameters[name] for name in _OPTIONS if name in parameters}
    answers = [_answer(model, number, {"text": text, **options}, notes) for number, text in enumerate(texts)]
    data = {name: [_VALUE[name](answer) for answer in answers] for name in names}
    outputs = [
        {**output, "shape": [len(texts)], "data": data[name]} for output in OUTPUTS if (name := output["name"]) in data
    ]
    said = {"model_name": MODEL_NAME, "model_version": _version(model), "outputs": outputs}
    if "id" in body:
        if not isinstance(body["id"], str):
            raise Problem(400, "id must be a string.")
        said["id"] = body["id"]
    return said, answers


def _version(model: GenreModel) -> str:
    return str(model.meta["model_sha256"])


def _answer(model: GenreModel, number: int, item: dict[str, Any], notes: Notes) -> dict[str, Any]:
    try:
        return predict_one(model, item, notes)
    except Problem as problem:
        raise Problem(400, f"text {number}: {problem.title}") from problem


def _texts(inputs: Any) -> Sequence[str]:
    if not isinstance(inputs, list) or len(inputs) != 1 or not isinstance(inputs[0], dict):
        raise Problem(400, "There must be one input: the tensor text.")
    tensor = inputs[0]
    if tensor.get("name") != INPUT["name"] or tensor.get("datatype") != INPUT["datatype"]:
        raise Problem(400, 'The input must have the name "text" and the datatype "BYTES".')
    shape, data = tensor.get("shape"), tensor.get("data")
    if not isinstance(shape, list) or not all(type(size) is int and size >= 0 for size in shape):
        raise Problem(400, "shape must be a list of whole numbers.")
    if len(shape) not in (1, 2) or shape[1:] not in ([], [1]):
        raise Problem(400, f"The shape must be [n] or [n, 1], not {shape[:5]}.")
    if not isinstance(data, list):
        raise Problem(400, "data must be a list of strings; tensors as raw bytes are not read.")
    # The protocol allows both, flat and nested as the shape is.
    flat = [row[0] if isinstance(row, list) and len(row) == 1 and len(shape) == 2 else row for row in data]
    if not all(isinstance(text, str) for text in flat):
        raise Problem(400, "Every element of data must be a string.")
    if len(flat) != math.prod(shape):
        raise Problem(400, f"data has {len(flat):,} elements, and its shape says otherwise.")
    if len(flat) > MAX_ITEMS:
        raise Problem(413, f"At most {MAX_ITEMS:,} texts can be read at once.")
    return flat


def _wanted(outputs: Any) -> set[str]:
    known = {str(output["name"]) for output in OUTPUTS}
    if outputs is None or outputs == []:
        return known
    if not isinstance(outputs, list) or not all(isinstance(output, dict) for output in outputs):
        raise Problem(400, "outputs must be a list of objects.")
    names = [output.get("name") for output in outputs]
    if not all(isinstance(name, str) and name in known for name in names):
        raise Problem(400, f"The outputs are {', '.join(sorted(known))}.")
    return {str(name) for name in names}


def _first(answer: dict[str, Any]) -> dict[str, Any]:
    nothing = {"slug": "", "score": 0.0}
    return nothing if answer["abstained"] or not answer["results"] else dict(answer["results"][0])


_VALUE: dict[str, Callable[[dict[str, Any]], Any]] = {
    "label": lambda answer: _first(answer)["slug"],
    "score": lambda answer: _first(answer)["score"],
    "results": json.dumps,
}
