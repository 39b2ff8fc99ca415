"""What the fetch handler asks of Lambda."""


class FetchContext:
    """The context of an invocation that has ``seconds`` left, whenever it is asked."""

    function_name = "fetch"
    memory_limit_in_mb = 512
    invoked_function_arn = "arn:aws:lambda:eu-central-1:123456789012:function:fetch"
    aws_request_id = "00000000-0000-0000-0000-000000000000"

    def __init__(self, seconds: int) -> None:
        self._seconds = seconds

    def get_remaining_time_in_millis(self) -> int:
        return self._seconds * 1000
