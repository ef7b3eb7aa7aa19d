"""From YAML to objects: compose, check, build."""
