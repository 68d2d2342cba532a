"""docs/openapi.yaml as something to hold answers against."""

import copy
import re
from pathlib import Path

import jsonschema
import yaml

from harness import API, Client, Reply, need

METHODS = ("get", "post", "patch", "put", "delete")


def closed(node):
    """A copy in which an object has no members but the declared ones: answers must not say more than the document."""
    if isinstance(node, list):
        return [closed(item) for item in node]
    if not isinstance(node, dict):
        return node
    made = {name: closed(value) for name, value in node.items()}
    if made.get("type") == "object" and "properties" in made and "additionalProperties" not in made:
        made["additionalProperties"] = False
    return made


class Contract:
    def __init__(self, file: Path) -> None:
        self.document = yaml.safe_load(file.read_text())
        self.components = closed(copy.deepcopy(self.document["components"]))
        self.answered: set[tuple[str, str]] = set()  # operations with an answer of 2xx that was held against its schema

    def operations(self) -> dict[tuple[str, str], dict]:
        return {(method.upper(), path): item[method] for path, item in self.document["paths"].items() for method in METHODS
                if method in item}

    def resolve(self, node: dict) -> dict:
        while "$ref" in node:
            target = self.document
            for part in node["$ref"].removeprefix("#/").split("/"):
                target = target[part]
            node = target
        return node

    def validate(self, value, schema: dict, what: str) -> None:
        checker = jsonschema.Draft202012Validator({**closed(schema), "components": self.components})
        errors = [f"{'/'.join(map(str, e.absolute_path)) or '(whole)'}: {e.message[:200]}" for e in checker.iter_errors(value)]
        need(not errors, f"{what} is not as documented: {'; '.join(errors[:3])}")

    def validate_named(self, value, name: str, what: str) -> None:
        self.validate(value, {"$ref": f"#/components/schemas/{name}"}, what)

    def check_problem(self, reply: Reply) -> None:
        need(reply.headers.get("Content-Type", "").startswith("application/problem+json"),
             f"{reply.request}: {reply.status} with Content-Type {reply.headers.get('Content-Type')}")
        self.validate_named(reply.json, "Problem", reply.request)
        need(reply.json["status"] == reply.status, f"{reply.request}: the problem's status is not the answer's")
        need(reply.json["request_id"], f"{reply.request}: the problem has no request id")

    def check(self, method: str, pattern: str, reply: Reply) -> Reply:
        """Holds an answer against what the document says of the operation."""
        declared = self.operations()[method, pattern]["responses"]
        if reply.status >= 400:
            self.check_problem(reply)
            return reply
        need(str(reply.status) in declared, f"{reply.request}: {reply.status} is not documented")
        response = self.resolve(declared[str(reply.status)])
        content = response.get("content", {})
        if not content:
            need(not reply.body, f"{reply.request}: an answer without documented content has a body")
        for kind, media in content.items():
            need(reply.headers.get("Content-Type", "").partition(";")[0] == kind,
                 f"{reply.request}: Content-Type {reply.headers.get('Content-Type')} instead of {kind}")
            if kind == "application/json":
                self.validate(reply.json, media["schema"], reply.request)
        for name in response.get("headers", {}):
            need(reply.headers.get(name), f"{reply.request}: no {name} header")
        self.answered.add((method, pattern))
        return reply

    def call(self, client: Client, method: str, pattern: str, body=None, *, query: dict | None = None,
             headers: dict | None = None, raw: bytes | None = None, **ids: str) -> Reply:
        """Sends the operation with its path filled in from `ids`; its body and its answer must be as documented."""
        reply = client.call(method, API + re.sub(r"\{(\w+)\}", lambda m: ids[m[1]], pattern), body, query=query, headers=headers, raw=raw)
        if reply.status < 300 and body is not None:
            schema = self.operations()[method, pattern]["requestBody"]["content"]["application/json"]["schema"]
            self.validate(body, schema, f"the body of {reply.request}")
        return self.check(method, pattern, reply)
