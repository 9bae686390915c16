"""Who asks, as Cortex's operator wants to know it: a signed request to AWS STS, which the operator sends to learn the account.

The request is ``GetCallerIdentity``, which changes nothing; its signature holds for some minutes and for this request
alone. Whoever reads the header may be the caller for so long, which is why it goes over HTTPS alone (``operator.py``).
"""

import base64
import json
from typing import Any

from classifier.core.packages import needed
from cortex.deploy.errors import DeployError

HOST, REGION, SERVICE = "sts.amazonaws.com", "us-east-1", "sts"
_URL = f"https://{HOST}/"
_BODY = "Action=GetCallerIdentity&Version=2011-06-15"


def aws_credentials() -> Any:
    """Return the credentials that the AWS tools would use: the environment, AWS_PROFILE, a role.

    Raises
    ------
    DeployError
        When there are none.
    """
    sessions = _botocore("botocore.session")
    errors = _botocore("botocore.exceptions")
    try:
        found = sessions.Session().get_credentials()
        frozen = found and found.get_frozen_credentials()
    except errors.BotoCoreError as error:
        raise DeployError(f"The credentials for AWS can't be read: {error}") from error
    if frozen is None:
        raise DeployError(
            "There are no credentials for AWS, by which Cortex knows who asks: set AWS_PROFILE, or AWS_ACCESS_KEY_ID and "
            "AWS_SECRET_ACCESS_KEY."
        )
    return frozen


def authorization(credentials: Any) -> str:
    """Return the value of ``X-Cortex-Authorization``: the signed request as base64url without padding."""
    request = _botocore("botocore.awsrequest").AWSRequest(
        method="POST",
        url=_URL,
        data=_BODY,
        headers={
            "Content-Type": "application/x-www-form-urlencoded; charset=utf-8",
            "Content-Length": str(len(_BODY)),
            "Host": HOST,
        },
    )
    _botocore("botocore.auth").SigV4Auth(credentials, SERVICE, REGION).add_auth(request)
    said = {
        "Header": {name: [value] for name, value in request.headers.items()},
        "URL": _URL,
        "Method": "POST",
        "Host": HOST,
        "Body": _BODY,
        "ContentLength": len(_BODY),
    }
    return base64.urlsafe_b64encode(json.dumps(said).encode()).rstrip(b"=").decode()


def _botocore(module: str) -> Any:
    return needed(module, what="Speaking to Cortex", requirements="requirements-deploy.txt", error=DeployError)
