"""What a user holds: `load`, `Model`, pictures in, predictions out; not the engine that computes.

Nothing is imported here, so that `import bnas_deploy` stays fast.
"""

from __future__ import annotations
