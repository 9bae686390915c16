"""An S3 on this machine, over HTTP, as object stores speak it: moto's server in a thread."""

from contextlib import contextmanager

import boto3
from moto.server import ThreadedMotoServer

REGION = "us-east-1"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "made-up", "AWS_SECRET_ACCESS_KEY": "made-up", "AWS_DEFAULT_REGION": REGION}


class Bucket:
    """A bucket: its address, and the environment that leads there."""

    def __init__(self, address, name):
        self.uri, self.name = f"s3://{name}", name
        self.env = CREDENTIALS | {"AWS_ENDPOINT_URL": address}
        self._client = boto3.client(
            "s3",
            endpoint_url=address,
            region_name=REGION,
            aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        )
        self._client.create_bucket(Bucket=name)

    def put(self, key, data):
        """Write an object."""
        self._client.put_object(Bucket=self.name, Key=key, Body=data)

    def put_folder(self, folder, prefix):
        """Write the files of a folder, and return the address of the copy."""
        for path in folder.iterdir():
            self.put(f"{prefix}/{path.name}", path.read_bytes())
        return f"{self.uri}/{prefix}"

    def read(self, prefix):
        """Return what is below a prefix: keys without it, and bytes."""
        listed = self._client.list_objects_v2(Bucket=self.name, Prefix=f"{prefix}/").get("Contents", [])
        return {
            each["Key"].removeprefix(f"{prefix}/"): self._client.get_object(Bucket=self.name, Key=each["Key"])[
                "Body"
            ].read()
            for each in listed
        }

    def close(self):
        self._client.close()


@contextmanager
def s3_bucket(name="books"):
    """Serve S3 with one empty bucket until the block ends."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    bucket = Bucket(f"http://{host}:{port}", name)
    try:
        yield bucket
    finally:
        bucket.close()
        server.stop()
