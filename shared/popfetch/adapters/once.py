"""What was done under a name, in the table, kept by Powertools' idempotency."""

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING

from aws_lambda_powertools.utilities.idempotency import (
    DynamoDBPersistenceLayer,
    IdempotencyConfig,
    idempotent_function,
)
from aws_lambda_powertools.utilities.idempotency.exceptions import (
    IdempotencyAlreadyInProgressError,
    IdempotencyInconsistentStateError,
    IdempotencyPersistenceLayerError,
    IdempotencyValidationError,
)
from aws_lambda_powertools.utilities.typing import LambdaContext

from popfetch.adapters import keys
from popfetch.domain.errors import KeyReused, StorageUnavailable, UnderWay

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class OnceTable:
    """``Once`` in one partition of the table; what an invocation that died had begun is free once its time is over."""

    def __init__(
        self,
        client: "DynamoDBClient",
        table_name: str,
        context: LambdaContext,
        *,
        partition: str,
        prefix: str,
        kept_for: timedelta,
    ) -> None:
        self._layer = DynamoDBPersistenceLayer(
            table_name=table_name,
            key_attr=keys.PARTITION,
            sort_key_attr=keys.SORT,
            static_pk_value=partition,
            expiry_attr=keys.EXPIRES_AT,
            boto3_client=client,
        )
        self._config = IdempotencyConfig(
            event_key_jmespath="name",
            payload_validation_jmespath="fingerprint",
            expires_after_seconds=int(kept_for.total_seconds()),
            hash_function="sha256",
            lambda_context=context,
        )
        self._prefix = prefix

    def once(self, name: str, work: Callable[[], str], fingerprint: str = "") -> tuple[str, bool]:
        """Do ``work`` unless it was done under ``name`` before; returns its result, and whether it was done now.

        What ``work`` raises is passed on, and it counts as not done. Raises UnderWay while another invocation is at
        it, KeyReused where the same name came with another ``fingerprint``, and StorageUnavailable.
        """
        done: list[str] = []

        def do_it(*, task: dict[str, str]) -> str:  # noqa: ARG001 - what Powertools knows it by
            done.append(work())
            return done[0]

        do_it_once = idempotent_function(
            do_it,
            data_keyword_argument="task",
            persistence_store=self._layer,
            config=self._config,
            key_prefix=self._prefix,
        )
        try:
            result: str = do_it_once(task={"name": name, "fingerprint": fingerprint})
        except IdempotencyAlreadyInProgressError as error:
            raise UnderWay("The very same is being done at the moment; ask again to learn how it ends.") from error
        except IdempotencyValidationError as error:
            raise KeyReused(
                "This Idempotency-Key came with another request before; every mail needs a key of its own."
            ) from error
        except (IdempotencyPersistenceLayerError, IdempotencyInconsistentStateError) as error:
            if done:
                # It is done; only the note of it is missing, and that must not make it look undone.
                return done[0], True
            raise StorageUnavailable("Noting what is done failed; try again.") from error
        return result, bool(done)
