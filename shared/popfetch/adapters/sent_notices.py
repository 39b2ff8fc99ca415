"""Which notices were sent, in the table, kept by Powertools' idempotency."""

from collections.abc import Callable
from datetime import timedelta

from aws_lambda_powertools.utilities.idempotency import (
    DynamoDBPersistenceLayer,
    IdempotencyConfig,
    idempotent_function,
)
from aws_lambda_powertools.utilities.idempotency.exceptions import (
    IdempotencyAlreadyInProgressError,
    IdempotencyInconsistentStateError,
    IdempotencyPersistenceLayerError,
)
from aws_lambda_powertools.utilities.typing import LambdaContext

from popfetch.adapters import keys
from popfetch.domain.errors import NoticeUnderWay, StorageUnavailable

KEPT_FOR = timedelta(days=30)
"""Longer than an event can come again: dead letters are kept for 14 days."""


class SentNoticesTable:
    """``SentNotices`` on the stack's table; an invocation that dies leaves a notice free once its time is over."""

    def __init__(self, layer: DynamoDBPersistenceLayer, context: LambdaContext) -> None:
        self._layer = layer
        self._config = IdempotencyConfig(
            expires_after_seconds=int(KEPT_FOR.total_seconds()), hash_function="sha256", lambda_context=context
        )

    def once(self, notice_id: str, send: Callable[[], str]) -> str | None:
        """Call ``send`` unless this notice was sent before; returns what it returns, ``None`` if it was not called.

        What ``send`` raises is passed on, and the notice counts as not sent. Raises NoticeUnderWay while another
        invocation is at it, and StorageUnavailable.
        """
        message_ids: list[str] = []

        def send_it(*, notice_id: str) -> str:  # noqa: ARG001 - what Powertools knows it by
            message_ids.append(send())
            return message_ids[0]

        send_it_once = idempotent_function(
            send_it,
            data_keyword_argument="notice_id",
            persistence_store=self._layer,
            config=self._config,
            key_prefix=keys.NOTICE,
        )
        try:
            send_it_once(notice_id=notice_id)
        except IdempotencyAlreadyInProgressError as error:
            raise NoticeUnderWay("Another invocation is sending this notice; this one comes again.") from error
        except (IdempotencyPersistenceLayerError, IdempotencyInconsistentStateError) as error:
            raise StorageUnavailable("Noting that a notice is sent failed; the notice comes again.") from error
        return message_ids[0] if message_ids else None
