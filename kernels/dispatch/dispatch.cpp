#include "dispatch/dispatch.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "core/shown.h"
#include "dispatch/cpu.h"

namespace bnas {

// The instruction sets of isa/, best first.
#if defined(__x86_64__) || defined(_M_X64)
#define BNAS_ISAS(ISA) \
  ISA(avx512_amx) ISA(avx512_bitalg) ISA(avx512bw) ISA(avx_vnni) ISA(avx2) ISA(scalar)
#elif defined(__aarch64__)
#define BNAS_ISAS(ISA) ISA(neon) ISA(scalar)
#elif defined(BNAS_WASM_VECTORS)  // a module in which there are vectors runs nowhere without them
#define BNAS_ISAS(ISA) ISA(wasm_simd128)
#elif defined(__wasm__)
#define BNAS_ISAS(ISA) ISA(wasm_simd128) ISA(scalar)
#else
#define BNAS_ISAS(ISA) ISA(scalar)
#endif

#define BNAS_ISA(name) extern const Kernels name##_kernels;
BNAS_ISAS(BNAS_ISA)
#undef BNAS_ISA

namespace {

#define BNAS_ISA(name) &name##_kernels,
const Kernels* const compiled[] = {BNAS_ISAS(BNAS_ISA)};
#undef BNAS_ISA

std::vector<std::string> missing_features(const Kernels& kernels) {
  std::string_view rest = kernels.features;
  std::vector<std::string> missing;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find(' '), rest.size());
    std::string name(rest.substr(0, end));
    if (!cpu_has(name)) missing.push_back(std::move(name));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return missing;
}

std::string listed(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

std::string supported_names(const std::vector<Isa>& known) {
  std::vector<std::string> names;
  for (const Isa& isa : known) {
    if (isa.missing.empty()) names.emplace_back(isa.kernels->name);
  }
  return listed(names);
}

const Kernels& supported(const Isa& isa, const std::vector<Isa>& known) {
  if (isa.missing.empty()) return *isa.kernels;
  throw std::invalid_argument("this machine cannot run " + std::string(isa.kernels->name) +
                              ": it lacks " + listed(isa.missing) + "; choose one of " +
                              supported_names(known));
}

}  // namespace

// Asked once: under a hypervisor every cpuid is a trip out of the machine, tens of microseconds.
const std::vector<Isa>& isas() {
  static const std::vector<Isa> all = [] {
    std::vector<Isa> found;
    for (const Kernels* kernels : compiled) found.push_back({kernels, missing_features(*kernels)});
    return found;
  }();
  return all;
}

const Kernels& choose_among(const std::vector<Isa>& known, const char* name) {
  for (const Isa& isa : known) {
    if (name == nullptr ? isa.missing.empty() : isa.kernels->name == std::string_view(name))
      return supported(isa, known);
  }
  throw std::invalid_argument("unknown instruction set " + quoted(name) + "; choose one of " +
                              supported_names(known));
}

const Kernels& choose_kernels(const char* name) {
  const char* forced = name == nullptr ? std::getenv("BNAS_ISA") : nullptr;
  if (forced == nullptr || *forced == '\0') return choose_among(isas(), name);
  try {
    return choose_among(isas(), forced);
  } catch (const std::invalid_argument& error) {
    throw std::invalid_argument(error.what() + std::string(" (isa from BNAS_ISA)"));
  }
}

double popcount_peak(const Kernels& kernels, double milliseconds) {
  using Clock = std::chrono::steady_clock;
  constexpr std::size_t rounds = 10000;
  const auto end = Clock::now() + std::chrono::duration<double, std::milli>(milliseconds);
  double best = 0.0;
  do {
    const auto start = Clock::now();
    const auto macs = static_cast<double>(kernels.peak_loop(rounds));
    best = std::max(best, macs / std::chrono::duration<double>(Clock::now() - start).count());
  } while (Clock::now() < end);
  return best;
}

}  // namespace bnas
