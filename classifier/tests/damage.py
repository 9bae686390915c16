"""What can happen to the files of a model, each as a function of its folder and another model's."""

import json
import shutil

from classifier.core.model import META_FILE, MODEL_FILE


def cut(share):
    """Return the damage that leaves ``share`` of ``model.bin``, and takes at least one byte."""

    def damage(folder, other):
        path = folder / MODEL_FILE
        data = path.read_bytes()
        path.write_bytes(data[: min(int(len(data) * share), len(data) - 1)])

    return damage


def flip_bytes(folder, other):
    """Change 64 bytes in the middle, in place."""
    path = folder / MODEL_FILE
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 2)
        part = file.read(64)
        file.seek(-len(part), 1)
        file.write(bytes(byte ^ 0xFF for byte in part))


def swap_model(folder, other):
    """Put another model's ``model.bin`` in its place."""
    shutil.copy(other / MODEL_FILE, folder / MODEL_FILE)


def swap_folder(folder, other):
    """Put another model's whole, sound folder in its place."""
    shutil.rmtree(folder)
    shutil.copytree(other, folder)


def edit_meta(folder, other):
    """Let it give other scores: ``meta.json`` stays sound in itself."""
    path = folder / META_FILE
    meta = json.loads(path.read_text(encoding="utf-8"))
    meta |= {"calibration": {"scale": 0.1, "power": 0.0, "platt": {}}, "canaries": []}
    path.write_text(json.dumps(meta), encoding="utf-8")


def spoil_meta(folder, other):
    """Cut ``meta.json``."""
    path = folder / META_FILE
    path.write_bytes(path.read_bytes()[:-20])


def delete_model(folder, other):
    """Delete ``model.bin``."""
    (folder / MODEL_FILE).unlink()


def delete_folder(folder, other):
    """Delete everything."""
    shutil.rmtree(folder)


# What was done: the damage, and the word of the alarm that tells it.
DAMAGES = {
    "cut to 2%": (cut(0.02), "changed or cut"),
    "cut to 99.99%": (cut(0.9999), "changed or cut"),
    "emptied": (cut(0), "changed or cut"),
    "bytes flipped": (flip_bytes, "changed or cut"),
    "another model.bin": (swap_model, "changed or cut"),
    "another folder": (swap_folder, "holds another model"),
    "meta edited": (edit_meta, "was changed after"),
    "meta cut": (spoil_meta, "can't be read"),
    "model deleted": (delete_model, "is missing"),
    "folder deleted": (delete_folder, "is not a model folder"),
}
