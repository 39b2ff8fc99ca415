"""``template.yaml`` as CloudFormation sees it: translated in this process by SAM's own translator."""

import copy
from functools import cache
from typing import Any

from samtranslator.parser.parser import Parser  # type: ignore[import-untyped]
from samtranslator.translator.translator import Translator  # type: ignore[import-untyped]
from samtranslator.yaml_helper import yaml_parse  # type: ignore[import-untyped]

from infra.local.workspace import ROOT

type Resource = dict[str, Any]


class _Session:
    region_name = "us-east-1"


@cache
def source() -> dict[str, Any]:
    """The template as it is written."""
    parsed: dict[str, Any] = yaml_parse((ROOT / "template.yaml").read_text())
    return parsed


@cache
def translated(artefacts: str = "artefacts") -> dict[str, Any]:
    """The template after the transform; code is where ``sam package`` would have put it, in this bucket."""
    fragment = copy.deepcopy(source())
    for resource in fragment["Resources"].values():
        for name in ("CodeUri", "ContentUri"):
            if name in resource.get("Properties", {}):
                bucket = artefacts if name == "ContentUri" else "artefacts"
                resource["Properties"][name] = f"s3://{bucket}/code.zip"
    parameters = {name: str(parameter["Default"]) for name, parameter in fragment["Parameters"].items()}
    translator = Translator({}, Parser(), boto_session=_Session())
    result: dict[str, Any] = translator.translate(fragment, parameters)
    return result


def of_type(kind: str) -> dict[str, Resource]:
    """The resources of one type, by logical id."""
    return {name: body for name, body in translated()["Resources"].items() if body["Type"] == kind}


def references(value: Any) -> set[str]:
    """The logical ids that a value refers to by Ref, GetAtt or Sub."""
    if isinstance(value, list):
        return {found for item in value for found in references(item)}
    if not isinstance(value, dict):
        return set()
    found = set()
    for key, inner in value.items():
        if key == "Ref":
            found.add(inner)
        elif key == "Fn::GetAtt":
            found.add(inner[0] if isinstance(inner, list) else inner.split(".")[0])
        elif key == "Fn::Sub" and isinstance(inner, str):
            found |= {part.split("}")[0].split(".")[0] for part in inner.split("${")[1:]}
        else:
            found |= references(inner)
    return found


def routes() -> list[tuple[str, str, dict[str, Any]]]:
    """The API's routes: path, method and operation."""
    (api,) = of_type("AWS::ApiGateway::RestApi").values()
    return [
        (path, method, operation)
        for path, operations in api["Properties"]["Body"]["paths"].items()
        for method, operation in operations.items()
    ]
