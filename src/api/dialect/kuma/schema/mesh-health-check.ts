/** MeshHealthCheck of Kuma 2 (docs/peers/kuma.md 14 and 15): read, checked with its own sentences, and as it is shown. */
import { goDuration, parseDuration } from '../../../../domain/kuma/duration.ts'
import { HEADERS_OF_LIST_MAX, STATUS, STATUSES_MAX, TO_MAX } from '../../../../domain/kuma/limits.ts'
import type { NamedHeader, TargetRef } from '../../../../domain/kuma/objects.ts'
import { AUTHORITY } from '../../../../domain/options/header-forms.ts'
import type { Finding } from '../findings.ts'
import type { Fields } from './fields.ts'
import {
  assertHeader,
  hexWarnings,
  noteTooLong,
  pathProblem,
  readExchange,
  statusesProblem,
} from './headers-and-bytes.ts'
import type { BodyOf } from './object-body.ts'
import { readTargetRef, toFindings, topFindings, warningsOf } from './target-ref.ts'

type Shown = Record<string, unknown>

const POSITIVE = 'must be greater than zero when defined'
/** A name of a header in Kuma's schema: lower case. */
const NAME_PATTERN = "^[a-z0-9!#$%&'*+\\-.^_\\x60|~]+$"
const NAME = new RegExp(NAME_PATTERN)

/** Collects while a conf is read: values that are wrong, and the first that is no duration. */
interface Notes {
  readonly findings: Finding[]
  readonly warnings: string[]
  unreadable?: string
}

/** Wrong types are noted in the fields, and hide what is wrong with values. */
export function readMeshHealthCheck(fields: Fields): BodyOf {
  const notes: Notes = { findings: [], warnings: [] }
  const spec = fields.object('spec')
  if (spec === undefined) {
    if (!fields.has('spec')) fields.note('', '.spec in body is required')
    return { body: {}, findings: [] }
  }
  const entries = spec.objects('to', TO_MAX)
  const topFields = spec.object('targetRef')
  const to = entries.map((entry) => readEntry(entry, notes))
  const top = topFields === undefined ? undefined : readTargetRef(topFields)
  const ofTop = top === undefined ? [] : topFindings(top, 'spec.targetRef')
  const ofTo = to.flatMap(({ ref, path }) => (ref === undefined ? [] : toFindings(ref, path, top)))
  return {
    body: {
      spec: {
        ...(top === undefined ? {} : { targetRef: top }),
        ...(to.length === 0 ? {} : { to: to.map(({ ref, conf }) => ({ targetRef: ref, default: conf })) }),
      },
    },
    findings: [...ofTop, ...ofTo, ...notes.findings],
    warnings: [...warningsOf(top), ...notes.warnings],
    ...(notes.unreadable === undefined ? {} : { unreadable: notes.unreadable }),
  }
}

function readEntry(
  entry: Fields,
  notes: Notes,
): { readonly ref: TargetRef | undefined; readonly path: string; readonly conf: Shown } {
  const target = entry.object('targetRef')
  if (target === undefined && !entry.has('targetRef'))
    entry.note(entry.at('targetRef'), 'in body is required')
  const ref = target === undefined ? undefined : readTargetRef(target)
  const conf = entry.object('default')
  const path = entry.at('targetRef')
  if (conf === undefined) {
    notes.findings.push({ field: entry.at('default'), message: NOTHING })
    return { ref, path, conf: {} }
  }
  return { ref, path, conf: readConf(conf, notes) }
}

const NOTHING = 'must have at least one defined: http, tcp, grpc'

function readConf(conf: Fields, notes: Notes): Shown {
  const shown: Shown = {}
  const { findings } = notes
  for (const key of ['interval', 'timeout'] as const) readDuration(conf, key, shown, notes)
  for (const key of ['unhealthyThreshold', 'healthyThreshold'] as const) {
    const threshold = conf.integer(key)
    if (threshold === undefined) continue
    shown[key] = threshold
    if (threshold <= 0) findings.push({ field: conf.at(key), message: POSITIVE })
  }
  for (const key of ['initialJitter', 'intervalJitter'] as const) readDuration(conf, key, shown, notes)
  readPercents(conf, shown, findings)
  readDuration(conf, 'noTrafficInterval', shown, notes)
  const eventLogPath = conf.text('eventLogPath')
  if (eventLogPath !== undefined) {
    shown['eventLogPath'] = eventLogPath
    if (!/^[^%\0]+$/.test(eventLogPath))
      findings.push({ field: conf.at('eventLogPath'), message: 'must be a valid path when defined' })
  }
  for (const key of ['failTrafficOnPanic', 'alwaysLogHealthCheckFailures', 'reuseConnection'] as const) {
    const flag = conf.flag(key)
    if (flag !== undefined) shown[key] = flag
  }
  const [tcp, http, grpc] = [conf.object('tcp'), conf.object('http'), conf.object('grpc')]
  if (tcp !== undefined) {
    const exchange = readExchange(tcp)
    shown['tcp'] = { ...disabledOf(tcp), ...exchange }
    notes.warnings.push(...hexWarnings(tcp, exchange))
  }
  if (http !== undefined) shown['http'] = { ...disabledOf(http), ...readHttp(http, findings) }
  if (grpc !== undefined) shown['grpc'] = { ...disabledOf(grpc), ...readGrpc(grpc, findings) }
  const hasWrongType = ['tcp', 'http', 'grpc'].some((key) => conf.has(key) && shown[key] === undefined)
  if (tcp === undefined && http === undefined && grpc === undefined && !hasWrongType)
    findings.push({ field: conf.path, message: NOTHING })
  return shown
}

function readPercents(conf: Fields, shown: Shown, findings: Finding[]): void {
  const jitter = conf.integer('intervalJitterPercent')
  if (jitter !== undefined) {
    shown['intervalJitterPercent'] = jitter
    if (jitter < 0 || jitter > 100)
      findings.push({
        field: conf.at('intervalJitterPercent'),
        message: 'must be in inclusive range [0, 100]',
      })
  }
  const panic = conf.number('healthyPanicThreshold')
  if (panic === undefined) return
  shown['healthyPanicThreshold'] = panic
  if (panic < 0 || panic > 100)
    findings.push({
      field: conf.at('healthyPanicThreshold'),
      message: 'must be in inclusive range [0.0, 100.0]',
    })
}

function readDuration(conf: Fields, key: string, shown: Shown, notes: Notes): void {
  const text = conf.text(key)
  if (text === undefined) return
  const nanos = parseDuration(text)
  if (nanos === undefined) {
    notes.unreadable ??= `time: invalid duration ${JSON.stringify(text)}`
    return
  }
  shown[key] = goDuration(nanos)
  if (nanos <= 0n) notes.findings.push({ field: conf.at(key), message: POSITIVE })
}

function disabledOf(block: Fields): { readonly disabled?: boolean } {
  const disabled = block.flag('disabled')
  return disabled === undefined ? {} : { disabled }
}

function readHttp(http: Fields, findings: Finding[]): Shown {
  const path = http.text('path')
  const problem = path === '' ? 'must be defined' : path === undefined ? undefined : pathProblem(path)
  if (problem !== undefined) findings.push({ field: http.at('path'), message: problem })
  const statuses = http.integers('expectedStatuses', STATUSES_MAX)
  for (const [i, status] of statuses.entries()) {
    if (status < STATUS.min || status > STATUS.max)
      findings.push({
        field: `${http.at('expectedStatuses')}[${i}]`,
        message: 'must be in inclusive range [100, 599]',
      })
  }
  const tooMany = statusesProblem(statuses)
  if (tooMany !== undefined) findings.push({ field: http.at('expectedStatuses'), message: tooMany })
  const headers = http.object('requestHeadersToAdd')
  return {
    ...(path === undefined ? {} : { path }),
    ...(headers === undefined ? {} : { requestHeadersToAdd: readHeaders(headers) }),
    ...(statuses.length === 0 ? {} : { expectedStatuses: statuses }),
  }
}

function readHeaders(headers: Fields): Shown {
  const shown: Shown = {}
  for (const key of ['set', 'add'] as const) {
    const list = headers.objects(key, HEADERS_OF_LIST_MAX).map(readHeader)
    noteTooLong(
      headers,
      headers.at(key),
      list.flatMap(({ name, value }) => [name, value]),
    )
    if (list.length > 0) shown[key] = list
  }
  return shown
}

function readHeader(header: Fields): NamedHeader {
  const name = header.text('name')
  const value = header.text('value')
  if (name === undefined) header.note(header.at('name'), 'in body is required')
  else if (name === '') header.note(header.at('name'), 'in body should be at least 1 chars long')
  else if (!NAME.test(name)) header.note(header.at('name'), `in body should match '${NAME_PATTERN}'`)
  else if (value !== undefined)
    assertHeader({ name, value }, { fields: header, name: header.at('name'), value: header.at('value') })
  if (value === undefined) header.note(header.at('value'), 'in body is required')
  return { name: name ?? '', value: value ?? '' }
}

function readGrpc(grpc: Fields, findings: Finding[]): Shown {
  const serviceName = grpc.text('serviceName', 255)
  const authority = grpc.text('authority', AUTHORITY.max)
  if (serviceName !== undefined && !/^[A-Za-z0-9_./-]*$/.test(serviceName))
    findings.push({ field: grpc.at('serviceName'), message: 'must be the name of a service' })
  if (authority !== undefined && authority !== '' && !AUTHORITY.pattern.test(authority))
    findings.push({
      field: grpc.at('authority'),
      message: 'must be a name or an address, with a port or without',
    })
  return {
    ...(serviceName === undefined ? {} : { serviceName }),
    ...(authority === undefined ? {} : { authority }),
  }
}
