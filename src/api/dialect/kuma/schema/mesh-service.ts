/** MeshService (docs/peers/kuma.md 17): what is stored of it. Its state and status are ours, whatever a client sends. */
import { PORT, PORT_NAME_MAX, PORTS_MAX } from '../../../../domain/kuma/limits.ts'
import type { Finding } from '../findings.ts'
import type { Fields } from './fields.ts'
import type { BodyOf } from './object-body.ts'

type Shown = Record<string, unknown>

export function readMeshService(fields: Fields): BodyOf {
  const findings: Finding[] = []
  const spec = fields.object('spec')
  if (spec === undefined) {
    if (!fields.has('spec')) fields.note('', '.spec in body is required')
    return { body: {}, findings }
  }
  const ports = spec.objects('ports', PORTS_MAX).map((port) => readPort(port, findings))
  findings.push(...notUnique(ports))
  const selector = spec.object('selector')
  return {
    findings,
    body: {
      spec: {
        selector: selector === undefined ? {} : readSelector(selector),
        ...(ports.length === 0 ? {} : { ports }),
      },
    },
  }
}

/** A port is named by its number or its name: one that has the number of another as name would be taken for it. */
function notUnique(ports: readonly Shown[]): readonly Finding[] {
  const numbers = new Set<unknown>()
  const names = new Map<unknown, number>(ports.map(({ port }, i) => [String(port), i]))
  return ports.flatMap(({ port, name }, i): readonly Finding[] => {
    const field = `spec.ports[${i}]`
    if (numbers.has(port)) return [{ field: `${field}.port`, message: 'port entries must be unique' }]
    numbers.add(port)
    if (name === undefined) return []
    const other = names.get(name)
    if (other !== undefined && other !== i)
      return [
        { field: `${field}.name`, message: 'names of ports must be unique, and not the number of another' },
      ]
    names.set(name, i)
    return []
  })
}

function readSelector(selector: Fields): Shown {
  const dataplaneTags = selector.textMap('dataplaneTags')
  const byLabels = selector.object('dataplaneLabels')
  const byName = selector.object('dataplaneRef')
  const matchLabels = byLabels?.textMap('matchLabels')
  const name = byName?.text('name')
  return {
    ...(dataplaneTags === undefined ? {} : { dataplaneTags }),
    ...(matchLabels === undefined ? {} : { dataplaneLabels: { matchLabels } }),
    ...(name === undefined ? {} : { dataplaneRef: { name } }),
  }
}

function readPort(fields: Fields, findings: Finding[]): Shown {
  const port = fields.integer('port')
  if (port === undefined) fields.note(fields.at('port'), 'in body is required')
  else if (port < PORT.min || port > PORT.max) findings.push({ field: fields.at('port'), message: NO_PORT })
  const name = fields.text('name', PORT_NAME_MAX) ?? ''
  const target = readTarget(fields, findings)
  const appProtocol = fields.text('appProtocol', PORT_NAME_MAX)
  return {
    ...(name === '' ? {} : { name }),
    port: port ?? 0,
    ...target,
    // As the original shows it where nothing was said.
    appProtocol: appProtocol ?? 'tcp',
  }
}

/** Clients send 0 where a file says nothing. */
function readTarget(fields: Fields, findings: Finding[]): Shown {
  const target = fields.portOrName('targetPort', PORT_NAME_MAX)
  if (target === undefined || target === 0) return {}
  if (typeof target === 'number' && (target < PORT.min || target > PORT.max))
    findings.push({ field: fields.at('targetPort'), message: NO_PORT })
  return { targetPort: target }
}

const NO_PORT = `port must be a valid (${PORT.min}-${PORT.max})`
