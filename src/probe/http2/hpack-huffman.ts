/**
 * Huffman-coded strings of HPACK (RFC 7541 section 5.2 and appendix B). The code is canonical (codes of one length follow
 * each other in the order of their symbols), so that the lengths say all of it.
 */

/** Bits of the code of each octet, and last of EOS (RFC 7541 appendix B); sixteen to a line, as people look them up. */
const LENGTHS: readonly number[] = `
  13 23 28 28 28 28 28 28 28 24 30 28 28 30 28 28
  28 28 28 28 28 28 30 28 28 28 28 28 28 28 28 28
  6 10 10 12 13 6 8 11 10 10 8 11 8 6 6 6
  5 5 5 6 6 6 6 6 6 6 7 8 15 6 12 10
  13 6 7 7 7 7 7 7 7 7 7 7 7 7 7 7
  7 7 7 7 7 7 7 7 8 7 8 13 19 13 14 6
  15 5 6 5 6 5 6 6 6 5 7 7 6 6 6 5
  6 7 6 5 5 6 7 7 7 7 7 15 11 14 13 28
  20 22 20 20 22 22 22 23 22 23 23 23 23 23 24 23
  24 24 22 23 24 23 23 23 23 21 22 23 22 23 23 24
  22 21 20 22 22 23 23 21 23 22 22 24 21 22 23 23
  21 21 22 21 23 22 23 23 20 22 22 22 23 22 22 23
  26 26 20 19 22 23 22 25 26 26 26 27 27 26 24 25
  19 21 26 27 27 26 27 24 21 21 26 26 28 27 27 27
  20 24 20 21 22 21 21 23 22 22 25 25 24 24 26 23
  26 27 26 26 27 27 27 27 27 28 27 27 27 27 27 26
  30
`
  .trim()
  .split(/\s+/)
  .map(Number)

const EOS = 256
/** Bits that are read at a time: no code is shorter, so that such a step ends at most one symbol. */
const STEP_BITS = 4
const STEPS = 1 << STEP_BITS
/** A step that ends no symbol; one that ends EOS fails. */
const NO_SYMBOL = EOS
const FAILS = -1

/**
 * The tree of the code as steps: at `node * STEPS + bits`, the node that these bits lead to and the symbol that they end
 * (`node << 9 | symbol`), or FAILS. 257 symbols have 256 inner nodes.
 */
const STEP_TABLE = new Int32Array((LENGTHS.length - 1) * STEPS)
/** Per node: whether a string may end there. Padding is shorter than an octet and all ones (RFC 7541 section 5.2). */
const MAY_END = new Uint8Array(LENGTHS.length - 1)

/** Of an inner node: the nodes below it, and as `-1 - symbol` the symbols. */
type Branches = [number, number]

makeTables(treeOf(LENGTHS))

/** The code is canonical: going through the symbols by length, then value, each takes the next free place of its depth. */
function treeOf(lengths: readonly number[]): readonly Branches[] {
  const symbols = Array.from(lengths, (_, symbol) => symbol).sort(
    (a, b) => (lengths[a] ?? 0) - (lengths[b] ?? 0) || a - b,
  )
  const nodes: Branches[] = [[0, 0]]
  let code = 0
  let length = 0
  for (const symbol of symbols) {
    const bits = lengths[symbol] ?? 0
    code *= 2 ** (bits - length)
    length = bits
    let node = 0
    for (let depth = length - 1; depth > 0; depth--) {
      const bit = Math.floor(code / 2 ** depth) % 2
      const branches = nodes[node]!
      // 0 is the root, which is below no node: nothing is there yet.
      if (branches[bit] === 0) branches[bit] = nodes.push([0, 0]) - 1
      node = branches[bit]!
    }
    nodes[node]![code % 2] = -1 - symbol
    code++
  }
  return nodes
}

function makeTables(tree: readonly Branches[]): void {
  for (let node = 0; node < tree.length; node++)
    for (let bits = 0; bits < STEPS; bits++) STEP_TABLE[node * STEPS + bits] = stepFrom(tree, node, bits)
  for (let ones = 0, node = 0; ones < 8; ones++) {
    MAY_END[node] = 1
    node = tree[node]![1]
  }
}

function stepFrom(tree: readonly Branches[], from: number, bits: number): number {
  let node = from
  let symbol = NO_SYMBOL
  for (let bit = STEP_BITS - 1; bit >= 0; bit--) {
    const below = tree[node]![(bits >> bit) & 1]!
    if (below === -1 - EOS) return FAILS
    if (below < 0) symbol = -1 - below
    node = Math.max(0, below)
  }
  return (node << 9) | symbol
}

/** The text (latin1); undefined when the bytes are not valid: EOS inside, or padding that is not the start of EOS. */
export function decodeHuffman(bytes: Uint8Array): string | undefined {
  let text = ''
  let node = 0
  for (let half = 0; half < 2 * bytes.length; half++) {
    const octet = bytes[half >> 1]!
    const bits = (half & 1) === 0 ? octet >> STEP_BITS : octet & (STEPS - 1)
    const step = STEP_TABLE[node * STEPS + bits]!
    if (step === FAILS) return undefined
    const symbol = step & 0x1ff
    if (symbol !== NO_SYMBOL) text += String.fromCharCode(symbol)
    node = step >> 9
  }
  return MAY_END[node] === 1 ? text : undefined
}
