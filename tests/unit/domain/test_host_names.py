"""Names of hosts: brought into one form, and refused where they are none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from popfetch.domain.errors import HostRefused
from popfetch.domain.host_names import ascii_name


class TestNames:
    @pytest.mark.parametrize(
        ("host", "name"),
        [
            ("pop.example.com", "pop.example.com"),
            ("POP.Example.COM.", "pop.example.com"),
            ("bücher.example", "xn--bcher-kva.example"),
            ("Straße.example", "xn--strae-oqa.example"),
            ("8.8.8.8", "8.8.8.8"),
            ("[2606:4700::1]", "2606:4700::1"),
            ("2606:4700:0::1", "2606:4700::1"),
            ("pop_3.example", "pop_3.example"),
            ("pop。example", "pop.example"),
        ],
    )
    def test_are_brought_into_one_form(self, host: str, name: str) -> None:
        assert ascii_name(host) == name

    @pytest.mark.parametrize(
        "host",
        [
            "",
            ".",
            "..",
            " ",
            "pop example.com",
            "pop.example.com\r\nQUIT",
            "pop.example.com\0.evil.example",
            "pop.example.com/path",
            "user@pop.example.com",
            "pop.example.com:110",
            "pop..example.com",
            "-pop.example.com",
            "a" * 64 + ".example",
            "a." * 130 + "example",
            "a" * 5000,
            "0x7f.1",
            "0x7f000001",
            "2130706433",
            "127.1",
            "0177.0.0.1",
            "127.0.0.01",
            "1.2.3.4.5",
            "1.2.3.4..",
            "[127.0.0.1]",
            "[pop.example.com]",
            "[::1",
            "fe80::1%eth0",
            "[fe80::1%25eth0]",
            "\u202epop.example.com",
            "*.example.com",
        ],
    )
    def test_that_are_none_are_refused(self, host: str) -> None:
        with pytest.raises(HostRefused):
            ascii_name(host)

    def test_in_full_width_digits_are_what_they_mean(self) -> None:
        assert ascii_name("\uff11\uff12\uff17.0.0.1") == "127.0.0.1"

    @given(host=st.text(max_size=300))
    def test_of_any_kind_are_decided(self, host: str) -> None:
        try:
            name = ascii_name(host)
        except HostRefused:
            return
        assert name.isascii()
        assert len(name) <= 253
