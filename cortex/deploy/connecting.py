"""From an address and a choice of transport to the cluster."""

import ssl

from cortex.deploy import signing
from cortex.deploy.apis import Transport
from cortex.deploy.cli import Cli
from cortex.deploy.errors import DeployError
from cortex.deploy.operator import Operator

TRANSPORTS = ("http", "cli")


def connect(address: str, *, transport: str, cli_path: str, trust: ssl.SSLContext | None) -> Transport:
    """Return the way to the operator at ``address``.

    Raises
    ------
    DeployError
    """
    if not address:
        raise DeployError("Which cluster? Name it: --operator URL, --env NAME, or GENRE_CORTEX_OPERATOR.")
    if transport == "cli":
        if not cli_path:
            raise DeployError("CORTEX_CLI_PATH must name the program of Cortex 0.42.1, or use --transport http.")
        return Cli(cli_path, address)
    credentials = signing.aws_credentials()
    return Operator(address, authorize=lambda: signing.authorization(credentials), trust=trust)


def trusting(ca_file: str) -> ssl.SSLContext | None:
    """Return which certificates are believed: those in ``ca_file`` alone, or '' for those of this machine.

    Raises
    ------
    DeployError
    """
    if not ca_file:
        return None
    try:
        context = ssl.create_default_context(cafile=ca_file)
    except (OSError, ssl.SSLError) as error:
        raise DeployError(f"GENRE_CORTEX_CA_FILE can't be read: {error}") from error
    # Cortex's load balancers sign for “localhost”, whatever their name is; the very certificate is believed.
    context.check_hostname = False
    return context
