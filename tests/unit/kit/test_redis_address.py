"""Every form of Redis's address, and the sentence for each that does not fit."""

import pytest

from kit.redis_address import RedisAddress, RedisKind, Tls

SECRET = "p%40ss%2Fword"


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("redis://cache", RedisAddress(RedisKind.SERVER, (("cache", 6379),))),
        ("redis://cache:7000/2", RedisAddress(RedisKind.SERVER, (("cache", 7000),), database=2)),
        ("redis://[::1]:7000?protocol=2", RedisAddress(RedisKind.SERVER, (("::1", 7000),), protocol=2)),
        (
            f"redis://ann:{SECRET}@a:6379,b:6380,[fd00::1]/",
            RedisAddress(
                RedisKind.SERVER,
                (("a", 6379), ("b", 6380), ("fd00::1", 6379)),
                username="ann",
                password="p@ss/word",
            ),
        ),
        (
            "redis+cluster://:secret@a,b",
            RedisAddress(RedisKind.CLUSTER, (("a", 6379), ("b", 6379)), password="secret"),
        ),
        (
            "redis+sentinel://:secret@a,b:26380/tickets/3?sentinel_username=s&sentinel_password=t%26",
            RedisAddress(
                RedisKind.SENTINEL,
                (("a", 26379), ("b", 26380)),
                password="secret",
                database=3,
                service="tickets",
                sentinel_username="s",
                sentinel_password="t&",
            ),
        ),
        ("rediss://cache", RedisAddress(RedisKind.SERVER, (("cache", 6379),), tls=Tls())),
        (
            "rediss+cluster://a?ssl_ca_certs=/etc/ca.pem&ssl_certfile=/etc/c.pem&ssl_keyfile=/etc/k.pem",
            RedisAddress(
                RedisKind.CLUSTER, (("a", 6379),), tls=Tls("/etc/ca.pem", "/etc/c.pem", "/etc/k.pem")
            ),
        ),
        (
            "rediss+sentinel://a/m?ssl_check_hostname=no",
            RedisAddress(RedisKind.SENTINEL, (("a", 26379),), service="m", tls=Tls(checks_host_name=False)),
        ),
    ],
)
def test_an_address_is_read_when_it_has_a_known_form(url: str, address: RedisAddress) -> None:
    assert RedisAddress.parse(url) == address


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("", "must begin with redis://"),
        ("cache:6379", "must begin with redis://"),
        ("redis", "must begin with redis://"),
        ("valkey://cache", "must begin with redis://"),
        ("redisss://cache", "must begin with redis://"),
        ("redis://", "must name HOST:PORT"),
        ("redis://:{s}@", "must name HOST:PORT"),
        ("redis://:{s}@a,,b", "must name HOST:PORT"),
        ("redis://:{s}@a:", "must name HOST:PORT"),
        ("redis://:{s}@a:0", "must name HOST:PORT"),
        ("redis://:{s}@a:port", "must name HOST:PORT"),
        ("redis://:{s}@a:65536", "must name HOST:PORT"),
        ("redis://:{s}#@a:6379", "must name HOST:PORT"),
        ("redis://:{s}/x@a:6379", "must name HOST:PORT"),
        ("redis://:{s}@[::1:6379", "must name HOST:PORT"),
        ("redis://:{s}@a/tickets", "must end with the number of a database"),
        ("redis+cluster://:{s}@a/1", "names database 1, but a cluster has database 0 alone"),
        ("redis+sentinel://:{s}@a", "must name what the Sentinels watch"),
        ("redis+sentinel://:{s}@a/m/x", "must end with the number of a database"),
        ("redis://:{s}@a?timeout=5", "has the option 'timeout', which is not one of"),
        ("redis://:{s}@a?protocol", "must have options as NAME=VALUE"),
        ("redis://:{s}@a?protocol=4", "has a protocol other than 2 and 3"),
        ("redis://:{s}@a?ssl_ca_certs=/ca.pem", "needs rediss instead of redis"),
        ("redis://:{s}@a?sentinel_password={s}", "needs redis+sentinel://"),
        ("rediss://:{s}@a?ssl_ca_certs=", "has the option ssl_ca_certs without a value"),
        ("rediss://:{s}@a?ssl_cert_reqs=optional", "has an ssl_cert_reqs other than required and none"),
        ("rediss://:{s}@a?ssl_check_hostname=perhaps", "has an ssl_check_hostname other than yes and no"),
        ("rediss://:{s}@a?ssl_keyfile=/k.pem", "needs ssl_certfile"),
    ],
)
def test_a_sentence_says_what_is_wrong_when_an_address_does_not_fit(url: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=r"^\w") as fault:
        RedisAddress.parse(url.format(s="hunter2"))

    assert sentence in str(fault.value)
    assert "hunter2" not in str(fault.value)


def test_a_sentence_names_the_file_when_it_holds_no_certificate(tmp_path: pytest.TempPathFactory) -> None:
    missing = f"{tmp_path}/ca.pem"

    with pytest.raises(ValueError, match="names certificates or keys that cannot be read") as fault:
        Tls(ca_file=missing).check_files()

    assert missing in str(fault.value)
