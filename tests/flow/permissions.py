"""What stands between the template's permissions and an engine that enforces them.

The engine judges actions and resources as AWS does, and that is what the flow tests hold the roles to. It does not
know some condition keys, takes a batch call for an action of its own, asks to send mail as if that concerned no
resource, and speaks plain HTTP, which bucket and queues refuse; those are set aside here, and asserted on the template
itself in ``tests/template`` and ``tests/unit/functions/test_roles.py``.
"""

import json
from typing import Any

from infra.local.clients import Clients

_BATCHES = {"sqs:SendMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility"}
_SENDING = "ses:SendEmail"


def set_aside_what_the_engine_cannot_judge(clients: Clients, bucket: str) -> None:
    """Rewrite the deployed policies, none of which gains an action that AWS would not have allowed."""
    iam = clients.iam()
    for role in iam.list_roles()["Roles"]:
        for name in iam.list_role_policies(RoleName=role["RoleName"])["PolicyNames"]:
            document: Any = iam.get_role_policy(RoleName=role["RoleName"], PolicyName=name)["PolicyDocument"]
            for statement in document["Statement"]:
                statement.pop("Condition", None)
                actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
                statement["Action"] = [*actions, *(f"{action}Batch" for action in actions if action in _BATCHES)]
                if _SENDING in actions:
                    statement["Resource"] = "*"
            iam.put_role_policy(RoleName=role["RoleName"], PolicyName=name, PolicyDocument=json.dumps(document))
    kms = clients.kms()
    for key in kms.list_keys()["Keys"]:
        policy = json.loads(kms.get_key_policy(KeyId=key["KeyId"], PolicyName="default")["Policy"])
        for statement in policy["Statement"]:
            statement.pop("Condition", None)
        kms.put_key_policy(KeyId=key["KeyId"], PolicyName="default", Policy=json.dumps(policy))
    clients.s3().delete_bucket_policy(Bucket=bucket)
    sqs = clients.sqs()
    for url in sqs.list_queues().get("QueueUrls", []):
        attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"]).get("Attributes", {})
        if "Policy" in attributes:
            queue_policy = json.loads(attributes["Policy"])
            allowing = [statement for statement in queue_policy["Statement"] if statement["Effect"] == "Allow"]
            kept = json.dumps({**queue_policy, "Statement": allowing}) if allowing else ""
            sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": kept})
