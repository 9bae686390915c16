"""No body, however made, breaks the service: it answers, or refuses."""

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from classifier.tests.nasty import any_text
from cortex.tests.asking import TEXT, call, serve

scalars = st.none() | st.booleans() | st.integers() | st.floats() | any_text | st.just(TEXT)
names = st.sampled_from(["text", "limit", "threshold", "inputs", "name", "\ud800", ""])
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3), max_leaves=5
)
plausible = st.fixed_dictionaries({"text": values}, optional={"limit": values, "threshold": values})
tensors = st.fixed_dictionaries(
    {"name": st.just("text"), "datatype": st.just("BYTES"), "shape": st.lists(values, max_size=3), "data": values}
)
inferences = st.fixed_dictionaries(
    {"inputs": st.lists(tensors, max_size=2)}, optional={"outputs": values, "parameters": values, "id": values}
)
bodies = st.one_of(
    st.binary(),
    st.one_of(values, plausible, st.lists(plausible, max_size=3), inferences).map(
        lambda body: json.dumps(body).encode()
    ),
)


@pytest.fixture(scope="module")
def service(model_folder):
    return serve(model_folder)


@given(bodies, st.sampled_from(["/", "/v2/models/genre/infer", "/on-job-complete"]))
@example(b'{"a":' * 50_000, "/v2/models/genre/infer")
@example(json.dumps({"text": TEXT, "threshold": 10**400}).encode(), "/")
def test_no_body_gives_a_500(service, body, path):
    status, answer, _ = call(service, "POST", path, body)
    assert status in (200, 400, 413, 422)
    assert status == 200 or (answer.get("title") or answer.get("error"))
