/** A badge: a label and a message in the flat look that READMEs know, as SVG without scripts, styles or links. */
import { DomainError, notFound } from '../../domain/errors.ts'
import { PUBLIC_BADGE_TEXT_MAX, PUBLIC_COVERAGE_MIN } from '../../domain/limits.ts'
import type { RolledUpStatus } from '../../domain/status/roll-up.ts'
import type { PublicPageBody, PublicPool, PublicWindow } from './page-answer.ts'

const COLOURS = { good: '#2f7d32', partly: '#b26a00', bad: '#c62828', unknown: '#6b6b6b' } as const
type Colour = keyof typeof COLOURS

const STATUSES: Readonly<Record<RolledUpStatus, readonly [word: string, colour: Colour]>> = {
  ONLINE: ['up', 'good'],
  DEGRADED: ['degraded', 'partly'],
  ERROR: ['down', 'bad'],
  OFFLINE: ['unknown', 'unknown'],
}

/** `show` → hours of the window of an uptime. */
const UPTIMES: Readonly<Record<string, number>> = {
  'uptime-24h': 24,
  'uptime-7d': 168,
  'uptime-30d': 720,
  'uptime-90d': 2160,
}
/** Shares of the time from which a badge is good, and partly good. */
const GOOD_FROM = 0.999
const PARTLY_FROM = 0.99

/** The badge of a page, or of one of its pools. Throws INVALID_QUERY, NOT_FOUND. */
export function badgeOf(page: PublicPageBody, parameters: URLSearchParams): string {
  const show = parameters.get('show') ?? 'status'
  const wanted = parameters.get('pool')
  const pool = wanted === null ? undefined : poolOf(page, wanted)
  const label = pool?.name ?? page.title
  if (show === 'status') {
    const [word, colour] = STATUSES[(pool ?? page).status]
    return draw(label, word, colour)
  }
  const hours = Object.hasOwn(UPTIMES, show) ? UPTIMES[show] : undefined
  if (hours === undefined) {
    throw new DomainError(
      'INVALID_QUERY',
      `show must be status or one of ${Object.keys(UPTIMES).join(', ')}.`,
    )
  }
  const share = meanShare(pool === undefined ? page.pools : [pool], hours)
  return draw(`${label} ${show.replace('-', ' ')}`, percentOf(share), colourOf(share))
}

/** By its name, else by its place on the page, from 1. */
function poolOf({ pools }: PublicPageBody, wanted: string): PublicPool {
  const pool =
    pools.find(({ name }) => name === wanted) ??
    (/^\d{1,3}$/.test(wanted) ? pools[Number(wanted) - 1] : undefined)
  if (pool === undefined) throw notFound('pool', wanted.slice(0, 255))
  return pool
}

/** Of the pools of which something is known, each the same; null = nothing is. */
function meanShare(pools: readonly PublicPool[], hours: number): number | null {
  const shares = pools
    .map(({ uptime }) => uptime.find((window: PublicWindow) => window.hours === hours))
    .map((window) => (window === undefined || window.coverage < PUBLIC_COVERAGE_MIN ? null : window.up_share))
    .filter((share) => share !== null)
  return shares.length === 0 ? null : shares.reduce((sum, share) => sum + share, 0) / shares.length
}

/** Never rounded up to 100 %. */
function percentOf(share: number | null): string {
  if (share === null) return 'unknown'
  return share === 1 ? '100 %' : `${(Math.floor(share * 10_000) / 100).toFixed(2)} %`
}

function colourOf(share: number | null): Colour {
  if (share === null) return 'unknown'
  return share >= GOOD_FROM ? 'good' : share >= PARTLY_FROM ? 'partly' : 'bad'
}

const HEIGHT = 20
const PADDING = 6
const FONT_SIZE = 11
/** Width of a character of Verdana in pixels at 11 px, nearly; `textLength` makes the text fit exactly. */
const WIDTHS: readonly (readonly [characters: RegExp, width: number])[] = [
  [/[ijlI|!.,:;'()[\]]/, 4],
  [/[ frt-]/, 4.7],
  [/[mwMW%@]/, 10.5],
  [/[A-Z]/, 7.8],
  [/[\u1100-\uffff]/, 11],
]

function widthOf(text: string): number {
  let width = 0
  for (const character of text) {
    width += WIDTHS.find(([characters]) => characters.test(character))?.[1] ?? 6.8
  }
  return Math.round(width)
}

function draw(label: string, message: string, colour: Colour): string {
  const [left, right] = [cut(label), cut(message)].map((text) => ({
    text: escaped(text),
    width: widthOf(text),
  }))
  if (left === undefined || right === undefined) throw new Error('a badge has two parts')
  const leftWidth = left.width + 2 * PADDING
  const width = leftWidth + right.width + 2 * PADDING
  const title = `${left.text}: ${right.text}`
  const text = (x: number, part: { readonly text: string; readonly width: number }) =>
    `<text x="${x}" y="14" textLength="${part.width}" lengthAdjust="spacingAndGlyphs">${part.text}</text>`
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${HEIGHT}" role="img" aria-label="${title}">`,
    `<title>${title}</title>`,
    `<clipPath id="r"><rect width="${width}" height="${HEIGHT}" rx="3" fill="#fff"/></clipPath>`,
    '<g clip-path="url(#r)">',
    `<rect width="${leftWidth}" height="${HEIGHT}" fill="#4a4a4a"/>`,
    `<rect x="${leftWidth}" width="${width - leftWidth}" height="${HEIGHT}" fill="${COLOURS[colour]}"/>`,
    '</g>',
    `<g fill="#fff" font-family="Verdana,Geneva,DejaVu Sans,sans-serif" font-size="${FONT_SIZE}">`,
    text(PADDING, left),
    text(leftWidth + PADDING, right),
    '</g>',
    '</svg>',
  ].join('')
}

function cut(text: string): string {
  // Control characters are not allowed in XML, however they are written. Those of the direction of text would turn around
  // what stands behind the name: the status.
  const plain = text.replaceAll(/[\p{Cc}\p{Cs}\ufffe\uffff]/gu, ' ').replaceAll(/\p{Bidi_Control}/gu, '')
  const characters = Array.from(plain)
  return characters.length <= PUBLIC_BADGE_TEXT_MAX
    ? characters.join('')
    : `${characters.slice(0, PUBLIC_BADGE_TEXT_MAX - 1).join('')}…`
}

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}
const escaped = (text: string): string => text.replaceAll(/[&<>"']/g, (character) => ESCAPES[character] ?? '')
