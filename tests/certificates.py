"""Certificates for the tests: an authority, and what it signs for servers and clients on this machine."""

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID


class Certificates:
    """The files of one authority in a folder."""

    def __init__(self, home: Path, *, demands_client_certificate: bool = False) -> None:
        home.mkdir(parents=True, exist_ok=True)
        self._home = home
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _name("Boxoffice's test authority")
        self.ca_file = home / "ca.pem"
        self.demands_client_certificate = demands_client_certificate
        signed = _certificate(self._name, self._name, self._key.public_key(), is_authority=True)
        self.ca_file.write_bytes(signed.sign(self._key, hashes.SHA256()).public_bytes(Encoding.PEM))
        self.server = self.issue("server", "localhost", "127.0.0.1")
        self.client = self.issue("client")

    def issue(self, name: str, *hosts: str) -> tuple[Path, Path]:
        """A new certificate for these hosts, and its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        request = _certificate(_name(name), self._name, key.public_key())
        if hosts:
            names = x509.SubjectAlternativeName([_host(each) for each in hosts])
            request = request.add_extension(names, critical=False)
        certificate, key_file = self._home / f"{name}.pem", self._home / f"{name}.key"
        certificate.write_bytes(request.sign(self._key, hashes.SHA256()).public_bytes(Encoding.PEM))
        key_file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        return certificate, key_file

    def server_options(self) -> list[str]:
        """The options of a Redis server."""
        certificate, key = self.server
        demands = "yes" if self.demands_client_certificate else "no"
        files = ["--tls-cert-file", str(certificate), "--tls-key-file", str(key)]
        links = ["--tls-replication", "yes"]
        return [*files, "--tls-ca-cert-file", str(self.ca_file), "--tls-auth-clients", demands, *links]

    def client_options(self) -> dict[str, Any]:
        """The options of redis-py."""
        certificate, key = self.client
        return {
            "ssl": True,
            "ssl_check_hostname": False,
            "ssl_ca_certs": str(self.ca_file),
            "ssl_certfile": str(certificate),
            "ssl_keyfile": str(key),
        }


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _host(text: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(text))
    except ValueError:
        return x509.DNSName(text)


def _certificate(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, *, is_authority: bool = False
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
    )
