"""From the JSON of pytest-benchmark to a report: results, targets, tables, pictures."""
