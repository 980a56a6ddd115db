"""A workflow's definition as text that people write."""

import yaml

from regulars.workflows.models import Workflow


def as_text(workflow: Workflow) -> str:
    """YAML of the live version; '' where there is none."""
    if workflow.live is None:
        return ""
    return yaml.safe_dump(workflow.live.definition, allow_unicode=True, sort_keys=False, width=100)
