"""The Kustomize base of deploy/: built by kubectl, and checked against Kubernetes' schemas."""

import os
import re
import secrets
import shutil
import subprocess
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from kit.seeds import new_seed
from settings import Settings
from tests.installations import ROOT

FOLDER = ROOT / "deploy/kubernetes"
OLDEST, NEWEST = "1.30", "1.37"
SECRETS = {
    "BOXOFFICE_DATABASE_URL": f"postgresql://u:{secrets.token_hex(8)}@db.example/b?sslmode=verify-full",
    "BOXOFFICE_REDIS_URL": f"rediss://boxoffice:{secrets.token_hex(8)}@a.example,b.example",
    "BOXOFFICE_JWT_SECRET": secrets.token_hex(32),
    "BOXOFFICE_TICKET_KEY": new_seed(),
    "BOXOFFICE_STRIPE_API_KEY": f"sk_live_{secrets.token_hex(12)}",
    "BOXOFFICE_STRIPE_WEBHOOK_SECRET": f"whsec_{secrets.token_hex(16)}",
    "BOXOFFICE_MEILISEARCH_KEY": secrets.token_hex(16),
}


def built(folder: Path) -> list[dict[str, Any]]:
    """What kubectl makes of a folder; skipped where there is none."""
    program = shutil.which("kubectl")
    if program is None:
        pytest.skip("no kubectl on this machine")
    done = subprocess.run([program, "kustomize", folder], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    return list(yaml.safe_load_all(done.stdout))


@pytest.fixture(scope="module")
def resources() -> dict[tuple[str, str], dict[str, Any]]:
    """The resources of the example, by kind and name."""
    return {(each["kind"], each["metadata"]["name"]): each for each in built(FOLDER / "example")}


def pods_of(resources: dict[tuple[str, str], dict[str, Any]]) -> dict[str, dict[str, Any]]:
    kinds = ("Deployment", "Job")
    return {
        name: each["spec"]["template"]["spec"] for (kind, name), each in resources.items() if kind in kinds
    }


@pytest.mark.parametrize("version", [OLDEST, NEWEST])
@pytest.mark.parametrize("file", sorted(FOLDER.glob("*/*.yaml")), ids=lambda file: file.name)
def test_each_file_has_the_shape_that_kubernetes_wants(file: Path, version: str) -> None:
    for document in yaml.safe_load_all(file.read_text()):
        if document["kind"] != "Kustomization":
            kubernetes_validate.validate(document, version, strict=True)


def test_control_a_misspelt_field_is_refused() -> None:
    document = next(yaml.safe_load_all((FOLDER / "base/api.yaml").read_text()))
    document["spec"]["replica"] = document["spec"].pop("replicas")

    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(document, NEWEST, strict=True)


def test_every_resource_is_built_with_what_an_installation_changes(
    resources: dict[tuple[str, str], dict[str, Any]],
) -> None:
    assert {name.partition("-settings-")[0] for _, name in resources} == {
        "boxoffice",
        "boxoffice-api",
        "boxoffice-worker",
        "boxoffice-migrate",
    }
    assert {each["metadata"]["namespace"] for each in resources.values()} == {"tickets"}
    assert resources["Deployment", "boxoffice-api"]["spec"]["replicas"] == 6
    for pod in pods_of(resources).values():
        assert [each["image"].partition("@")[0] for each in pod["containers"]] == [
            "registry.example/boxoffice"
        ]


def test_the_settings_are_those_that_a_process_takes(
    resources: dict[tuple[str, str], dict[str, Any]],
) -> None:
    ((name, given),) = [
        (name, each["data"]) for (kind, name), each in resources.items() if kind == "ConfigMap"
    ]

    settings = Settings.load({**given, **SECRETS}, None).require_serving()

    container = pods_of(resources)["boxoffice-api"]["containers"][0]
    ports = {each["name"]: each["containerPort"] for each in container["ports"]}
    assert ports == {"http": settings.port, "operations": settings.metrics_port}
    assert container["envFrom"][0]["configMapRef"]["name"] == name
    for pod in ("boxoffice-api", "boxoffice-worker"):
        grace_seconds = pods_of(resources)[pod]["terminationGracePeriodSeconds"]
        assert grace_seconds == settings.stop_seconds + 5


def test_no_container_may_more_than_it_needs(resources: dict[tuple[str, str], dict[str, Any]]) -> None:
    user = re.search(r"^USER (\d+)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    assert user is not None
    for pod in pods_of(resources).values():
        assert pod["automountServiceAccountToken"] is False
        assert pod["securityContext"]["runAsUser"] == int(user[1])
        assert pod["securityContext"]["runAsNonRoot"] is True
        for container in pod["containers"]:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }
            assert "memory" in container["resources"]["limits"]


def test_selectors_find_the_pods_that_they_are_for(
    resources: dict[tuple[str, str], dict[str, Any]],
) -> None:
    labels = {
        name: each["spec"]["template"]["metadata"]["labels"]
        for (kind, name), each in resources.items()
        if kind in ("Deployment", "Job")
    }

    def found_by(selector: dict[str, str]) -> set[str]:
        return {name for name, given in labels.items() if selector.items() <= given.items()}

    def matched(kind: str, name: str, field: str = "selector") -> set[str]:
        return found_by(resources[kind, name]["spec"][field]["matchLabels"])

    assert matched("PodDisruptionBudget", "boxoffice-api") == {"boxoffice-api"}
    assert matched("PodDisruptionBudget", "boxoffice-worker") == {"boxoffice-worker"}
    assert found_by(resources["Service", "boxoffice-api"]["spec"]["selector"]) == {"boxoffice-api"}
    assert matched("NetworkPolicy", "boxoffice-api", "podSelector") == {"boxoffice-api"}
    assert matched("NetworkPolicy", "boxoffice", "podSelector") == set(labels)


def test_kubectl_is_there_where_the_suite_has_to_pass() -> None:
    assert shutil.which("kubectl") or not os.environ.get("CI")
