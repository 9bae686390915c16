"""The real lab, as `streamlit run` starts it, on an installation of its own: ``Lab``; and runs that somebody left in it."""

import socket
import subprocess
import sys
from contextlib import contextmanager

from classifier.core.files import write_json
from conftest import copy_model
from genre_site.tests.running import ROOT, Site, _stop, _wait_for
from training.core.fit import FitParameters
from training.lab import JOB, METRICS, MODEL, RESULT, WORKER, Job


class Lab(Site):
    """A site's database and models below ``root``, and a folder for the lab's runs."""

    def __init__(self, root, folders, **options):
        super().__init__(root, folders, **options)
        self.env |= {"GENRE_LAB_DIR": str(root / "lab")}

    @contextmanager
    def serving(self):
        """Serve the lab; yield its address. What it says is in ``self.log``."""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            place = free.getsockname()
        options = ["--server.address", place[0], "--server.port", str(place[1]), "--server.fileWatcherType", "none"]
        command = [sys.executable, "-m", "streamlit", "run", "explore/app.py", *options]
        with self.log.open("w") as log:
            server = subprocess.Popen(command, cwd=ROOT, env=self.env, stdout=log, stderr=log)
            self.pid = server.pid
            try:
                _wait_for(server, place, self.log)
                yield f"http://127.0.0.1:{place[1]}"
            finally:
                code = _stop(server)
        assert code == 0, f"the lab ended with {code}:\n{self.log.read_text()}"


def leave_runs(folder, model, data, epochs):
    """Leave runs in ``folder`` as the worker leaves those that are done, each with a copy of ``model``."""
    for number, epoch in enumerate(epochs, start=1):
        run = folder / "20261101T101500000000" / f"{number:02}"
        job = Job(data, FitParameters(epoch=epoch, lr=epoch / 100), "none")
        write_json(run / JOB, job.as_json() | {"when": "2026-11-01T10:15:00+00:00"})
        copy_model(model, run / MODEL)
        figures = {name: 0.4 + (epoch + at) / 100 for at, name in enumerate(METRICS)}
        figures |= {"n_train": 1300, "n_test": 310, "average_loss": 1.5 / epoch, "seconds": 2.0 + epoch}
        write_json(run / RESULT, figures)
        write_json(run.parent / WORKER, {"pid": 1, "started": "long ago"})
