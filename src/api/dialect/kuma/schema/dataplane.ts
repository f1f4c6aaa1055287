/** Dataplane (docs/peers/kuma.md 16): read, checked with its own sentences, and as it is shown. */
import { parseAddress } from '../../../../domain/address/ip-address.ts'
import { parseDuration, protobufDuration } from '../../../../domain/kuma/duration.ts'
import { INBOUNDS_MAX, OUTBOUNDS_MAX, PORT, PORT_NAME_MAX } from '../../../../domain/kuma/limits.ts'
import { SERVICE_TAG, type Tags } from '../../../../domain/kuma/objects.ts'
import type { Finding } from '../findings.ts'
import { ZONE, ZONE_TAG } from '../labels.ts'
import type { Fields } from './fields.ts'
import type { BodyOf } from './object-body.ts'

type Shown = Record<string, unknown>

/** A DNS name (RFC 1123). */
const HOST_NAME =
  /^(?=.{1,253}$)[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*$/
const STATES = ['Ready', 'NotReady', 'Ignored']

export function readDataplane(fields: Fields): BodyOf {
  const findings: Finding[] = []
  const networking = fields.object('networking')
  if (networking === undefined) {
    findings.push({ field: 'networking', message: 'has to be defined' })
    return { body: {}, findings }
  }
  const address = networking.text('address') ?? ''
  noteAddress(findings, networking.at('address'), address)
  const inbounds = networking.objects('inbound', INBOUNDS_MAX)
  const gateway = networking.object('gateway')
  if (inbounds.length === 0 && gateway === undefined)
    findings.push({
      field: 'networking',
      message: 'has to contain at least one inbound interface or gateway',
    })
  if (inbounds.length > 0 && gateway !== undefined)
    findings.push({ field: 'networking', message: 'inbound cannot be defined both with gateway' })
  const inbound = inbounds.map((each) => readInbound(each, address, findings))
  const outbound = networking.objects('outbound', OUTBOUNDS_MAX).map((each) => readOutbound(each, findings))
  return {
    findings,
    body: {
      networking: {
        address,
        ...(inbound.length === 0 ? {} : { inbound }),
        ...(outbound.length === 0 ? {} : { outbound }),
        ...(gateway === undefined ? {} : { gateway: readGateway(gateway, findings) }),
      },
    },
  }
}

function noteAddress(findings: Finding[], field: string, address: string): void {
  if (address === '') findings.push({ field, message: "address can't be empty" })
  else if (parseAddress(address) === undefined && !(HOST_NAME.test(address) && /[A-Za-z]/.test(address)))
    findings.push({ field, message: 'address has to be valid IP address or domain name' })
}

function notePort(findings: Finding[], field: string, port: number): void {
  if (port < PORT.min || port > PORT.max)
    findings.push({ field, message: `port has to be in range of [${PORT.min}, ${PORT.max}]` })
}

function readInbound(fields: Fields, networkAddress: string, findings: Finding[]): Shown {
  const port = fields.integer('port') ?? 0
  notePort(findings, fields.at('port'), port)
  const servicePort = fields.integer('servicePort') ?? 0
  if (servicePort !== 0) notePort(findings, fields.at('servicePort'), servicePort)
  const address = fields.text('address') ?? ''
  if (address !== '') noteAddress(findings, fields.at('address'), address)
  const serviceAddress = fields.text('serviceAddress') ?? ''
  if (serviceAddress !== '') {
    noteAddress(findings, fields.at('serviceAddress'), serviceAddress)
    const isSame =
      serviceAddress === (address === '' ? networkAddress : address) &&
      (servicePort === 0 ? port : servicePort) === port
    if (isSame)
      findings.push({
        field: fields.at('serviceAddress'),
        message: 'serviceAddress and servicePort has to differ from address and port',
      })
  }
  const name = fields.text('name', PORT_NAME_MAX) ?? ''
  return {
    port,
    ...(servicePort === 0 ? {} : { servicePort }),
    ...(serviceAddress === '' ? {} : { serviceAddress }),
    ...(address === '' ? {} : { address }),
    tags: readTags(fields, findings),
    ...readHealth(fields),
    ...readServiceProbe(fields, findings),
    ...readState(fields),
    ...(name === '' ? {} : { name }),
  }
}

/** `ready: false` is not shown, as in the original: health without `ready` is not ready. */
function readHealth(fields: Fields): Shown {
  const health = fields.object('health')
  if (health === undefined) return {}
  return { health: health.flag('ready') === true ? { ready: true } : {} }
}

function readState(fields: Fields): Shown {
  const state = fields.text('state')
  if (state === undefined) return {}
  if (!STATES.includes(state))
    fields.note(fields.at('state'), `in body should be one of [${STATES.join(' ')}]`)
  // Ready is what an inbound is without a state.
  return state === 'Ready' ? {} : { state }
}

function readServiceProbe(fields: Fields, findings: Finding[]): Shown {
  const probe = fields.object('serviceProbe')
  if (probe === undefined) return {}
  const shown: Shown = {}
  for (const key of ['interval', 'timeout'] as const) {
    const text = probe.text(key)
    const nanos = text === undefined ? undefined : parseDuration(text)
    if (text !== undefined && nanos === undefined)
      probe.note(probe.at(key), `invalid duration ${JSON.stringify(text)}`)
    else if (nanos !== undefined && nanos <= 0n)
      findings.push({ field: probe.at(key), message: 'must have a positive value' })
    else if (nanos !== undefined) shown[key] = protobufDuration(nanos)
  }
  for (const key of ['unhealthyThreshold', 'healthyThreshold'] as const) {
    const threshold = probe.integer(key)
    if (threshold === undefined) continue
    if (threshold <= 0) findings.push({ field: probe.at(key), message: 'must have a positive value' })
    shown[key] = threshold
  }
  return { serviceProbe: { ...shown, ...(probe.object('tcp') === undefined ? {} : { tcp: {} }) } }
}

/** Each inbound and gateway is in a zone. */
function readTags(fields: Fields, findings: Finding[]): Tags {
  const tags = fields.textMap('tags') ?? {}
  if (!Object.hasOwn(tags, SERVICE_TAG))
    findings.push({
      field: `${fields.at('tags')}[${JSON.stringify(SERVICE_TAG)}]`,
      message: 'tag has to exist',
    })
  for (const [tag, value] of Object.entries(tags)) {
    if (value === '')
      findings.push({
        field: `${fields.at('tags')}[${JSON.stringify(tag)}]`,
        message: "tag value can't be empty",
      })
  }
  return { ...tags, [ZONE_TAG]: tags[ZONE_TAG] ?? ZONE }
}

function readGateway(fields: Fields, findings: Finding[]): Shown {
  const type = fields.text('type')
  if (type !== undefined && type !== 'DELEGATED' && type !== 'BUILTIN')
    fields.note(fields.at('type'), 'in body should be one of [DELEGATED BUILTIN]')
  return {
    ...(type === 'BUILTIN' ? { type } : {}),
    tags: readTags(fields, findings),
  }
}

function readOutbound(fields: Fields, findings: Finding[]): Shown {
  const port = fields.integer('port') ?? 0
  notePort(findings, fields.at('port'), port)
  const address = fields.text('address') ?? ''
  const tags = fields.textMap('tags')
  const service = fields.text('service') ?? ''
  const backendRef = fields.object('backendRef')
  const named = tags ?? (service === '' ? undefined : { [SERVICE_TAG]: service })
  if (backendRef === undefined && !Object.hasOwn(named ?? {}, SERVICE_TAG))
    findings.push({
      field: `${fields.at('tags')}[${JSON.stringify(SERVICE_TAG)}]`,
      message: 'tag has to exist',
    })
  return {
    port,
    ...(address === '' ? {} : { address }),
    ...(named === undefined ? {} : { tags: named }),
    ...(backendRef === undefined ? {} : { backendRef: readBackendRef(backendRef) }),
  }
}

function readBackendRef(fields: Fields): Shown {
  const [kind, name, port, labels] = [
    fields.text('kind'),
    fields.text('name'),
    fields.integer('port'),
    fields.textMap('labels'),
  ]
  return {
    ...(kind === undefined ? {} : { kind }),
    ...(name === undefined ? {} : { name }),
    ...(port === undefined ? {} : { port }),
    ...(labels === undefined ? {} : { labels }),
  }
}
