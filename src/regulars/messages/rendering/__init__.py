"""Templates become mails in a fenced process of their own: Liquid, then MJML, then the plain-text part (docs/workflows.md).

``program`` is that process and imports nothing of the house but ``plain``; ``renderer`` starts it, talks to it and replaces it when it dies.
"""
