"""Regulars: the open-source, self-hosted CRM and workflow engine for online shops."""

__version__ = "0.1.0"
