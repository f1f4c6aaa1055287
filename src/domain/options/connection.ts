/** Options of how a probe connects, and those of PING: the parts of the target that they set. */
import { FRESH_EVERY_DEFAULT } from '../limits.ts'
import { parseAddress } from '../address/ip-address.ts'
import type { EffectiveOption, Fitting, Planning, ReadOptions } from './row-context.ts'
import type { ProbeTarget } from '../target/probe-target.ts'
import type { MonitorType } from '../types.ts'
import { group, rowsOf } from './option.ts'

const { integer, boolean, word, text } = rowsOf<ProbeTarget>()

const CONNECTED: readonly MonitorType[] = ['HTTP', 'HTTPS', 'TCP', 'TLS-HELLO']
const REUSING: readonly MonitorType[] = ['HTTP', 'HTTPS', 'TCP']

export const CONNECTION = group({
  description: 'Types HTTP, HTTPS, TCP and TLS-HELLO; source_address UDP-CONNECT too.',
  keys: {
    reuse: boolean({
      description: 'Keep the connection between probes; types HTTP, HTTPS and TCP.',
      types: REUSING,
      presets: { envoy: true, kuma: true },
      otherwise: false,
      plan: reusePlan,
    }),
    fresh_every: integer({
      range: { min: 1, max: 10_000 },
      unit: 'probes',
      description: 'Probes after which a kept connection is made anew.',
      types: REUSING,
      otherwise: FRESH_EVERY_DEFAULT,
      plan: ({ target }) => ({ value: target.reuse?.freshEvery, from: 'default' }),
    }),
    close: word({
      words: ['fin', 'rst'],
      description: 'How a probe ends its connection; below TLS always fin.',
      types: CONNECTED,
      presets: { haproxy: 'rst' },
      plan: closePlan,
      sets: (close) => ({ close }),
    }),
    handshake: word({
      words: ['full', 'half'],
      description:
        'Type TCP; half: SYN, SYN-ACK, RST, so that the listening program does not see it (where the prober can; else full).',
      types: ['TCP'],
      // TCP_QUICKACK off (tcp_connect_server): the SYN-ACK is answered with the RST.
      presets: { haproxy: 'half' },
      otherwise: 'full',
      misfit: handshakeMisfit,
      plan: handshakePlan,
    }),
    idle_close_is_failure: boolean({
      description: 'A kept connection that the target closes is a failure.',
      types: REUSING,
      // Of TCP: Envoy's HTTP and gRPC checks connect anew.
      presets: { envoy: true, kuma: true },
      otherwise: false,
      plan: ({ target, ofPreset }) => ({ value: target.reuse?.idleCloseIsFailure, from: ofPreset }),
    }),
    source_address: text({
      max: 64,
      pattern: /^[0-9A-Fa-f:.]+$/,
      description: 'One of HM_SOURCE_ADDRESSES; members of the other family are probed from another.',
      // Raw sockets are shared by all checks: the kernel chooses where PING and SCTP leave from.
      types: [...CONNECTED, 'UDP-CONNECT'],
      misfit: sourceMisfit,
    }),
    proxy_protocol: word({
      words: ['v1', 'v2'],
      types: CONNECTED,
      plan: ({ target: { proxyProtocol: version } }) => ({
        value: version === undefined ? undefined : `v${version}`,
        from: 'pool',
      }),
    }),
  },
})

export const ICMP = group({
  description: 'Type PING.',
  types: ['PING'],
  keys: {
    count: integer({
      range: { min: 1, max: 10 },
      unit: 'echo requests',
      // docs/peers/probing.md 35: `ping -c2`.
      presets: { contrail: 2 },
      otherwise: 1,
      sets: (echoCount) => ({ echoCount }),
    }),
  },
})

/** Whether nothing needs a full connection. */
export function canBeHalfOpen({ tcp, connection }: ReadOptions): boolean {
  return (
    tcp === undefined &&
    connection?.proxy_protocol === undefined &&
    connection?.source_address === undefined &&
    connection?.close !== 'fin'
  )
}

function handshakeMisfit(handshake: string, { options }: Fitting): string | undefined {
  return handshake === 'half' && !canBeHalfOpen(options)
    ? 'half does not fit tcp, proxy_protocol, source_address or close fin: there is no connection'
    : undefined
}

function sourceMisfit(source: string, { surroundings }: Fitting): string | undefined {
  const canonical = parseAddress(source)?.canonical
  return canonical === undefined || !surroundings.sourceAddresses.includes(canonical)
    ? `${source} is not one of HM_SOURCE_ADDRESSES`
    : undefined
}

function isConnected(type: MonitorType): boolean {
  return CONNECTED.includes(type)
}

function reusePlan({ type, target, ofPreset }: Planning): EffectiveOption | undefined {
  return isConnected(type) ? { value: target.reuse !== undefined, from: ofPreset } : undefined
}

/** Under TLS never with RST; a plain connect always, unless an option says otherwise. */
function closePlan({ type, target, preset, ofPreset, pool }: Planning): EffectiveOption | undefined {
  if (!isConnected(type)) return undefined
  const saysNothing = type === 'TCP' && target.tcp === undefined && target.proxyProtocol === undefined
  const isSecure = type === 'HTTPS' || type === 'TLS-HELLO' || pool.tls !== undefined
  const close = isSecure ? 'fin' : (target.close ?? (saysNothing ? 'rst' : 'fin'))
  return { value: close, from: close === CONNECTION.keys.close.presets?.[preset] ? ofPreset : 'default' }
}

function handshakePlan({ type, target, preset, ofPreset }: Planning): EffectiveOption | undefined {
  if (type !== 'TCP') return undefined
  const handshake = target.halfOpen === true ? 'half' : 'full'
  const isOfPreset = handshake === CONNECTION.keys.handshake.presets?.[preset]
  return { value: handshake, from: isOfPreset ? ofPreset : 'default' }
}
