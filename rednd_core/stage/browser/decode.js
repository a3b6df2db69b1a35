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

/** A measure in three significant digits, as `rednd_core/wording.py` writes it: 0.944, 0.000154, 62.3. */
function written(value) {
  if (value === null || value === undefined) return "–";
  const [digits, power] = value.toExponential(2).split("e");
  if (value && Number(power) < -6) return `${digits}e${power}`;
  const places = value ? Math.max(0, 2 - Number(power)) : 0;
  return Number(`${digits}e${power}`).toLocaleString("en",
    { minimumFractionDigits: places, maximumFractionDigits: places });
}

/** The least of 1, 2, 4, 5, 8 times a power of ten that `value` does not exceed by more than 2 %: MAD may
 * lie a little above 1. */
function ceiling(value) {
  if (!(value > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 4, 5, 8, 10].map((step) => step * power).find((step) => step >= value * 0.98);
}

function shortened(value) {
  return Number(value.toPrecision(2)).toString();
}
