// Images by the formula of ../images.py, to the bit, so that none need be fetched.

/**
 * @param {number} index
 * @param {number} size
 */
export function image(index, size) {
  const count = 3 * size * size;
  return Float32Array.from({ length: count }, (_, i) => {
    let mixed = i + index * count;
    mixed = Math.imul(mixed ^ (mixed >>> 16), 0x7feb352d);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x846ca68b);
    mixed = (mixed ^ (mixed >>> 16)) >>> 0;
    return ((mixed / 2 ** 32) * 2 - 1) * Math.sqrt(3);
  });
}
