"""Runs a .tflite file in larq's interpreter for `rivals/larq.py`, which starts it.

Runs in the environment of larq's engine. Arguments: the file, an .npy file of inputs, and JSON: a
list with the options of each interpreter to make. The first line of output is JSON: the answers of
each of them for all inputs. Each line of input is the index of an interpreter and a number of
calls; the line for it is JSON: [seconds, seconds of the processor] of each call.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
from larq_compute_engine.tflite.python.interpreter import Interpreter


def main() -> None:
    model, inputs, options = sys.argv[1:]
    content, x = Path(model).read_bytes(), np.load(inputs)
    made = [Interpreter(content, num_threads=1, **words) for words in json.loads(options)]
    _answer([interpreter.predict(x).tolist() for interpreter in made])
    for line in sys.stdin:
        index, calls = map(int, line.split())
        _answer([_timed(made[index].interpreter, [x[:1]]) for _ in range(calls)])


def _answer(plain: list[object]) -> None:
    print(json.dumps(plain), flush=True)


def _timed(interpreter: Any, one: list[np.ndarray]) -> tuple[float, float]:  # noqa: ANN401
    wall, cpu = time.perf_counter(), time.process_time()
    interpreter.predict(one)
    return time.perf_counter() - wall, time.process_time() - cpu


main()
