"""A cluster of Cortex 0.42.1 on this machine, for tests: the operator's HTTP API, the load balancer, and real replicas.

A replica is the real service under gunicorn. The operator takes a caller whose signed STS request it can sign again
itself, and never sends it anywhere: the real one sends it to whatever host it names.
"""

import base64
import json
import random
import re
import threading
import time
import uuid
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import yaml
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from cortex.tests.functional.replicas import Replica

VERSION = "0.42.1"
ACCESS, SECRET = "AKIALOOPBACK", "loopback-secret"
_STS = re.compile(r"https://sts(\.[a-z0-9-]+)?\.amazonaws\.com/")
_SCHEMA = "api configuration schema can be found at https://docs.cortex.dev/v/0.42/"


class Refused(Exception):
    """An answer with another status than 200."""

    def __init__(self, kind, message, status=400):
        self.kind, self.message, self.status = kind, message, status


def check_signature(header):
    """Refuse a caller whose request was not signed with the secret of this account, or does not go to STS."""
    try:
        said = json.loads(base64.urlsafe_b64decode(header + "=" * (-len(header) % 4)))
    except ValueError as error:
        raise Refused("auth", "the authorization can't be read") from error
    if "=" in header:
        raise Refused("auth", "base64 without padding is wanted")
    if not _STS.fullmatch(said["URL"]) or said["Host"] != urlsplit(said["URL"]).hostname:
        raise Refused("auth", f"{said['URL']} is not STS")
    headers = {name: values[0] for name, values in said["Header"].items()}
    sent = headers.pop("Authorization")
    stamp = headers["X-Amz-Date"]
    request = AWSRequest(method=said["Method"], url=said["URL"], data=said["Body"], headers=headers)
    request.context["timestamp"] = stamp
    signer = SigV4Auth(Credentials(ACCESS, SECRET), "sts", "us-east-1")
    text = signer.string_to_sign(request, signer.canonical_request(request))
    age = time.time() - time.mktime(time.strptime(stamp, "%Y%m%dT%H%M%SZ")) + time.timezone
    if f"Signature={signer.signature(text, request)}" not in sent or f"Credential={ACCESS}/" not in sent:
        raise Refused("auth.invalid_signature", "SignatureDoesNotMatch: the security token is invalid", 403)
    if abs(age) > 900 or said["ContentLength"] != len(said["Body"]):
        raise Refused("auth.expired", "the signature has expired", 403)


def validate(document):
    """Refuse what the real operator's reader refuses, in its words."""
    name, kind = document.get("name", ""), document.get("kind")
    place = f"cortex.yaml: {name} ({kind})"

    def refuse(error, message):
        raise Refused(error, f"{place}: {message}\n\n{_SCHEMA}")

    if not re.fullmatch("[a-z]([-a-z0-9]*[a-z0-9])?", name) or len(name) > 42:
        refuse("urls.dns1035", "must contain only lower case letters, numbers, and dashes (max 42 chars)")
    if kind == "TrafficSplitter":
        total = sum(api["weight"] for api in document["apis"] if not api.get("shadow"))
        if total != 100:
            message = f"expected weights of all non-shadow apis to sum to 100 but found {total}"
            refuse("spec.incorrect_traffic_splitter_weight", message)
        return
    container = document["pod"]["containers"][0]
    for key, value in container["env"].items():
        if key.startswith(("CORTEX_", "KUBEXIT_")):
            refuse("spec.cortex_prefixed_env_var_not_allowed", f"{key}: such environment variables are reserved")
        if not isinstance(value, str):
            refuse("configreader.invalid_primitive_type", "invalid type (expected map of strings to strings)")
    if not re.fullmatch("[0-9.]+([a-zA-Z]*)", container["compute"]["cpu"]):
        refuse("configreader.invalid_quantity", f"cpu: {container['compute']['cpu']} is no quantity")
    if kind in ("BatchAPI", "TaskAPI") and not container.get("command"):
        refuse("spec.field_must_be_specified_for_kind", f"command must be specified for {kind} kind")
    if kind not in ("BatchAPI", "TaskAPI") and document["autoscaling"]["max_replicas"] < 1:
        refuse("spec.min_replicas_greater_than_max", "min_replicas cannot be greater than max_replicas")


class Deployed:
    """An API of the cluster and its replica."""

    def __init__(self, document):
        self.document, self.replica, self.is_updating = document, None, False
        self.id = uuid.uuid4().hex
        self.async_results = {}

    @property
    def name(self):
        return self.document["name"]

    @property
    def kind(self):
        return self.document["kind"]

    @property
    def container(self):
        return self.document["pod"]["containers"][0]


class Cluster:
    """All there is: ``images`` are model folders by the image that holds them.

    ``is_down`` makes the operator drop every connection. ``seen`` are the requests it got: method and path.
    """

    def __init__(self, root):
        self.root, self.images, self.apis, self.jobs = root, {}, {}, {}
        self.is_down, self.seen, self.mirrored = False, [], 0
        self.before_answer = lambda method, path: None
        self.lock = threading.RLock()
        self.operator = _serve(_Operator, self)
        self.ingress = _serve(_Ingress, self)
        self.random = random.Random()

    address = property(lambda self: f"http://127.0.0.1:{self.operator.server_port}")

    def endpoint(self, name):
        return f"http://127.0.0.1:{self.ingress.server_port}/{name}"

    def close(self):
        for server in (self.operator, self.ingress):
            server.shutdown()
            server.server_close()
        for api in self.apis.values():
            if api.replica:
                api.replica.stop()

    # The operator's calls.

    def deploy(self, text):
        documents = yaml.safe_load(text)
        for document in documents:
            validate(document)
        return [self._deploy(document) for document in documents]

    def _deploy(self, document):
        name, kind = document["name"], document["kind"]
        known = self.apis.get(name)
        if known and known.kind != kind:
            return {"api": None, "message": "", "error": f"{name}: cannot change the kind of a deployed api"}
        if kind == "TrafficSplitter":
            missing = [api["name"] for api in document["apis"] if api["name"] not in self.apis]
            if missing:
                return {"api": None, "message": "", "error": f"{name}: unable to find api {missing[0]}"}
        if known and known.document == document:
            return self._done(known, f"{name} is up to date")
        if known and kind == "TrafficSplitter":
            known.document = document
            return self._done(known, f"updating {name} ({kind})")
        self.apis[name] = api = Deployed(document)
        if kind in ("RealtimeAPI", "AsyncAPI") and api.container["image"] in self.images:
            api.replica = self._start(api)
        return self._done(api, f"creating {name} ({kind})")

    def _done(self, api, message):
        return {"api": {"spec": self._spec(api), "endpoint": self.endpoint(api.name)}, "message": message, "error": ""}

    def _start(self, api):
        return Replica(api.container, self.images[api.container["image"]], self.root / f"{api.name}.log")

    def _spec(self, api):
        return api.document | {"id": api.id, "submitted_api_spec": api.document}

    def known(self, name):
        if name not in self.apis:
            raise Refused("resources.api_not_deployed", f"{name} is not deployed")
        return self.apis[name]

    def counts(self, api):
        if api.kind not in ("RealtimeAPI", "AsyncAPI"):
            return {}
        least = api.document["autoscaling"]["min_replicas"]
        state = "err_image_pull" if api.replica is None else api.replica.state
        return {"requested": least, state: 1}

    def describe(self, api, *, with_spec):
        counts = self.counts(api)
        ready = counts.get("ready", 0)
        status = {
            "ready": ready,
            "requested": counts.get("requested", 0),
            "up_to_date": 0 if api.is_updating else ready,
        }
        said = {"metadata": {"name": api.name, "kind": api.kind, "id": api.id}, "status": status}
        return said | ({"spec": self._spec(api), "endpoint": self.endpoint(api.name)} if with_spec else {})

    def delete(self, name):
        api = self.known(name)
        users = [
            each.name for each in self.apis.values() if any(t["name"] == name for t in each.document.get("apis", ()))
        ]
        if users:
            raise Refused("resources.api_used_by_traffic_splitter", f"cannot delete {name}: used by {', '.join(users)}")
        del self.apis[name]
        if api.replica:
            api.replica.stop()
        return {"message": f"deleting {name}"}

    def refresh(self, name):
        """Start a new replica beside the old one, and end the old one when the new one is ready."""
        api = self.known(name)
        api.is_updating = True

        def roll():
            new, until = self._start(api), time.monotonic() + 30
            while new.state != "ready" and time.monotonic() < until:
                time.sleep(0.1)
            api.replica, old = new, api.replica
            api.is_updating = False
            old.stop()

        threading.Thread(target=roll, daemon=True).start()
        return {"message": f"updating {name} ({api.kind})"}

    # The load balancer.

    def route(self, method, path, body, headers):
        """Return status, type and body of the answer to a request of the outside."""
        name, _, rest = path.partition("?")[0].lstrip("/").partition("/")
        api = self.apis.get(name)
        if api is None:
            return 404, "text/plain", b""
        if api.kind == "TrafficSplitter":
            # The exact path alone is matched.
            return self._split(api, method, body, headers) if not rest else (404, "text/plain", b"")
        if api.kind == "BatchAPI":
            return self._job(api, method, path, body)
        if api.kind == "AsyncAPI":
            return self._queue(api, method, rest, body, headers)
        return api.replica.ask(method, f"/{rest}", body, headers) if api.replica else (503, "text/plain", b"")

    def _split(self, splitter, method, body, headers):
        targets = splitter.document["apis"]
        answering = [api for api in targets if not api.get("shadow")]
        (chosen,) = self.random.choices(answering, [api["weight"] for api in answering])
        for shadow in (api for api in targets if api.get("shadow")):
            if self.random.random() * 100 < shadow["weight"]:
                with self.lock:
                    self.mirrored += 1
                replica = self.apis[shadow["name"]].replica
                threading.Thread(target=replica.ask, args=(method, "/", body, headers), daemon=True).start()
        return self.apis[chosen["name"]].replica.ask(method, "/", body, headers)

    def _queue(self, api, method, rest, body, headers):
        if method == "GET":
            return _json(api.async_results.get(rest, {"id": rest, "status": "failed"}))
        number = uuid.uuid4().hex
        api.async_results[number] = {"id": number, "status": "in_queue"}

        def work():
            status, _, data = api.replica.ask("POST", "/", body, {**headers, "X-Cortex-Request-ID": number})
            done = {"status": "completed", "result": json.loads(data)} if status == 200 else {"status": "failed"}
            api.async_results[number] = {"id": number, **done}

        threading.Thread(target=work, daemon=True).start()
        return _json({"id": number})

    def _job(self, api, method, path, body):
        if method == "GET":
            (number,) = parse_qs(urlsplit(path).query)["jobID"]
            return _json({"api_spec": self._spec(api), "job_status": self.jobs[number]})
        job = json.loads(body)
        number = uuid.uuid4().hex[:16]
        self.jobs[number] = {"job_id": number, "status": "enqueuing"}
        items, size = job["item_list"]["items"], job["item_list"]["batch_size"]
        batches = [items[start : start + size] for start in range(0, len(items), size)]

        def work():
            replica, until = self._start(api), time.monotonic() + 30
            try:
                while replica.state == "not_ready" and time.monotonic() < until:
                    time.sleep(0.1)
                if replica.state == "failed":
                    self.jobs[number]["status"] = "worker_error"
                    return
                self.jobs[number]["status"] = "running"
                headers = {"X-Cortex-Job-ID": number, "Content-Type": "application/json"}
                said = [replica.ask("POST", "/", json.dumps(batch).encode(), headers)[0] for batch in batches]
                said.append(replica.ask("POST", "/on-job-complete", b"", headers)[0])
                self.jobs[number]["status"] = "succeeded" if set(said) == {200} else "completed_with_failures"
            finally:
                replica.stop()

        threading.Thread(target=work, daemon=True).start()
        return _json({"job_id": number, "api_name": api.name, "kind": api.kind, "workers": job["workers"]})


def _json(said):
    return 200, "application/json", json.dumps(said).encode()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Else each answer waits for the acknowledgement of its head.
    disable_nagle_algorithm = True
    wbufsize = -1

    def log_message(self, *arguments):
        pass

    def answer(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        status, kind, data = self.said(body)
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def __getattr__(self, name):
        """Answer every method: the base class looks for ``do_GET`` and its like."""
        if name.startswith("do_"):
            return self.answer
        raise AttributeError(name)


class _Ingress(_Handler):
    def said(self, body):
        sent = {name: self.headers[name] for name in ("Content-Type", "Authorization") if name in self.headers}
        return self.server.cluster.route(self.command, self.path, body or None, sent)


class _Operator(_Handler):
    def answer(self):
        if self.server.cluster.is_down:
            self.close_connection = True
            self.connection.close()
            return
        super().answer()

    def said(self, body):
        cluster, address = self.server.cluster, urlsplit(self.path)
        cluster.seen.append((self.command, address.path))
        try:
            if self.headers.get("X-Cortex-Authorization") is None:
                raise Refused("auth", "X-Cortex-Authorization is missing")
            check_signature(self.headers["X-Cortex-Authorization"])
            if address.path != "/info" and self.headers.get("CortexAPIVersion") != VERSION:
                raise Refused("version", "the API version does not match")
            cluster.before_answer(self.command, address.path)
            with cluster.lock:
                return _json(self._do(cluster, address, body))
        except Refused as error:
            return error.status, "application/json", json.dumps({"kind": error.kind, "message": error.message}).encode()

    def _do(self, cluster, address, body):
        action, _, name = address.path.strip("/").partition("/")
        match self.command, action:
            case "GET", "info":
                return {"cluster_config": {"cluster_name": "loopback", "api_version": VERSION}}
            case "POST", "deploy":
                assert parse_qs(address.query) == {"configFileName": ["cortex.yaml"], "force": ["false"]}
                return cluster.deploy(self._part(body))
            case "GET", "get" if not name:
                return [cluster.describe(api, with_spec=False) for api in cluster.apis.values()]
            case "GET", "get":
                return [cluster.describe(cluster.known(name), with_spec=True)]
            case "GET", "describe":
                api = cluster.known(name)
                return [
                    {"metadata": {"name": name, "kind": api.kind}, "status": {"replica_counts": cluster.counts(api)}}
                ]
            case "POST", "refresh":
                return cluster.refresh(name)
            case "DELETE", "delete":
                assert parse_qs(address.query) == {"apiName": [name], "keepCache": ["false"]}
                return cluster.delete(name)
            case "GET", "logs":
                cluster.known(name)
                return {"log_url": f"https://console.aws.amazon.com/cloudwatch/home#{name}"}
        raise Refused("routes", "not found", 404)

    def _part(self, body):
        boundary = self.headers["Content-Type"].partition("boundary=")[2].encode()
        first, last = body.split(b"--" + boundary)[1:]
        head, _, content = first.partition(b"\r\n\r\n")
        assert (b'name="config"; filename="config"' in head, last) == (True, b"--\r\n")
        return content.decode()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request, client_address):
        # A connection that was dropped on purpose.
        pass


def _serve(handler, cluster):
    server = _Server(("127.0.0.1", 0), handler)
    server.cluster = cluster
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


@contextmanager
def cluster_at(root):
    """Run a cluster until the block ends; nothing of it is left behind."""
    cluster = Cluster(root)
    try:
        yield cluster
    finally:
        cluster.close()
