/** Options of what is sent and expected on a connection, in a datagram and in a call of gRPC. */
import type { EffectiveOption, Fitting, Planning } from './row-context.ts'
import { maskedHeaders } from './secret-headers.ts'
import { isOwnMetadata } from '../target/own-headers.ts'
import type { Range } from '../limits/range.ts'
import type { GrpcRequest, TcpExchange, UdpExchange } from '../target/probe-target.ts'
import { AUTHORITY, HEADER_NAME, HEADER_VALUE, HEADERS_MAX } from './header-forms.ts'
import { BASE64, decoded, group, rowsOf } from './option.ts'
import type { Preset } from './preset-names.ts'

const tcp = rowsOf<TcpExchange>()
const udp = rowsOf<UdpExchange>()
const grpc = rowsOf<GrpcRequest>()

export const TCP = group({
  description:
    'Base64; types TCP and TLS-HELLO. The answer holds the blocks in this order, with anything between them.',
  types: ['TCP', 'TLS-HELLO'],
  keys: {
    // 3 KiB.
    send: tcp.text({ max: 4096, pattern: BASE64, sets: (send) => ({ send: decoded(send) }) }),
    receive: tcp.list({
      max: 16,
      item: { kind: 'text', max: 1024, pattern: BASE64 },
      sets: (blocks) => ({ receive: blocks.map(decoded) }),
    }),
  },
})

/** keepalived's min_reply_length and max_reply_length; its own default holds where a pattern is set. */
const replyLength = { range: { min: 0, max: 65_535 }, unit: 'bytes' } as const

export const UDP = group({
  description: 'Type UDP-CONNECT.',
  types: ['UDP-CONNECT'],
  misfit: lengthMisfit,
  keys: {
    // One datagram that needs no fragments: 1452 bytes.
    payload: udp.text({
      max: 1936,
      pattern: BASE64,
      description: 'Base64.',
      sets: (payload) => ({ payload: decoded(payload) }),
    }),
    require_reply: udp.boolean({
      plan: ({ target }) => ({ value: target.udp?.requireReply ?? false, from: 'default' }),
    }),
    reply_pattern: udp.text({
      max: 512,
      pattern: /^([0-9A-Fa-f]{2}|XX)+$/,
      description: 'Hexadecimal digits of the bytes that the reply starts with; XX = any byte.',
      sets: (digits) => ({ replyPattern: patternOf(digits) }),
    }),
    min_reply_length: udp.integer({
      ...replyLength,
      description:
        'Bytes; absent = those of the pattern. What a shorter reply has of the pattern must match.',
      // docs/peers/probing.md 30: of a reply that is shorter than the pattern, the bytes that are there are compared.
      presets: { keepalived: 0 },
      plan: ({ target, ofPreset }) => ({ value: target.udp?.minReplyBytes, from: ofPreset }),
    }),
    max_reply_length: udp.integer({
      ...replyLength,
      description: 'Bytes.',
      presets: { keepalived: 255 },
      plan: ({ target, ofPreset }) => ({ value: target.udp?.maxReplyBytes, from: ofPreset }),
    }),
  },
})

export const GRPC = group({
  description: 'grpc.health.v1 instead of the HTTP request; types HTTP (prior knowledge) and HTTPS.',
  types: ['HTTP', 'HTTPS'],
  misfit: grpcMisfit,
  keys: {
    service: grpc.text({
      max: 255,
      pattern: /^[A-Za-z0-9_./-]*$/,
      description: 'Empty = the whole server.',
      sets: (service) => ({ service }),
    }),
    authority: grpc.text({ ...AUTHORITY, sets: (authority) => ({ authority }) }),
    metadata: grpc.list({
      max: HEADERS_MAX,
      item: {
        kind: 'object',
        keys: { name: HEADER_NAME, value: HEADER_VALUE },
        required: ['name'],
      },
      misfit: (entries) => {
        const own = entries.find(({ name }) => isOwnMetadata(name))
        return own === undefined ? undefined : `${own.name} is set by the probe itself`
      },
      plan: metadataPlan,
      sets: (entries) => ({ metadata: entries.map(({ name, value = '' }) => ({ name, value })) }),
    }),
  },
})

/** Length in bytes of a reply that is compared with a pattern, where options set none. */
export function replyLengthOf(preset: Preset): Range | undefined {
  const min = UDP.keys.min_reply_length.presets?.[preset]
  const max = UDP.keys.max_reply_length.presets?.[preset]
  return min === undefined || max === undefined ? undefined : { min, max }
}

function patternOf(digits: string): readonly (number | null)[] {
  const bytes = digits.match(/../g) ?? []
  return bytes.map((byte) => (byte === 'XX' ? null : Number.parseInt(byte, 16)))
}

function lengthMisfit({ options: { udp: given, preset } }: Fitting): string | undefined {
  const pattern = given?.reply_pattern
  // Without a pattern a preset sets no lengths; with one, and no preset, a reply must be at least as long.
  const ofPreset = preset === undefined ? undefined : replyLengthOf(preset)
  const held: Partial<Range> = pattern === undefined ? {} : (ofPreset ?? { min: pattern.length / 2 })
  const { min_reply_length: min = held.min ?? 0, max_reply_length: max = held.max } = given ?? {}
  // keepalived's words.
  return max === undefined || min <= max
    ? undefined
    : `min_reply_length ${min} > max_reply_length ${max} - will always fail`
}

function grpcMisfit({ options, httpMethod }: Fitting): string | undefined {
  // Grey Matter's words.
  if (options.http !== undefined) return 'must not have more than one type of health check defined'
  return httpMethod === 'CONNECT' ? `it does not fit http_method 'CONNECT'` : undefined
}

/** Values of secret headers are masked. */
function metadataPlan({ monitor }: Planning): EffectiveOption {
  return { value: maskedHeaders(monitor.options?.grpc?.metadata), from: 'options' }
}
