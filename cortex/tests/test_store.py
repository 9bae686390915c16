"""Where the model comes from: a path, a file address, a store; and only the one that was meant."""

import fsspec
import pytest

from classifier.core.errors import ModelDamaged, ModelMissing
from classifier.core.model import read_meta
from cortex.served import NotReady, ServedModel
from cortex.settings import Settings
from cortex.store import ModelUnreachable, local_folder
from cortex.tests.asking import TEXT


@pytest.fixture
def remote(model_folder):
    """The small model in a store that fsspec reads."""
    store = fsspec.filesystem("memory")
    for name in ("meta.json", "model.bin"):
        store.pipe_file(f"/models/m1/{name}", (model_folder / name).read_bytes())
    yield "memory://models/m1"
    store.rm("/models", recursive=True)


def test_a_path_a_file_address_and_a_store_give_the_same_model(model_folder, model, remote):
    for uri in (str(model_folder), model_folder.as_uri(), remote, f"{remote}/"):
        assert ServedModel(Settings(model_uri=uri)).get().predict(TEXT) == model.predict(TEXT)


def test_what_was_fetched_is_gone_afterwards(remote):
    with local_folder(remote) as folder:
        assert sorted(path.name for path in folder.iterdir()) == ["meta.json", "model.bin"]
    assert not folder.exists()


def test_another_model_than_the_one_that_was_meant_is_refused_before_it_is_fetched(
    remote, model_folder, other_model_folder
):
    fsspec.filesystem("memory").rm("/models/m1/model.bin")
    meant = read_meta(other_model_folder)["model_sha256"]
    for uri in (remote, str(model_folder)):
        with pytest.raises(ModelDamaged, match="MODEL_SHA256"), local_folder(uri, sha256=meant):
            pass


def test_the_model_that_was_meant_is_served_in_a_store_too(remote, model_folder):
    sha256 = read_meta(model_folder)["model_sha256"]
    assert ServedModel(Settings(model_uri=remote, model_sha256=sha256)).get().meta["model_sha256"] == sha256


def test_a_file_that_was_changed_in_the_store_is_refused(remote):
    fsspec.filesystem("memory").pipe_file("/models/m1/model.bin", b"another")
    with pytest.raises(NotReady, match="damaged"):
        ServedModel(Settings(model_uri=remote)).get()


def test_an_absent_folder_and_a_missing_package_say_what_to_do():
    with pytest.raises(ModelMissing, match=r"meta\.json"), local_folder("memory://nowhere"):
        pass
    with pytest.raises(ModelUnreachable, match="not installed"), local_folder("abfs://user:secret@bucket/m1"):
        pass
    with pytest.raises(ModelUnreachable) as caught, local_folder("nonsense://user:secret@bucket/m1"):
        pass
    assert "secret" not in str(caught.value)


def test_a_store_that_comes_back_is_asked_again_but_not_at_once(remote, model_folder, monkeypatch):
    store = fsspec.filesystem("memory")
    store.mv("/models/m1/meta.json", "/models/m1/away")
    served = ServedModel(Settings(model_uri=remote))
    with pytest.raises(NotReady):
        served.get()
    store.mv("/models/m1/away", "/models/m1/meta.json")
    with pytest.raises(NotReady):
        served.get()
    served._retry_at = 0.0
    assert served.get().slugs
