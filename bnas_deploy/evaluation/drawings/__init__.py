"""Pictures of an evaluation: SVG, which needs no library, and one sheet of photographs."""
