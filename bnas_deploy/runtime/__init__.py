"""What a user holds: `load`, `Model`, pictures in, predictions out.

Nothing is imported here, so that `import bnas_deploy` stays fast.
"""

from __future__ import annotations
