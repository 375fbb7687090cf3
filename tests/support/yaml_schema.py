"""Which YAML files follow a JSON Schema: yaml_schema.py SCHEMA FILE... prints "FILE ok" or "FILE refused: why"."""
import json
import sys

import jsonschema
import yaml


class Loader(yaml.SafeLoader):
    """YAML as editors read it: a date stays text, only true and false are booleans (YAML 1.2)."""


Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers
            if tag not in ("tag:yaml.org,2002:timestamp", "tag:yaml.org,2002:bool")]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
Loader.add_implicit_resolver("tag:yaml.org,2002:bool", __import__("re").compile("^(true|false)$"), list("tf"))

with open(sys.argv[1], encoding="utf-8") as file:
    schema = json.load(file)
kind = jsonschema.validators.validator_for(schema)
kind.check_schema(schema)
validator = kind(schema)
for name in sys.argv[2:]:
    with open(name, encoding="utf-8") as file:
        document = yaml.load(file, Loader)
    error = jsonschema.exceptions.best_match(validator.iter_errors(document))
    print(name, "ok" if error is None else "refused: " + error.message.replace("\n", " ")[:200])
