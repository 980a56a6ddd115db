"""Tags of the workflow pages."""

from django import template

from regulars.foundation.ids import to_public
from regulars.workflows.models import Run

register = template.Library()


@register.simple_tag
def run_href(run: Run) -> str:
    """Address of one run."""
    return f"/runs/{to_public(Run.PREFIX, run.uid)}"
