"""The V2 protocol: what KServe's clients send and read."""

import json

import pytest

from cortex.tests.asking import TEXT, call, serve

OTHER = "Whisk the butter, the sugar and the flour, then roast the garlic in the oven."
UNKNOWN = "xyzzy plugh frotz gnusto rezrov"


@pytest.fixture(scope="module")
def service(model_folder):
    return serve(model_folder)


def tensor(*texts, **other):
    return {"name": "text", "datatype": "BYTES", "shape": [len(texts)], "data": list(texts), **other}


def infer(service, *inputs, **other):
    return call(service, "POST", "/v2/models/genre/infer", {"inputs": list(inputs), **other})[:2]


def test_each_text_gets_a_label_its_score_and_the_whole_answer(service, model):
    status, answer = infer(service, tensor(TEXT, OTHER, UNKNOWN), id="42")
    label, score, results = answer["outputs"]
    assert (status, answer["model_name"], answer["id"]) == (200, "genre", "42")
    assert [output["shape"] for output in answer["outputs"]] == [[3], [3], [3]]
    assert (label["datatype"], label["data"]) == ("BYTES", ["fantasy", "cooking", ""])
    best = [model.predict(text).scores[0].score for text in (TEXT, OTHER)]
    assert (score["datatype"], score["data"]) == ("FP64", [*best, 0.0])
    assert json.loads(results["data"][0]) == call(service, "POST", "/", {"text": TEXT})[1]


def test_a_column_may_come_flat_or_nested_and_outputs_and_options_may_be_chosen(service):
    flat = infer(service, tensor(TEXT, OTHER, shape=[2, 1]), outputs=[{"name": "label"}])
    nested = infer(service, tensor(shape=[2, 1], data=[[TEXT], [OTHER]]), outputs=[{"name": "label"}])
    assert flat == nested
    assert [output["name"] for output in flat[1]["outputs"]] == ["label"]
    results = infer(service, tensor(TEXT), parameters={"limit": 1})[1]["outputs"][2]["data"]
    assert len(json.loads(results[0])["results"]) == 1


def test_no_texts_are_no_answers(service):
    assert [output["data"] for output in infer(service, tensor())[1]["outputs"]] == [[], [], []]


@pytest.mark.parametrize(
    "body",
    [
        [],
        {},
        {"inputs": [tensor(TEXT), tensor(TEXT)]},
        {"inputs": [tensor(TEXT, name="title")]},
        {"inputs": [tensor(TEXT, datatype="FP32")]},
        {"inputs": [tensor(TEXT, shape=[2])]},
        {"inputs": [tensor(TEXT, shape=[1, 1, 1])]},
        {"inputs": [tensor(TEXT, shape=[True])]},
        {"inputs": [tensor(TEXT, data="text")]},
        {"inputs": [tensor(3)]},
        {"inputs": [tensor(TEXT, "too short")]},
        {"inputs": [tensor(TEXT)], "outputs": [{"name": "mood"}]},
        {"inputs": [tensor(TEXT)], "outputs": [{"name": ["label"]}]},
        {"inputs": [tensor(TEXT)], "parameters": 3},
        {"inputs": [tensor(TEXT)], "parameters": {"limit": 0}},
        {"inputs": [tensor(TEXT)], "id": 3},
    ],
    ids=str,
)
def test_what_cannot_be_read_is_refused_in_the_shape_of_the_protocol(service, body):
    status, answer, headers = call(service, "POST", "/v2/models/genre/infer", body)
    assert (status, list(answer), headers["Content-Type"]) == (400, ["error"], "application/json")


def test_the_server_and_the_model_describe_themselves(service, model):
    assert call(service, "GET", "/v2")[1]["name"] == "genre-detector"
    about = call(service, "GET", "/v2/models/genre")[1]
    assert (about["inputs"][0]["name"], len(about["outputs"])) == ("text", 3)
    assert about["versions"] == [infer(service, tensor(TEXT))[1]["model_version"]]


def test_probes_tell_health(service, tmp_path):
    assert call(service, "GET", "/v2/health/live")[:2] == (200, {"live": True})
    assert call(service, "GET", "/v2/health/ready")[0] == 200
    assert call(service, "GET", "/v2/models/genre/ready")[:2] == (200, {"name": "genre", "ready": True})
    assert call(serve(tmp_path), "GET", "/v2/models/genre/ready")[0] == 503


def test_another_model_is_not_found(service):
    assert call(service, "POST", "/v2/models/mood/infer")[:2][0] == 404
    assert "error" in call(service, "GET", "/v2/models/mood")[1]
