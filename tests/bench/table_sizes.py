"""How large items are, as DynamoDB counts them: names and values in octets, about half an octet for each digit."""

from typing import Any

from popfetch.adapters import keys
from popfetch.domain.account import Account
from tests.builders.aws import Aws


def octets_of_item(item: dict[str, Any]) -> int:
    """The size of an item, as the client gives it."""
    return sum(len(name.encode()) + _octets(value) for name, value in item.items())


def _octets(value: dict[str, Any]) -> int:
    ((kind, content),) = value.items()
    match kind:
        case "S":
            return len(content.encode())
        case "B":
            return len(content)
        case "N":
            return len(content.strip("-.")) // 2 + 2
        case "M":
            return 3 + sum(len(name.encode()) + 1 + _octets(part) for name, part in content.items())
        case "L":
            return 3 + sum(1 + _octets(part) for part in content)
        case "SS":
            return sum(len(part.encode()) for part in content)
        case _:
            return 1


def octets_of_account(aws: Aws, account: Account) -> int:
    """All that the table holds of an account: itself, its state, its ledger, its index, its history."""
    total = 0
    for partition, prefix in (
        (keys.owner_partition(account.owner_id), keys.account_sort_prefix(account.account_id)),
        (keys.account_partition(account.account_id), ""),
    ):
        condition, values = f"{keys.PARTITION} = :partition", {":partition": {"S": partition}}
        if prefix:
            condition += f" AND begins_with({keys.SORT}, :prefix)"
            values[":prefix"] = {"S": prefix}
        pages = aws.dynamodb.get_paginator("query").paginate(
            TableName=aws.table,
            KeyConditionExpression=condition,
            ExpressionAttributeValues=values,
        )
        total += sum(octets_of_item(item) for page in pages for item in page["Items"])
    return total
