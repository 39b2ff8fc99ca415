"""Fetches a domain's autoconfig file over HTTPS: fulfils the port ``AutoconfigFiles``.

The domain is whatever somebody typed, so that every host, those of redirects too, passes the guard and is connected to
at the address that was checked, with TLS verified against its name. Size, redirects and time are bounded.
"""

import asyncio
import logging
import ssl
from functools import cached_property
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from popfetch.adapters.autoconfig_file import read_autoconfig
from popfetch.adapters.host_guard import CheckedHost, HostGuard
from popfetch.adapters.mail_sockets import UnreadableBundle, client_context
from popfetch.domain.errors import HostRefused, LookupFailed
from popfetch.domain.host_names import domain_name
from popfetch.domain.mail_settings import MailAddress
from popfetch.pop3.errors import Pop3Error
from popfetch.ports.settings_lookup import Autoconfig

if TYPE_CHECKING:
    from httpx import URL, AsyncClient, Response

HTTPS_PORT = 443
MOST_OCTETS = 128 * 1024
"""The size of a file; those of large providers have a few kilobytes."""

MOST_REDIRECTS = 3
CONNECT_SECONDS = 3.0
"""How long the connection to one address, or its TLS handshake, may take before the next address is tried."""

WHOLE_SECONDS = 6.0
"""How long a file may take, from the first look-up of a host to its last octet."""

_REDIRECTS = frozenset(
    {
        HTTPStatus.MOVED_PERMANENTLY,
        HTTPStatus.FOUND,
        HTTPStatus.SEE_OTHER,
        HTTPStatus.TEMPORARY_REDIRECT,
        HTTPStatus.PERMANENT_REDIRECT,
    }
)

# It notes the address of each request, which holds the owner's e-mail address.
logging.getLogger("httpx").setLevel(logging.WARNING)


class AutoconfigFiles:
    """Fetches autoconfig files from hosts that the guard lets pass.

    ``ca_file`` is a PEM bundle trusted in addition to the public authorities; ``port`` is where domains have their web
    servers.
    """

    def __init__(
        self,
        guard: HostGuard,
        *,
        ca_file: str | None = None,
        port: int = HTTPS_PORT,
        connect_seconds: float = CONNECT_SECONDS,
        whole_seconds: float = WHOLE_SECONDS,
    ) -> None:
        self._guard = guard
        self._ca_file = ca_file
        self._port = port
        self._connect_seconds = connect_seconds
        self._whole_seconds = whole_seconds

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        return client_context(self._ca_file)

    async def read(self, address: MailAddress) -> Autoconfig:
        """What the file of the address's domain says for it. Raises LookupFailed, also where there is no file.

        Both usual places are asked at once; the first that has a usable file, in their order, counts.
        """
        places = [asyncio.create_task(self._read(url, address)) for url in self._urls(address)]
        try:
            reasons = []
            for place in places:
                try:
                    return await place
                except LookupFailed as error:
                    reasons.append(error.message)
            raise LookupFailed(" ".join(reasons))
        finally:
            for place in places:
                place.cancel()
            await asyncio.gather(*places, return_exceptions=True)

    def _urls(self, address: MailAddress) -> list[str]:
        """Where the file may be; only over https.

        Settings found over plain http would let anyone on the way choose where the password goes.
        """
        try:
            domain = domain_name(address.domain)
        except HostRefused as error:
            raise LookupFailed(f"There is no autoconfig file: {error.message}") from error
        query = urlencode({"emailaddress": address.text})
        port = "" if self._port == HTTPS_PORT else f":{self._port}"
        return [
            f"https://autoconfig.{domain}{port}/mail/config-v1.1.xml?{query}",
            f"https://{domain}{port}/.well-known/autoconfig/mail/config-v1.1.xml?{query}",
        ]

    async def _read(self, url: str, address: MailAddress) -> Autoconfig:
        try:
            async with asyncio.timeout(self._whole_seconds):
                return read_autoconfig(await self._fetch(url), address)
        except TimeoutError as error:
            raise LookupFailed(f"The autoconfig file took more than {self._whole_seconds:g} seconds.") from error
        except (HostRefused, Pop3Error, UnreadableBundle) as error:
            raise LookupFailed(str(error)) from error

    async def _fetch(self, start: str) -> bytes:
        """The octets at ``start``, redirects followed."""
        # Most addresses are a known provider's and need no file; the library takes half a second to import.
        from httpx import URL, AsyncClient, HTTPError, InvalidURL

        try:
            url = URL(start)
            for _ in range(1 + MOST_REDIRECTS):
                # A client for each: it knows its connections by their address, and the next name at the same address
                # has to prove itself. The environment's proxies would connect to what the guard has not seen.
                async with AsyncClient(verify=self._tls, trust_env=False, timeout=self._connect_seconds) as client:
                    content = await self._get(client, url)
                if isinstance(content, bytes):
                    return content
                url = content
        except (HTTPError, InvalidURL, OSError, UnicodeError) as error:
            raise LookupFailed(f"The web server of the autoconfig file failed: {type(error).__name__}.") from error
        raise LookupFailed(f"The autoconfig file is behind more than {MOST_REDIRECTS} redirects.")

    async def _get(self, client: "AsyncClient", url: "URL") -> "bytes | URL":
        """What is at ``url``: its octets, or where it has gone."""
        from httpx import ConnectError, ConnectTimeout

        if url.scheme != "https":
            raise LookupFailed("The autoconfig file is behind a redirect to something else than https.")
        host = await self._guard.check(url.raw_host.decode("ascii"), url.port or HTTPS_PORT)
        for address in host.addresses:
            request = client.build_request(
                "GET",
                url.copy_with(host=address, port=host.port, username=None, password=None, fragment=None),
                headers={
                    "Host": _authority(host),
                    "Accept": "application/xml, text/xml",
                    "Accept-Encoding": "identity",
                },
                extensions={"sni_hostname": host.name},
            )
            try:
                response = await client.send(request, stream=True)
            except (ConnectError, ConnectTimeout):
                if address == host.addresses[-1]:
                    raise
                continue
            try:
                if response.status_code in _REDIRECTS:
                    return url.join(response.headers.get("Location", ""))
                return await _content(response)
            finally:
                await response.aclose()
        raise LookupFailed(f"{host.name} has no address.")


def _authority(host: CheckedHost) -> str:
    name = f"[{host.name}]" if ":" in host.name else host.name
    return name if host.port == HTTPS_PORT else f"{name}:{host.port}"


async def _content(response: "Response") -> bytes:
    """The body, as it was sent: an encoding, which could unpack to any size, was not asked for."""
    if response.status_code != HTTPStatus.OK:
        raise LookupFailed(f"The web server answers {response.status_code} instead of an autoconfig file.")
    if response.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise LookupFailed("The web server has packed the autoconfig file, which it was not asked to.")
    content = bytearray()
    async for part in response.aiter_raw():
        content += part
        if len(content) > MOST_OCTETS:
            raise LookupFailed(f"The autoconfig file has more than {MOST_OCTETS} octets.")
    return bytes(content)
