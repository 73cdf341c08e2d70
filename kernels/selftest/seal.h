// Makes the checksum of damaged files right, so that the damage is not found at the door.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace bnas {

// Where the header of a file of 8 bytes or more ends.
std::size_t header_end(const std::vector<std::uint8_t>& blob);

// Nothing happens where the program has other escapes than those of quotes.
void seal(std::vector<std::uint8_t>& blob);

}  // namespace bnas
