"""The vault: what is sealed opens for the same owner, account and direction, and for nothing else."""

import struct
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from popfetch.adapters import keys
from popfetch.adapters.credential_vault import DATA_KEY_LIFETIME, KMS_CONTEXT, WARM_KEYS, WARM_SECONDS, CredentialVault
from popfetch.adapters.dynamodb_items import from_wire, to_wire
from popfetch.domain.account import Direction
from popfetch.domain.errors import SecretUnreadable, StorageUnavailable
from popfetch.domain.secret import Secret, TokenUse
from tests.builders.accounts import NOON, OTHER_OWNER, OWNER, PASSWORD, an_account_id
from tests.builders.aws import Aws, aws

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient
    from mypy_boto3_kms.type_defs import GenerateDataKeyResponseTypeDef

ACCOUNT = an_account_id(1)
USES = [*Direction, *TokenUse]
MOTOS_KEY_ID = range(3, 3 + 36)
"""moto writes the key's id in the clear into what it encrypts; real KMS calls any change there invalid ciphertext."""


class Time:
    """A clock and a monotonic clock that move together, by hand."""

    def __init__(self) -> None:
        self.now = NOON
        self.seconds = 0.0

    def clock(self) -> datetime:
        return self.now

    def monotonic(self) -> float:
        return self.seconds

    def pass_by(self, duration: timedelta) -> None:
        self.now += duration
        self.seconds += duration.total_seconds()


class Calls:
    """Counts the calls that a client makes."""

    def __init__(self, client: Any, *operations: str) -> None:
        self.counted = dict.fromkeys(operations, 0)
        for operation in operations:
            service = client.meta.service_model.service_id.hyphenize()
            client.meta.events.register(f"before-call.{service}.{operation}", self._count)

    def _count(self, model: Any, **_: Any) -> None:
        self.counted[model.name] += 1


class Kms:
    """moto's KMS, that names what is under another key as KMS does: moto says that access is denied."""

    def __init__(self, client: "KMSClient") -> None:
        self._client = client
        self.generate_data_key = client.generate_data_key

    def decrypt(self, **request: Any) -> Any:
        try:
            return self._client.decrypt(**request)
        except ClientError as error:
            if error.response["Error"]["Code"] != "AccessDeniedException":
                raise
            raise ClientError({"Error": {"Code": "IncorrectKeyException", "Message": ""}}, "Decrypt") from error


@pytest.fixture(scope="module")
def stack() -> Iterator[Aws]:
    with aws() as built:
        yield built


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def vault(stack: Aws, time: Time) -> CredentialVault:
    stack.dynamodb.delete_item(TableName=stack.table, Key=to_wire(keys.current_data_key()))
    return a_vault(stack, time)


def a_vault(stack: Aws, time: Time, kms: Any = None) -> CredentialVault:
    return CredentialVault(
        kms or stack.kms, stack.dynamodb, stack.table, stack.key_id, clock=time.clock, monotonic=time.monotonic
    )


def current(stack: Aws) -> dict[str, Any]:
    return from_wire(stack.dynamodb.get_item(TableName=stack.table, Key=to_wire(keys.current_data_key()))["Item"])


def seal(vault: CredentialVault, password: str = PASSWORD) -> bytes:
    return vault.seal(Secret(password), OWNER, ACCOUNT, Direction.INCOMING)


def open_(vault: CredentialVault, sealed: bytes) -> str:
    return vault.open(sealed, OWNER, ACCOUNT, Direction.INCOMING).reveal()


def a_foreign_data_key(stack: Aws) -> "GenerateDataKeyResponseTypeDef":
    """A data key in the vault's own context, under another key of KMS."""
    other = stack.kms.create_key()["KeyMetadata"]["KeyId"]
    return stack.kms.generate_data_key(KeyId=other, KeySpec="AES_256", EncryptionContext=KMS_CONTEXT)


class TestSealing:
    @settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(password=st.text(max_size=200))
    def test_what_is_sealed_opens_again(self, vault: CredentialVault, password: str) -> None:
        assert open_(vault, seal(vault, password)) == password

    def test_the_password_is_not_in_what_is_sealed(self, vault: CredentialVault) -> None:
        assert PASSWORD.encode() not in seal(vault)

    def test_the_same_password_never_looks_the_same(self, vault: CredentialVault) -> None:
        assert len({seal(vault) for _ in range(50)}) == 50

    def test_opening_needs_no_table(self, vault: CredentialVault, stack: Aws, time: Time) -> None:
        sealed = seal(vault)
        blind = CredentialVault(stack.kms, None, "", stack.key_id, monotonic=time.monotonic)  # type: ignore[arg-type]
        assert open_(blind, sealed) == PASSWORD


class TestTampering:
    @pytest.mark.parametrize(
        ("owner_id", "account_id", "direction"),
        [
            (OTHER_OWNER, ACCOUNT, Direction.INCOMING),
            (OWNER, an_account_id(2), Direction.INCOMING),
            (OWNER, ACCOUNT, Direction.OUTGOING),
            (OWNER + ACCOUNT[:1], ACCOUNT[1:], Direction.INCOMING),
            (OWNER, ACCOUNT + "incoming", ""),
        ],
    )
    def test_it_opens_for_nobody_and_nothing_else(
        self, vault: CredentialVault, owner_id: str, account_id: str, direction: Any
    ) -> None:
        sealed = seal(vault)
        with pytest.raises(SecretUnreadable):
            vault.open(sealed, owner_id, account_id, direction)

    @pytest.mark.parametrize("sealed_for", USES)
    @pytest.mark.parametrize("opened_for", USES)
    @pytest.mark.parametrize("owner_id", [OWNER, OTHER_OWNER])
    @pytest.mark.parametrize("account_id", [ACCOUNT, an_account_id(2)])
    def test_each_use_of_each_account_is_its_own(
        self,
        vault: CredentialVault,
        sealed_for: Direction | TokenUse,
        opened_for: Direction | TokenUse,
        owner_id: str,
        account_id: str,
    ) -> None:
        sealed = vault.seal(Secret(PASSWORD), OWNER, ACCOUNT, sealed_for)
        if (sealed_for, owner_id, account_id) == (opened_for, OWNER, ACCOUNT):
            assert vault.open(sealed, owner_id, account_id, opened_for).reveal() == PASSWORD
        else:
            with pytest.raises(SecretUnreadable):
                vault.open(sealed, owner_id, account_id, opened_for)

    def test_the_data_key_of_another_secret_opens_nothing(self, vault: CredentialVault, time: Time) -> None:
        """Each part of a sealed secret is as it was sealed, and they do not belong together."""
        first = seal(vault)
        time.pass_by(DATA_KEY_LIFETIME)
        second = seal(vault)
        header = 3 + int.from_bytes(first[1:3])
        assert first[:header] != second[:header]
        for mixed in (first[:header] + second[header:], second[:header] + first[header:]):
            with pytest.raises(SecretUnreadable):
                open_(vault, mixed)

    @pytest.mark.parametrize("change", [lambda s: s + b"\0", lambda s: b"\0" + s, lambda s: s + s, lambda s: s[1:]])
    def test_what_is_longer_or_shifted_fails(self, vault: CredentialVault, change: Callable[[bytes], bytes]) -> None:
        with pytest.raises(SecretUnreadable):
            open_(vault, change(seal(vault)))

    def test_a_key_of_another_kms_key_opens_nothing(self, stack: Aws, time: Time) -> None:
        """Whoever may write the table and use a KMS key of their own cannot have popfetch use it."""
        vault = a_vault(stack, time, Kms(stack.kms))
        data_key = a_foreign_data_key(stack)
        header = struct.pack(">BH", 1, len(data_key["CiphertextBlob"])) + data_key["CiphertextBlob"]
        nonce, parts = bytes(12), (header, OWNER.encode(), ACCOUNT.encode(), b"incoming")
        bound = b"".join(struct.pack(">I", len(part)) + part for part in parts)
        forged = header + nonce + AESGCM(data_key["Plaintext"]).encrypt(nonce, b"forged", bound)
        with pytest.raises(SecretUnreadable):
            open_(vault, forged)

    def test_an_earlier_secret_of_the_same_place_opens_as_what_it_is(self, vault: CredentialVault) -> None:
        """Sealing says whose a secret is, not that it is the latest: a backup that is restored has to open."""
        before, after = seal(vault, "the old one"), seal(vault, "the new one")
        assert (open_(vault, before), open_(vault, after)) == ("the old one", "the new one")

    @settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(
        sealed_for=st.tuples(st.text(), st.text(), st.sampled_from(Direction)),
        opened_for=st.tuples(st.text(), st.text(), st.sampled_from(Direction)),
    )
    def test_any_swap_fails(
        self,
        vault: CredentialVault,
        sealed_for: tuple[str, str, Direction],
        opened_for: tuple[str, str, Direction],
    ) -> None:
        sealed = vault.seal(Secret(PASSWORD), *sealed_for)
        if sealed_for == opened_for:
            assert vault.open(sealed, *opened_for).reveal() == PASSWORD
        else:
            with pytest.raises(SecretUnreadable):
                vault.open(sealed, *opened_for)

    @settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300)
    @given(data=st.data())
    def test_any_flipped_bit_fails(self, vault: CredentialVault, data: st.DataObject) -> None:
        sealed = bytearray(seal(vault))
        index = data.draw(st.integers(0, len(sealed) - 1).filter(lambda at: at not in MOTOS_KEY_ID))
        sealed[index] ^= 1 << data.draw(st.integers(0, 7))
        with pytest.raises(SecretUnreadable):
            open_(vault, bytes(sealed))

    @settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(junk=st.binary(max_size=40))
    def test_junk_fails(self, vault: CredentialVault, junk: bytes) -> None:
        with pytest.raises(SecretUnreadable):
            open_(vault, junk)

    def test_every_truncation_fails(self, vault: CredentialVault) -> None:
        sealed = seal(vault)
        for length in range(len(sealed) - len(PASSWORD.encode()) - 28, len(sealed)):
            with pytest.raises(SecretUnreadable):
                open_(vault, sealed[:length])

    def test_the_words_are_clear_and_hold_no_secret(self, vault: CredentialVault) -> None:
        with pytest.raises(SecretUnreadable, match="set the password again") as failure:
            vault.open(seal(vault), OWNER, ACCOUNT, Direction.OUTGOING)
        error: BaseException | None = failure.value
        while error:
            assert PASSWORD not in repr(error)
            assert PASSWORD not in str(error)
            error = error.__cause__ or error.__context__


class TestDataKeys:
    def test_many_secrets_cost_one_call_to_kms(self, vault: CredentialVault, stack: Aws) -> None:
        calls = Calls(stack.kms, "GenerateDataKey", "Decrypt")
        for _ in range(20):
            open_(vault, seal(vault))
        assert calls.counted == {"GenerateDataKey": 1, "Decrypt": 0}

    def test_threads_that_begin_together_cost_one_call_to_kms(self, vault: CredentialVault, stack: Aws) -> None:
        calls = Calls(stack.kms, "GenerateDataKey", "Decrypt")
        with ThreadPoolExecutor(16) as pool:
            opened = list(pool.map(lambda number: open_(vault, seal(vault, f"secret {number}")), range(64)))
        assert opened == [f"secret {number}" for number in range(64)]
        assert calls.counted == {"GenerateDataKey": 1, "Decrypt": 0}

    def test_a_cold_start_asks_kms_once_and_again_when_the_key_has_cooled(
        self, vault: CredentialVault, stack: Aws, time: Time
    ) -> None:
        sealed = seal(vault)
        cold = a_vault(stack, time)
        calls = Calls(stack.kms, "GenerateDataKey", "Decrypt")
        for _ in range(20):
            open_(cold, sealed)
        assert calls.counted["Decrypt"] == 1
        time.pass_by(timedelta(seconds=WARM_SECONDS + 1))
        open_(cold, sealed)
        assert calls.counted == {"GenerateDataKey": 0, "Decrypt": 2}

    def test_only_so_many_keys_are_kept_warm(self, stack: Aws, time: Time, vault: CredentialVault) -> None:
        sealed = []
        for _ in range(WARM_KEYS + 3):
            time.pass_by(DATA_KEY_LIFETIME)
            sealed.append(seal(vault))
        assert len(vault._warm) == WARM_KEYS
        assert all(open_(vault, old) == PASSWORD for old in sealed)

    def test_the_key_is_replaced_when_it_is_old_and_old_secrets_stay_readable(
        self, vault: CredentialVault, stack: Aws, time: Time
    ) -> None:
        old = seal(vault)
        first = current(stack)
        time.pass_by(DATA_KEY_LIFETIME - timedelta(seconds=1))
        seal(vault)
        assert current(stack) == first
        time.pass_by(timedelta(seconds=1))
        new = seal(vault)
        assert current(stack)["encrypted_key"] != first["encrypted_key"]
        assert current(stack)["encrypted_key"] in new
        assert open_(vault, old) == open_(vault, new) == PASSWORD

    def test_functions_share_the_current_key(self, vault: CredentialVault, stack: Aws, time: Time) -> None:
        seal(vault)
        assert current(stack)["encrypted_key"] in seal(a_vault(stack, time))

    def test_the_loser_of_a_race_uses_the_winners_key(self, vault: CredentialVault, stack: Aws, time: Time) -> None:
        winner = a_vault(stack, time)
        pending = [lambda: seal(winner)]

        def interrupt(**_: Any) -> None:
            if pending:
                pending.pop()()

        stack.dynamodb.meta.events.register("before-call.dynamodb.PutItem", interrupt)
        for _ in ("the first key", "its replacement"):
            sealed = seal(vault)
            assert not pending
            assert current(stack)["encrypted_key"] in sealed
            assert open_(winner, sealed) == PASSWORD
            time.pass_by(DATA_KEY_LIFETIME)
            pending.append(lambda: seal(winner))
        stack.dynamodb.meta.events.unregister("before-call.dynamodb.PutItem", interrupt)

    def test_a_current_key_that_kms_cannot_open_is_replaced(
        self, vault: CredentialVault, stack: Aws, time: Time
    ) -> None:
        seal(vault)
        broken = bytearray(current(stack)["encrypted_key"])
        broken[-1] ^= 1
        item = {**current(stack), "encrypted_key": bytes(broken)}
        stack.dynamodb.put_item(TableName=stack.table, Item=to_wire(item))
        other = a_vault(stack, time)
        assert open_(other, seal(other)) == PASSWORD
        assert current(stack)["encrypted_key"] != bytes(broken)

    @pytest.mark.parametrize("of_whom", ["another key of KMS", "another context"])
    def test_a_current_key_that_is_not_the_vaults_seals_nothing(
        self, vault: CredentialVault, stack: Aws, time: Time, of_whom: str
    ) -> None:
        seal(vault)
        foreign = (
            a_foreign_data_key(stack)
            if of_whom == "another key of KMS"
            else stack.kms.generate_data_key(
                KeyId=stack.key_id, KeySpec="AES_256", EncryptionContext={"purpose": "something-else"}
            )
        )
        item = {**current(stack), "encrypted_key": foreign["CiphertextBlob"]}
        stack.dynamodb.put_item(TableName=stack.table, Item=to_wire(item))
        other = a_vault(stack, time, Kms(stack.kms) if of_whom == "another key of KMS" else None)
        sealed = seal(other)
        assert foreign["CiphertextBlob"] not in sealed
        assert current(stack)["encrypted_key"] != foreign["CiphertextBlob"]
        assert open_(other, sealed) == PASSWORD

    def test_the_encrypted_key_opens_only_in_the_vaults_context(self, vault: CredentialVault, stack: Aws) -> None:
        seal(vault)
        blob = current(stack)["encrypted_key"]
        assert stack.kms.decrypt(CiphertextBlob=blob, EncryptionContext=KMS_CONTEXT)["Plaintext"]
        with pytest.raises(ClientError):
            stack.kms.decrypt(CiphertextBlob=blob)

    def test_the_plain_key_shows_itself_nowhere(self, vault: CredentialVault, stack: Aws) -> None:
        seal(vault)
        (warm,) = vault._warm.values()
        assert "plain" not in repr(warm)
        assert warm.key.plain not in current(stack)["encrypted_key"]
        assert set(current(stack)) == {"pk", "sk", "encrypted_key", "created_at"}

    def test_a_kms_that_does_not_answer_is_storage_unavailable(
        self, vault: CredentialVault, stack: Aws, time: Time
    ) -> None:
        sealed = seal(vault)
        elsewhere = CredentialVault(stack.kms, stack.dynamodb, "no-such-table", stack.key_id, clock=time.clock)
        with pytest.raises(StorageUnavailable):
            seal(elsewhere)
        key_id = stack.kms.create_key()["KeyMetadata"]["KeyId"]
        stranger = CredentialVault(stack.kms, stack.dynamodb, stack.table, key_id, clock=time.clock)
        with pytest.raises((StorageUnavailable, SecretUnreadable)):
            open_(stranger, sealed)
