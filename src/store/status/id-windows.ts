/**
 * Windows of ids, one after the other, in which a list in the order of ids is walked. Ids are random (UUIDs of version
 * 4, RFC 9562 section 5.4), so a window of a thousandth of all ids has about a thousandth of the rows. Where it has
 * fewer, the next window is wider.
 */
import type { Bindings } from '../connection/bindings.ts'

/** The first 48 bits of an id are a place: a number that is exact. The bits after them are the version. */
const PLACES = 2 ** 48
const PLACE_DIGITS = 12
/** How much wider a window is than the one before it. */
const GROWTH = 4

export interface IdWindow {
  readonly isAscending: boolean
  /** Condition: an id is in it. */
  readonly contains: (id: string, bind: Bindings['bind']) => string
}

export interface IdWindows {
  /** The next one; undefined when the last one ended at the end of all ids. */
  readonly next: () => IdWindow | undefined
  /** What is left of the last one after this id, which is in it. */
  readonly after: (id: string) => IdWindow | undefined
}

interface Walk {
  readonly isAscending: boolean
  /** Begins after this id; absent = with the first one. */
  readonly marker: string | undefined
  /** Of all ids, how many the first window has: 1 or more = all. */
  readonly share: number
}

/** The windows of a walk. */
export function idWindows({ isAscending, marker, share }: Walk): IdWindows {
  let beyond = marker
  let place = marker === undefined ? (isAscending ? 0 : PLACES - 1) : placeOf(marker)
  let width = Math.ceil(share * PLACES)
  let last: string | undefined
  let isDone = false
  const window = (): IdWindow => ({ isAscending, contains: condition(isAscending, beyond, last) })
  return {
    next: () => {
      if (isDone) return undefined
      if (last !== undefined) beyond = last
      place += isAscending ? width : -width
      isDone = place < 0 || place >= PLACES
      last = isDone ? undefined : idAt(place, isAscending ? 'f' : '0')
      width *= GROWTH
      return window()
    },
    after: (id) => {
      beyond = id
      return window()
    },
  }
}

function condition(
  isAscending: boolean,
  beyond: string | undefined,
  last: string | undefined,
): IdWindow['contains'] {
  const [after, until] = isAscending ? ['>', '<='] : ['<', '>=']
  return (id, bind) =>
    [
      ...(beyond === undefined ? [] : [`${id} ${after} ${bind(beyond)}::uuid`]),
      ...(last === undefined ? [] : [`${id} ${until} ${bind(last)}::uuid`]),
    ].join(' and ') || 'true'
}

function placeOf(id: string): number {
  return Number.parseInt(id.replaceAll('-', '').slice(0, PLACE_DIGITS), 16)
}

/** The first or the last id at a place. */
function idAt(place: number, fill: '0' | 'f'): string {
  const digits = place.toString(16).padStart(PLACE_DIGITS, '0').padEnd(32, fill)
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}
