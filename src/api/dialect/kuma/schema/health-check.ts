/** HealthCheck of Kuma 1 (docs/peers/kuma.md 12 and 13): read, checked with its own sentences, and as it is shown. */
import { parseDuration, protobufDuration } from '../../../../domain/kuma/duration.ts'
import { SELECTORS_MAX, STATUS, STATUSES_MAX } from '../../../../domain/kuma/limits.ts'
import { SERVICE_TAG, type Tags } from '../../../../domain/kuma/objects.ts'
import { type Finding } from '../findings.ts'
import type { Fields } from './fields.ts'
import { assertHeader, noteTooLong, pathProblem, readExchange, statusesProblem } from './headers-and-bytes.ts'
import type { BodyOf } from './object-body.ts'

const POSITIVE = 'must have a positive value'

/** Wrong types are noted in the fields; `findings` are those of a body of the right types. */
export function readHealthCheck(fields: Fields): BodyOf {
  const findings: Finding[] = []
  const sources = readSelectors(fields, 'sources', findings)
  const destinations = readSelectors(fields, 'destinations', findings)
  const conf = fields.object('conf')
  if (conf === undefined) findings.push({ field: 'conf', message: 'has to be defined' })
  return {
    findings,
    body: { sources, destinations, ...(conf === undefined ? {} : { conf: readConf(conf, findings) }) },
  }
}

function readSelectors(
  fields: Fields,
  side: 'sources' | 'destinations',
  findings: Finding[],
): readonly { readonly match: Tags }[] {
  const selectors = fields.objects(side, SELECTORS_MAX)
  if (selectors.length === 0) findings.push({ field: side, message: 'must have at least one element' })
  return selectors.map((selector) => {
    const match = selector.textMap('match') ?? {}
    findings.push(
      ...(side === 'sources' ? ofSource(match) : ofDestination(match)).map(({ tag, message }) => ({
        field: `${selector.at('match')}${tag === undefined ? '' : `[${JSON.stringify(tag)}]`}`,
        message,
      })),
    )
    return { match }
  })
}

interface OfTag {
  readonly tag?: string
  readonly message: string
}

function ofSource(match: Tags): readonly OfTag[] {
  const found: OfTag[] = []
  if (Object.keys(match).length === 0) found.push({ message: 'must have at least one tag' })
  found.push(...emptyValues(match))
  if (!Object.hasOwn(match, SERVICE_TAG)) found.push({ message: `mandatory tag "${SERVICE_TAG}" is missing` })
  return found
}

function ofDestination(match: Tags): readonly OfTag[] {
  const keys = Object.keys(match)
  const isOne = keys.length === 1 && keys[0] === SERVICE_TAG
  const found: OfTag[] = isOne ? [] : [{ message: `must consist of exactly one tag "${SERVICE_TAG}"` }]
  found.push(...emptyValues(match))
  for (const tag of keys.filter((key) => key !== SERVICE_TAG).toSorted())
    found.push({ tag, message: `tag ${JSON.stringify(tag)} is not allowed` })
  return found
}

function emptyValues(match: Tags): readonly OfTag[] {
  return Object.entries(match)
    .filter(([, value]) => value === '')
    .map(([tag]) => ({ tag, message: 'tag value must be non-empty' }))
}

type Shown = Record<string, unknown>

function readConf(conf: Fields, findings: Finding[]): Shown {
  const shown: Shown = {}
  for (const key of ['interval', 'timeout'] as const)
    readDuration(conf, key, { shown, findings, isNeeded: true })
  for (const key of ['unhealthyThreshold', 'healthyThreshold'] as const) {
    const threshold = conf.integer(key) ?? 0
    if (threshold <= 0) findings.push({ field: conf.at(key), message: POSITIVE })
    else shown[key] = threshold
  }
  for (const key of ['initialJitter', 'intervalJitter'] as const) readDuration(conf, key, { shown, findings })
  const percent = conf.integer('intervalJitterPercent') ?? 0
  if (percent < 0 || percent > 100)
    findings.push({ field: conf.at('intervalJitterPercent'), message: 'must be in inclusive range [0, 100]' })
  if (percent !== 0) shown['intervalJitterPercent'] = percent
  readPanic(conf, shown, findings)
  readDuration(conf, 'noTrafficInterval', { shown, findings })
  const eventLogPath = conf.text('eventLogPath')
  if (eventLogPath !== undefined && eventLogPath !== '') shown['eventLogPath'] = eventLogPath
  for (const key of ['failTrafficOnPanic', 'alwaysLogHealthCheckFailures', 'reuseConnection'] as const) {
    const flag = conf.flag(key)
    if (flag !== undefined) shown[key] = flag
  }
  const tcp = conf.object('tcp')
  if (tcp !== undefined) shown['tcp'] = readExchange(tcp)
  const http = conf.object('http')
  if (http !== undefined) shown['http'] = readHttp(http, findings)
  return shown
}

function readPanic(conf: Fields, shown: Shown, findings: Finding[]): void {
  const percent = conf.number('healthyPanicThreshold')
  if (percent === undefined) return
  shown['healthyPanicThreshold'] = percent
  if (percent < 0 || percent > 100)
    findings.push({ field: conf.at('healthyPanicThreshold'), message: 'must be in range [0.0 - 100.0]' })
}

interface ReadInto {
  readonly shown: Shown
  readonly findings: Finding[]
  readonly isNeeded?: boolean
}

/** Only 0 is not positive for Kuma 1: a negative one is stored, and no prober follows it. */
function readDuration(conf: Fields, key: string, { shown, findings, isNeeded = false }: ReadInto): void {
  const text = conf.text(key)
  const nanos = text === undefined ? undefined : parseDuration(text)
  if (text !== undefined && nanos === undefined)
    conf.note(conf.at(key), `invalid duration ${JSON.stringify(text)}`)
  else if (nanos === 0n || (nanos === undefined && isNeeded))
    findings.push({ field: conf.at(key), message: POSITIVE })
  else if (nanos !== undefined) shown[key] = protobufDuration(nanos)
}

function readHttp(http: Fields, findings: Finding[]): Shown {
  const path = http.text('path') ?? ''
  if (path === '') findings.push({ field: http.at('path'), message: 'has to be defined and cannot be empty' })
  else noteProblem(findings, http.at('path'), pathProblem(path))
  const statuses = http.integers('expectedStatuses', STATUSES_MAX)
  for (const [i, status] of statuses.entries()) {
    if (status < STATUS.min || status > STATUS.max)
      findings.push({ field: `${http.at('expectedStatuses')}[${i}]`, message: 'must be in range [100, 600)' })
  }
  noteProblem(findings, http.at('expectedStatuses'), statusesProblem(statuses))
  const headers = http.objects('requestHeadersToAdd', HEADERS_MAX).map((each) => readHeader(each, findings))
  const texts = headers.map(({ header }) => JSON.stringify(header ?? ''))
  noteTooLong(http, http.at('requestHeadersToAdd'), texts)
  return {
    path,
    ...(headers.length === 0 ? {} : { requestHeadersToAdd: headers }),
    ...(statuses.length === 0 ? {} : { expectedStatuses: statuses }),
  }
}

/** As many as our options take. */
const HEADERS_MAX = 32

function readHeader(fields: Fields, findings: Finding[]): { header?: Shown; append?: boolean } {
  const header = fields.object('header')
  const append = fields.flag('append')
  if (header === undefined) {
    findings.push({ field: fields.at('header'), message: 'has to be defined' })
    return {}
  }
  const key = header.text('key') ?? ''
  const value = header.text('value') ?? ''
  if (key === '') findings.push({ field: header.at('key'), message: 'cannot be empty' })
  else
    assertHeader({ name: key, value }, { fields: header, name: header.at('key'), value: header.at('value') })
  return {
    header: { key, ...(value === '' ? {} : { value }) },
    ...(append === undefined ? {} : { append }),
  }
}

function noteProblem(findings: Finding[], field: string, message: string | undefined): void {
  if (message !== undefined) findings.push({ field, message })
}
