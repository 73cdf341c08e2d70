"""The report as Markdown: machine, targets, networks, threads, pictures, files, layers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from bnas_deploy import cost
from bnas_deploy.nn.config import get_config
from bnas_deploy.nn.genotype import get_genotype
from reporting.layers import OUTPUTS, Layer, layers
from reporting.results import Result, Run, name, select
from reporting.targets import Outcome

__all__ = ["RIVALS", "markdown", "rivals_of", "theory"]

RIVALS = {
    "pytorch-float32": "PyTorch float32",
    "onnxruntime-float32": "ONNX Runtime float32",
    "onnxruntime-int8": "ONNX Runtime int8",
    "openvino-float32": "OpenVINO float32",
    "openvino-default": "OpenVINO default",
    "openvino-int8": "OpenVINO int8",
}


def markdown(run: Run, reached: Sequence[Outcome], pictures: Sequence[str]) -> str:
    """The whole report."""
    parts = [
        [f"# Benchmarks, {run.date}", ""],
        _machine(run),
        [line for picture in pictures for line in (f"![{_caption(picture)}]({picture})", "")],
        _targets(reached),
        *(_network(run, network) for network in _networks(run)),
        _small(run),
        _others(run),
        _threads(run),
        _pictures(run),
        _files(run),
        _layers(layers(run)),
    ]
    return "\n".join(line for part in parts for line in part)


def _caption(picture: str) -> str:
    return {"speedup": "Speed-up", "memory": "Memory", "roofline": "Layers"}[
        picture.split(".", maxsplit=1)[0]
    ]


def _table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> list[str]:
    lines = [list(heads), *(list(row) for row in rows)]
    lines.insert(1, ["---"] * len(lines[0]))
    return [*("| " + " | ".join(line) + " |" for line in lines), ""]


def _machine(run: Run) -> list[str]:
    facts = run.machine
    isas = facts.get("engine", {}).get("isas", {})
    rows = [
        ("processor", run.cpu),
        ("cores allowed", str(facts.get("cores", "?"))),
        ("caches", ", ".join(f"{k} {v}" for k, v in facts.get("caches", {}).items())),
        ("instruction sets", ", ".join(f"{k}: {v}" for k, v in isas.items())),
        ("system", str(facts.get("os", "?"))),
        ("versions", ", ".join(f"{k} {v}" for k, v in facts.get("versions", {}).items())),
        ("date", run.date),
    ]
    return _table(("machine", ""), rows)


def figure(value: float, unit: str) -> str:
    """A figure with its unit: seconds as ms, bytes as MB, shares in percent."""
    return {
        "times": f"{value:.2f}×" if value < 10 else f"{value:.1f}×",
        "share": f"{value:.0%}",
        "seconds": f"{value * 1e3:.2f} ms",
        "bytes": f"{value / 1e6:.2f} MB",
    }[unit]


def _targets(reached: Sequence[Outcome]) -> list[str]:
    rows = []
    for outcome in reached:
        target, unit = outcome.target, outcome.target["unit"]
        sense = "≥" if "least" in target else "≤"
        found = "not measured" if outcome.reached is None else figure(outcome.reached, unit)
        met = {True: "yes", False: "no", None: ""}[outcome.met] + (
            f" ({outcome.count})" if outcome.count else ""
        )
        asked = f"{sense} {figure(outcome.asked, unit)}"
        rows.append((str(target["number"]), target["text"], asked, found, met, outcome.by))
    heads = ("", "target", "asked", "reached", "met", "by")
    return ["## Targets", "", *_table(heads, rows)]


def _networks(run: Run) -> list[str]:
    return list(dict.fromkeys(r.facts["network"] for r in select(run.results, {"kind": "network"})))


def rivals_of(run: Run, network: str, *, zeroise: bool) -> dict[str, Result]:
    """The rivals on a float network, by name, in the order of RIVALS."""
    wanted = {"kind": "network", "network": network, "zeroise": zeroise, "own": False}
    found = {r.facts["runner"]: r for r in select(run.results, wanted)}
    return {rival: found[rival] for rival in RIVALS if rival in found}


def _time(result: Result) -> str:
    return f"{result.median * 1e3:.2f} ms ± {result.iqr / result.median:.0%}"


def _network(run: Run, network: str) -> list[str]:
    found = select(run.results, {"kind": "network", "network": network})
    own = select(found, {"own": True})
    kinds = {r.facts["zeroise"] for r in found}
    lines = [f"## BNAS-{network}", "", "One image, one thread: median ± interquartile range.", ""]
    if len(kinds) == 2:
        lines += [_theory_text(network), ""]
    for zeroise in sorted(kinds):
        rivals = rivals_of(run, network, zeroise=zeroise)
        lines += [f"### Times faster than float {_base(network, zeroise)}", ""]
        heads = [f"{RIVALS[rival]}, {_time(result)}" for rival, result in rivals.items()]
        # The published comparison is with the network without Zeroise; the other is like with like.
        rows = [_speed(r, rivals) for r in own if not zeroise or r.facts["zeroise"]]
        lines += _table(("packed", "runner", "time", *heads), rows)
    return lines


def _others(run: Run) -> list[str]:
    """Networks that are not BNAS: times faster than their float counterparts."""
    found = select(run.results, {"kind": "other"})
    rows = []
    for own in select(found, {"own": True}):
        network = own.facts["network"]
        rivals = {r.facts["runner"]: r for r in select(found, {"network": network, "own": False})}
        ratios = [
            figure(rivals[rival].median / own.median, "times") if rival in rivals else "-"
            for rival in RIVALS
        ]
        rows.append((f"{network}, {own.facts['runner']}", _time(own), *ratios))
    text = "One input, one thread: times faster than the float counterpart; `docs/benchmarks.md`."
    if not rows:
        return []
    return ["## Other networks", "", text, "", *_table(("network", "time", *RIVALS.values()), rows)]


def _small(run: Run) -> list[str]:
    """Packed BNAS against residual networks that rivals run: times faster than each."""
    found = select(run.results, {"kind": "small"})
    own, others = (select(found, {"own": mine}) for mine in (True, False))
    if not own or not others:
        return []
    rows = []
    for other in others:
        ratios = [figure(other.median / result.median, "times") for result in own]
        runner = RIVALS[other.facts["runner"]]
        rows.append((other.facts["network"], runner, _time(other), *ratios))
    text = (
        "One image, one thread. The residual networks are those of He et al. (2016), run by the"
        " rivals; behind them, how many times faster packed BNAS with the shortcut `pool1x1`, in"
        " 8 bits, is."
    )
    heads = ("network", "runner", "time", *(f"{r.facts['network']}, {_time(r)}" for r in own))
    return ["## Small networks for CIFAR-10", "", text, "", *_table(heads, rows)]


def _base(network: str, zeroise: bool) -> str:
    return f"BNAS-{network}" if zeroise else f"BNAS-{network} w/o Zeroise"


def _speed(result: Result, rivals: dict[str, Result]) -> list[str]:
    ratios = [figure(rival.median / result.median, "times") for rival in rivals.values()]
    return [name(result.facts), str(result.facts["runner"]), _time(result), *ratios]


def theory(network: str, *, zeroise: bool, full: bool = False) -> tuple[float, float]:
    """Speed-up and memory saving over the float network without Zeroise that counting promises."""
    own = get_config(network)
    base = replace(own, genotype=get_genotype("latest_cell"))
    chosen = own if zeroise else base
    saving = cost.memory_saving(chosen, over=base, full=full)
    return cost.speedup(chosen, over=base, full=full), saving


def _theory_text(network: str) -> str:
    paper, full = (theory(network, zeroise=True, full=full) for full in (False, True))
    return (
        f"Theory over the float network without Zeroise: {paper[0]:.1f}× in the paper's accounting,"
        f" {full[0]:.1f}× with the full-precision shortcuts counted;"
        f" memory {paper[1]:.1f}×, {full[1]:.1f}×."
    )


def _threads(run: Run) -> list[str]:
    found = select(run.results, {"kind": "threads"})
    rows = []
    for r in found:
        slowest = figure(r.facts["p99"], "seconds") if "p99" in r.facts else "-"
        rows.append((r.facts["case"], str(r.facts["threads"]), _time(r), slowest))
    if not rows:
        return []
    text = (
        "batch: 64 images in one call; image: one image in one call; busy: the same while another"
        " process keeps one of the two cores busy; callers: 16 single images, called by so many"
        " Python threads."
    )
    heads = ("case", "threads", "time", "99th percentile")
    return ["## Threads", "", text, "", *_table(heads, rows)]


def _pictures(run: Run) -> list[str]:
    rows = []
    for result in select(run.results, {"kind": "pictures"}):
        workers = result.facts["workers"]
        way = "the network alone" if workers is None else f"predict, workers={workers}"
        rows.append((result.facts["source"], way, f"{1 / result.median:,.0f}"))
    if not rows:
        return []
    text = "The shipped BNAS-Mini on one thread; JPEG files in memory, decoded by so many workers."
    heads = ("JPEG", "", "pictures a second")
    return ["## Pictures a second", "", text, "", *_table(heads, rows)]


def _files(run: Run) -> list[str]:
    rows = []
    for result in select(run.results, {"kind": "start"}):
        facts, memory = result.facts, result.facts["memory"]
        beside = sum(memory.values()) - memory["weights"]
        saving = facts["over_bytes"] / facts["file_bytes"]
        sizes = (facts["float_bytes"], facts["file_bytes"], memory["weights"], beside)
        megabytes = [figure(size, "bytes") for size in sizes]
        rows.append((name(facts), *megabytes, figure(saving, "times"), _time(result)))
    heads = (
        *("network", "float parameters", ".bnn file", "weights in memory", "memory beside them"),
        *("float w/o Zeroise over file", "load"),
    )
    return ["## Files and memory", "", *_table(heads, rows)] if rows else []


def _layers(found: Sequence[Layer]) -> list[str]:
    if not found:
        return []
    text = (
        "From packed input to finished output, bits or floats; share of the popcount limit,"
        " measured between the same rounds. OpenVINO: its sign and BinaryConvolution, as a share of"
        " that limit too (taps on padding counted, which it skips), and over our packing and"
        " convolution."
    )
    heads = (
        *("layer", "networks", "limit G/s", "pack µs", "bits µs", "floats µs"),
        *("bits G/s", "share", "floats G/s", "share", "OpenVINO µs", "share", "bits", "floats"),
    )
    return ["## Layers", "", text, "", *_table(heads, map(_layer_row, found))]


def _share(layer: Layer, result: Result) -> str:
    return f"{layer.facts['macs'] / result.median / layer.facts['limit']:.0%}"


def _layer_row(layer: Layer) -> list[str]:
    micro = [f"{layer.parts[part].median * 1e6:.1f}" for part in ("pack", *OUTPUTS)]
    rates = []
    for output in OUTPUTS:
        rates += [f"{layer.rate(output) / 1e9:.0f}", _share(layer, layer.parts[output])]
    rival = layer.parts.get("openvino-binary")
    ratios = [layer.ratio(output) for output in OUTPUTS]
    return [
        *(layer.name, " ".join(layer.facts["shape"]["networks"])),
        *(f"{layer.facts['limit'] / 1e9:.0f}", *micro, *rates),
        *((f"{rival.median * 1e6:.1f}", _share(layer, rival)) if rival else ("-", "-")),
        *("-" if ratio is None else f"{ratio:.1f}×" for ratio in ratios),
    ]
