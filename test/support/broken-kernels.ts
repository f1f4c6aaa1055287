/** Calls of a kernel that lacks something, fails or lies: what every core that sends packets must notice before it is used. */
import type { BatchCalls } from '../../src/probe/batch/batch-calls.ts'

export const AF_NETLINK = 16
export const SOCK_RAW = 3
const SO_ATTACH_FILTER = 26
const SO_TIMESTAMPNS = 35
const SO_MEMINFO = 55
const SO_RCVBUF = 8
const SO_RCVBUFFORCE = 33
const ICMP_FILTER = 1

/** By what is said of the kernel; `calls` are those of this host. */
export function brokenKernels(calls: BatchCalls): Readonly<Record<string, Partial<BatchCalls>>> {
  const setting = (option: number, returned: number): Partial<BatchCalls> => ({
    setsockopt: (...values) => (values[2] === option ? returned : calls.setsockopt(...values)),
  })
  return {
    'that makes no socket': { socket: () => -1 },
    'that makes no raw socket': {
      socket: (family, type, protocol) =>
        (type & 0xf) === SOCK_RAW && family !== AF_NETLINK ? -1 : calls.socket(family, type, protocol),
      errno: () => 1,
    },
    'that takes no filter': setting(SO_ATTACH_FILTER, -1),
    'that only says that it takes a filter': setting(SO_ATTACH_FILTER, 0),
    'without times of arrival': setting(SO_TIMESTAMPNS, -1),
    'without a filter of ICMP': setting(ICMP_FILTER, -1),
    'that counts no drops': {
      getsockopt: (...values) => (values[2] === SO_MEMINFO ? -1 : calls.getsockopt(...values)),
    },
    'that sends nothing': { sendmmsg: () => -1, errno: () => 1 },
    'that only says that it sends': { sendmmsg: (_fd, _messages, count) => count },
    'that receives nothing': { recvmmsg: () => -1 },
    'that receives something else': {
      recvmmsg: (_fd, messages) => {
        messages.fill(0x11, 56, 60)
        return 1
      },
    },
    'without a clock': { clock_gettime: () => -1 },
    'whose function cannot be called': {
      sendmmsg: () => {
        throw new TypeError('Unexpected Number value for argument 2, expected void *')
      },
    },
    'that says no addresses': { addressOf: () => 0n },
  }
}

/** With the smallest receive buffer that there is. */
export function withSmallBuffers(calls: BatchCalls): BatchCalls {
  return {
    ...calls,
    setsockopt: (...values) => {
      const [fd, level, option] = values
      if (option === SO_RCVBUFFORCE) return -1
      return option === SO_RCVBUF
        ? calls.setsockopt(fd, level, option, new Uint8Array(4), 4)
        : calls.setsockopt(...values)
    },
  }
}
