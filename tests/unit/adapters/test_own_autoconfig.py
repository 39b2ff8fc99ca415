"""The operator's own autoconfig file: whose addresses it speaks for, and what may be in it."""

from pathlib import Path

import pytest

from popfetch.adapters.own_autoconfig import OwnAutoconfigFile
from popfetch.domain.account import Security
from popfetch.domain.errors import LookupFailed
from popfetch.domain.mail_settings import FoundServer, MailAddress
from tests.builders.autoconfig_files import a_file, a_server

ANNA = MailAddress("Anna@example.com", "example.com")
STRANGER = MailAddress("anna@example.org", "example.org")


def own_file(folder: Path, content: bytes) -> OwnAutoconfigFile:
    path = folder / "autoconfig.xml"
    path.write_bytes(content)
    return OwnAutoconfigFile(str(path))


async def test_an_address_of_its_domain_is_found(tmp_path: Path) -> None:
    found = await own_file(tmp_path, a_file(a_server(), a_server("smtp", "smtp.example.com", "465"))).read(ANNA)
    assert found.incoming == FoundServer("pop.example.com", 995, Security.TLS, "Anna@example.com")
    assert found.outgoing == FoundServer("smtp.example.com", 465, Security.TLS, "Anna@example.com")


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "mail"])
async def test_it_may_name_hosts_that_nobody_would_publish(tmp_path: Path, host: str) -> None:
    found = await own_file(tmp_path, a_file(a_server(host=host, port="10995"))).read(ANNA)
    assert found.incoming == FoundServer(host, 10995, Security.TLS, "Anna@example.com")


async def test_each_domain_has_its_own_servers(tmp_path: Path) -> None:
    # given
    two = a_file(a_server()).replace(
        b"</clientConfig>",
        b"<emailProvider id='b'><domain>Example.ORG</domain>"
        + a_server(host="pop.example.org").encode()
        + b"</emailProvider></clientConfig>",
    )

    # when
    found = await own_file(tmp_path, two).read(STRANGER)

    # then
    assert found.incoming
    assert found.incoming.host == "pop.example.org"


async def test_it_has_nothing_for_other_domains(tmp_path: Path) -> None:
    with pytest.raises(LookupFailed, match=r"nothing for example\.org"):
        await own_file(tmp_path, a_file(a_server())).read(STRANGER)


async def test_a_change_counts_at_once(tmp_path: Path) -> None:
    files = own_file(tmp_path, a_file(a_server()))
    await files.read(ANNA)
    own_file(tmp_path, a_file(a_server(host="new.example.com")))
    found = (await files.read(ANNA)).incoming
    assert found
    assert found.host == "new.example.com"


async def test_a_file_that_is_not_there_is_told_by_its_name(tmp_path: Path) -> None:
    with pytest.raises(LookupFailed, match=r"missing\.xml cannot be read: FileNotFoundError"):
        await OwnAutoconfigFile(str(tmp_path / "missing.xml")).read(ANNA)
