// Moving bits between planes, for convolutions in groups that do not fill whole planes.

void add_piece(const RepackBits::Piece& piece, const std::uint8_t* __restrict in,
               std::uint8_t* __restrict out, std::size_t count) {
  const int up = piece.left > 0 ? piece.left : 0, down = piece.left < 0 ? -piece.left : 0;
  for (std::size_t i = 0; i < count; ++i) {
    const unsigned moved = static_cast<unsigned>(in[i]) << up >> down;
    out[i] = static_cast<std::uint8_t>(out[i] | (moved & piece.kept));
  }
}

void repack_bits(const RepackBits& step, const Frame& frame, Range range) {
  const std::size_t count = pixels(planes_of(frame, step.output));
  for (std::size_t plane = range.begin; plane < range.end; ++plane) {
    std::uint8_t* out = byte_plane(frame, step.output, plane);
    std::memset(out, 0, count);
    for (std::size_t i = step.first[plane]; i < step.first[plane + 1]; ++i)
      add_piece(step.pieces[i], byte_plane(frame, step.input, step.pieces[i].from), out, count);
  }
}
