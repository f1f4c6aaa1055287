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
const LONGEST = 30

/** Symbols in the order of their codes; per length the first code, and where its symbols begin. */
const SYMBOLS = Array.from(LENGTHS, (_, symbol) => symbol).sort(
  (a, b) => (LENGTHS[a] ?? 0) - (LENGTHS[b] ?? 0) || a - b,
)
interface CodesOfLength {
  readonly firstCode: number
  readonly firstIndex: number
  readonly count: number
}
const BY_LENGTH: readonly CodesOfLength[] = codesByLength()

function codesByLength(): CodesOfLength[] {
  const table: CodesOfLength[] = [{ firstCode: 0, firstIndex: 0, count: 0 }]
  let firstCode = 0
  let firstIndex = 0
  for (let length = 1; length <= LONGEST; length++) {
    firstCode *= 2
    const count = LENGTHS.filter((bits) => bits === length).length
    table.push({ firstCode, firstIndex, count })
    firstCode += count
    firstIndex += count
  }
  return table
}

/** The text (latin1); undefined when the bytes are not valid: EOS inside, or padding that is not the start of EOS. */
export function decodeHuffman(bytes: Uint8Array): string | undefined {
  let text = ''
  let code = 0
  let length = 0
  for (const byte of bytes) {
    for (let bit = 7; bit >= 0; bit--) {
      code = code * 2 + ((byte >> bit) & 1)
      length++
      const { firstCode, firstIndex, count } = BY_LENGTH[length] ?? { firstCode: 0, firstIndex: 0, count: 0 }
      if (code - firstCode < count && code >= firstCode) {
        const symbol = SYMBOLS[firstIndex + code - firstCode] ?? EOS
        if (symbol === EOS) return undefined
        text += String.fromCharCode(symbol)
        code = 0
        length = 0
      } else if (length === LONGEST) {
        return undefined
      }
    }
  }
  // Padding is shorter than an octet and all ones (RFC 7541 section 5.2).
  return length < 8 && code === 2 ** length - 1 ? text : undefined
}
