// How fast the processor's clock runs at this moment, measured.
#pragma once

namespace bnas {

// Cycles a second, from a chain of additions that each wait for the one before: one cycle each on
// every processor that the kernels are for. 0 where there is no such chain. An interrupted
// measurement reads low; the highest of several, taken within `milliseconds`, is returned.
double clock_rate(double milliseconds);

}  // namespace bnas
