"""The kinds of steps, one file each; importing the package registers them all."""

from regulars.workflows.steps import action, condition, exit, wait

__all__ = ["action", "condition", "exit", "wait"]
