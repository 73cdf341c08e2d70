"""The paper's tables and figures as experiments: definitions, running, results, the page of them.

Training itself is `bnas_deploy.training`; the command is `bnas-report`. Nothing here prints.
"""
