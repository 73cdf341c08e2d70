// What an instruction set must define before it includes table-inl.h: the contract of the
// primitives. A file of isa/ that lacks one, or has it with other types, does not compile, and the
// error names it.
//
// Types, each a register or a struct of plain data:
//   Bytes        byte_lanes lanes of 8 bits: neighbouring pixels, in the order of memory
//   Words        byte_lanes / 2 lanes of 16 bits: the even or the odd lanes of a Bytes
//   Floats       float_lanes lanes of float
//   Sums         float_lanes lanes of int32_t
//   Quads        float_lanes lanes of four bytes, 0 to 127, the first in the lowest
//   QuadWeights  four signed bytes as dot_quads wants them in every lane
//   Pixels, Weight  operands of add_differences; popcount-inl.h or lookup-inl.h defines them
//
// Everywhere:
// - Alignment: pointers are aligned to their element only, unless it is said otherwise.
// - Reach: a load or store touches a whole vector, also behind a plane or before it; there is room
//   (steps.h, run/model.cpp). A load under a mask uses the lanes of the mask only, bit i for lane
//   i; it may read the others, except where another thread may be writing them (scalar.cpp).
// - Rounding: to nearest even, subnormals kept; the caller sets that (run/standard_floats.h).
// Nothing
//   is fused but fma_floats, and that always is: results are specified to the bit.
// - NaN: arithmetic gives NaN, of any sign and payload. Where a primitive orders numbers, it says
//   what becomes of NaN.
// - All functions have internal linkage, and templates of the standard library stay out: the linker
//   would keep one copy of a shared function for every processor.

#define BNAS_PRIMITIVE(Result, name, ...) \
  [[maybe_unused]] constexpr Result (*needs_##name)(__VA_ARGS__) = &name

// Sizes. Planes begin at multiples of max_lanes bytes, or of max_float_lanes floats.
static_assert(byte_lanes >= 8 && max_lanes % byte_lanes == 0,
              "byte_lanes: 8, 16, 32 or 64 pixels in a vector of bytes");
static_assert(float_lanes >= 4 && max_float_lanes % float_lanes == 0 &&
                  byte_lanes % float_lanes == 0,
              "float_lanes: 4, 8 or 16 pixels in a vector of floats");
static_assert(binary_vectors >= 1, "binary_vectors: vectors that a binary convolution works on");
static_assert(counted_outputs >= 1 && counted_outputs <= bits_per_plane,
              "counted_outputs: outputs whose counts the registers hold at a time");
static_assert(float_vectors >= 1 && float_outputs >= 1,
              "float_vectors, float_outputs: the tile of a float convolution");
static_assert(quad_vectors >= 1 && quad_outputs >= 1 && quad_rows >= 1,
              "quad_vectors, quad_outputs, quad_rows: the tile of an 8-bit convolution");
static_assert(sizeof(Bytes) == byte_lanes && sizeof(Words) == byte_lanes,
              "Bytes, Words: byte_lanes bytes");
static_assert(sizeof(Floats) == 4 * float_lanes && sizeof(Sums) == 4 * float_lanes,
              "Floats, Sums: float_lanes of 32 bits");

// Bytes.
BNAS_PRIMITIVE(Bytes, zero_bytes, );
BNAS_PRIMITIVE(Bytes, load_bytes, const std::uint8_t*);
BNAS_PRIMITIVE(void, store_bytes, std::uint8_t*, Bytes);
// Zero in the lanes that are not in the mask.
BNAS_PRIMITIVE(Bytes, load_bytes_masked, const std::uint8_t*, std::uint64_t mask);
// Every second of 32 bytes; writes 16 and nothing behind.
BNAS_PRIMITIVE(void, store_even_bytes, std::uint8_t* out, const std::uint8_t* in);
// Four bytes, always the same one four times, in all lanes.
BNAS_PRIMITIVE(Bytes, broadcast_bytes, std::uint32_t);
BNAS_PRIMITIVE(Bytes, xor_bytes, Bytes, Bytes);
// Modulo 256; callers keep sums of a lane below that. (The operator & is used, too.)
BNAS_PRIMITIVE(Bytes, add_bytes, Bytes, Bytes);
// max(a - b, 0) of unsigned bytes.
BNAS_PRIMITIVE(Bytes, sub_bytes_saturated, Bytes a, Bytes b);
// The lesser of unsigned bytes.
BNAS_PRIMITIVE(Bytes, min_bytes, Bytes, Bytes);
// Sets `bit` (one bit, in each of four bytes; clear in acc) in the lanes where a < b, unsigned.
BNAS_PRIMITIVE(Bytes, mark_less, Bytes acc, Bytes a, Bytes b, std::uint32_t bit);
// The same value; the compiler must not know that.
BNAS_PRIMITIVE(Bytes, opaque, Bytes);

// Differing bits: how they are counted is the instruction set's choice. With popcount_bytes (set
// bits of each lane) and replicate_bytes include generic/popcount-inl.h, with look_up and what
// belongs to it generic/lookup-inl.h; they define the rest.
// `count` weight bytes as load_weight wants them; reads and writes up to whole vectors behind.
BNAS_PRIMITIVE(void, encode_weights, const std::uint8_t* in, std::size_t count, std::uint32_t* out);
BNAS_PRIMITIVE(Pixels, prepare_pixels, Bytes);
BNAS_PRIMITIVE(Weight, load_weight, const std::uint32_t*);
BNAS_PRIMITIVE(Weight, opaque_weight, Weight);
// sum + the number of bits in which each pixel's byte differs from the weight's.
BNAS_PRIMITIVE(Bytes, add_differences, Bytes sum, Pixels, Weight);

// Words: additions and subtractions wrap around, comparisons are signed.
BNAS_PRIMITIVE(Words, even_bytes, Bytes);  // lanes 0, 2, ... made wider with zeros
BNAS_PRIMITIVE(Words, odd_bytes, Bytes);   // lanes 1, 3, ...
BNAS_PRIMITIVE(Words, load_words, const std::int16_t*);
BNAS_PRIMITIVE(void, store_words, std::int16_t*, Words);
BNAS_PRIMITIVE(Words, add_words, Words, Words);
BNAS_PRIMITIVE(Words, sub_words, Words, Words);
// Stores even and odd lanes in the order of the pixels: byte_lanes words.
BNAS_PRIMITIVE(void, store_interleaved, std::int16_t*, Words even, Words odd);
// Sets `bit` in the lanes of acc whose word is greater than a limit of 16 bits, given twice.
BNAS_PRIMITIVE(Bytes, mark_greater, Bytes acc, Words even, Words odd, std::uint32_t limit,
               std::uint32_t bit);

// Floats.
BNAS_PRIMITIVE(Floats, load_floats, const float*);
BNAS_PRIMITIVE(void, store_floats, float*, Floats);
// The lanes of the mask, `other` in the rest.
BNAS_PRIMITIVE(Floats, load_floats_or, const float*, std::uint64_t mask, Floats other);
BNAS_PRIMITIVE(Floats, select_floats, std::uint64_t mask, Floats x, Floats other);
// Every second of 2 float_lanes floats, in the lanes of the mask; `other` in the rest.
BNAS_PRIMITIVE(Floats, load_even_floats_or, const float*, std::uint64_t mask, Floats other);
BNAS_PRIMITIVE(Floats, even_floats, const float*);
// Lanes 0, 2, ... of a and then of b, and lanes 1, 3, ...
BNAS_PRIMITIVE(Floats, even_of, Floats a, Floats b);
BNAS_PRIMITIVE(Floats, odd_of, Floats a, Floats b);
// The last lane of `before`, then all lanes of x but its last.
BNAS_PRIMITIVE(Floats, shift_in, Floats before, Floats x);
// Stores the first `count` lanes and touches nothing behind them; count <= float_lanes.
BNAS_PRIMITIVE(void, store_floats_some, float*, Floats, std::size_t count);
BNAS_PRIMITIVE(Floats, broadcast_float, float);
BNAS_PRIMITIVE(Floats, add_floats, Floats, Floats);
BNAS_PRIMITIVE(Floats, mul_floats, Floats, Floats);
BNAS_PRIMITIVE(Floats, fma_floats, Floats a, Floats b, Floats c);  // a b + c, rounded once
BNAS_PRIMITIVE(Floats, div_floats, Floats, Floats);
// a > b ? a : b, and a < b ? a : b: the second operand where one is NaN, or both are zeros.
BNAS_PRIMITIVE(Floats, max_floats, Floats a, Floats b);
BNAS_PRIMITIVE(Floats, min_floats, Floats a, Floats b);
// float_lanes numbers, made into floats; exact.
BNAS_PRIMITIVE(Floats, words_to_floats, const std::int16_t*);
BNAS_PRIMITIVE(Floats, bytes_to_floats, const std::uint8_t*);
// Sets `bit` in the lanes of acc whose float, of byte_lanes floats, is not less than the threshold;
// NaN is less. The lanes may come in any order, which order_marks then makes that of the pixels.
BNAS_PRIMITIVE(Bytes, mark_not_less, Bytes acc, const float*, float threshold, std::uint32_t bit);
BNAS_PRIMITIVE(Bytes, order_marks, Bytes acc);

// Quads and sums. Sums of 32 bits wrap around.
// Four vectors of floats from 0 to 127, rounded to nearest even, into the bytes of float_lanes
// quads.
BNAS_PRIMITIVE(void, store_rounded, std::uint32_t*, Floats, Floats, Floats, Floats);
// The quads of the mask's lanes, `other` in the rest; `in` may point anywhere where the mask is 0.
BNAS_PRIMITIVE(void, copy_quads, std::uint32_t* out, const std::uint32_t* in, std::uint64_t mask,
               std::uint32_t other);
BNAS_PRIMITIVE(Sums, broadcast_sum, std::int32_t);
BNAS_PRIMITIVE(Sums, load_sums, const void*);
BNAS_PRIMITIVE(void, store_sums, void*, Sums);
BNAS_PRIMITIVE(Floats, sums_to_floats, Sums);  // rounded once
#ifndef BNAS_QUANTIZED_TILE                    // which has an inner loop of its own
BNAS_PRIMITIVE(Quads, load_quads, const std::uint32_t*);
BNAS_PRIMITIVE(QuadWeights, broadcast_weights, std::uint32_t);
// sums + the four products of each lane, added exactly.
BNAS_PRIMITIVE(Sums, dot_quads, Sums sums, Quads, QuadWeights);
#endif

#undef BNAS_PRIMITIVE
