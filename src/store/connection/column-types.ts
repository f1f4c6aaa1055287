/**
 * How columns become values. The driver's own parsers accept many formats, of which PostgreSQL sends only one with our
 * settings; and most of the time of a list with thousands of rows is parsing.
 */
import pg from 'pg'

/** Type of uuid[] in pg_type. */
const UUID_ARRAY = 2951

/** bigint columns (epochs, sequences, versions) stay far below 2^53; as numbers they compare without surprises. */
const OWN_READERS: Readonly<Record<number, (text: string) => unknown>> = {
  [pg.types.builtins.INT8]: Number,
  [UUID_ARRAY]: uuids,
  [pg.types.builtins.TIMESTAMPTZ]: timestamp,
  [pg.types.builtins.JSONB]: json,
}

/** For the driver's option `types`. */
export const columnTypes = {
  getTypeParser: ((oid: number, format: 'text') =>
    OWN_READERS[oid] ?? pg.types.getTypeParser(oid, format)) as typeof pg.types.getTypeParser,
}

/**
 * Arrays of UUIDs hold neither quotes nor nulls: 500 of them split in 12 µs and took the driver 700 µs (2026-11-21), and the
 * answer for a page of pools holds thousands.
 */
function uuids(text: string): string[] {
  return text === '{}' ? [] : text.slice(1, -1).split(',')
}

/** Lengths of `2026-11-21 12:00:00+00` and, with up to six decimals, `2026-11-21 12:00:00.123456+00`. */
const SECONDS_LENGTH = 22
const MICROSECONDS_LENGTH = 29
const [DIGIT_ZERO, DIGIT_NINE, DASH] = [48, 57, 45]

/**
 * A timestamp in the format of sessions in UTC; other formats (years without four digits) go to the driver's parser.
 */
function timestamp(text: string): unknown {
  const { length } = text
  const isUsual =
    length >= SECONDS_LENGTH &&
    length <= MICROSECONDS_LENGTH &&
    text.charCodeAt(4) === DASH &&
    text.charCodeAt(0) !== DIGIT_ZERO &&
    text.endsWith('+00')
  if (!isUsual) return pg.types.getTypeParser(pg.types.builtins.TIMESTAMPTZ, 'text')(text)
  const month = pair(text, 5) - 1
  const seconds = pair(text, 17)
  return new Date(
    Date.UTC(
      pair(text, 0) * 100 + pair(text, 2),
      month,
      pair(text, 8),
      pair(text, 11),
      pair(text, 14),
      seconds,
      digit(text, 20) * 100 + digit(text, 21) * 10 + digit(text, 22),
    ),
  )
}

function pair(text: string, at: number): number {
  return digit(text, at) * 10 + digit(text, at + 1)
}

/** A decimal that is not there is 0. */
function digit(text: string, at: number): number {
  const code = text.charCodeAt(at)
  return code >= DIGIT_ZERO && code <= DIGIT_NINE ? code - DIGIT_ZERO : 0
}

/** Most tags and echoes are empty. */
function json(text: string): unknown {
  if (text === '[]') return []
  return text === '{}' ? {} : (JSON.parse(text) as unknown)
}
