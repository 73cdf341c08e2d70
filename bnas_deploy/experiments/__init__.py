"""The paper's tables and figures as experiments.

Training itself is `bnas_deploy.training`; the command is `bnas-report`.
"""
