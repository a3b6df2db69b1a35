// From the JSON of the stage to typed arrays.

const TYPES = { int16: Int16Array, int32: Int32Array, float32: Float32Array };

/** The numbers of `{dtype, shape, data}`, with `at(i, j)`: the rows of the last axis at these places. */
function decoded({ dtype, shape, data }) {
  const text = atob(data);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  const values = new TYPES[dtype](bytes.buffer);
  const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((a, b) => a * b, 1));
  const at = (...places) => {
    const begin = places.reduce((sum, place, axis) => sum + place * strides[axis], 0);
    return values.subarray(begin, begin + strides[places.length - 1]);
  };
  return { values, shape, at };
}

/** A measure with the digits that people can compare: 0.71, 0.057, 0.00015, 23.4. */
function written(value) {
  if (value === null || value === undefined) return "–";
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size >= 10) return value.toFixed(1);
  if (size >= 0.1) return value.toFixed(2);
  if (size >= 0.0001) return Number(value.toPrecision(2)).toString();
  return value.toExponential(0).replace("e-", "·10⁻").replace(/\d+$/, (digits) =>
    [...digits].map((digit) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[digit]).join(""));
}
