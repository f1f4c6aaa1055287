/**
 * Addresses and ports at which nothing listens, and nothing will. The files of a suite run side by side: a port that the
 * kernel chose and a test closed is soon given to the listener of another file, and what must be refused is answered.
 */

/** Ports that no kernel chooses by itself: below 32768, where Linux begins (49152 elsewhere), and above the well-known. */
const FIRST = 16_384
const COUNT = 16_384
/** How often another port is tried where somebody has one. */
const TRIES = 20

/**
 * Listens at a port that the kernel gives to nobody else: `listenAt` resolves when it listens, and rejects where the
 * port is taken. Resolves to the port.
 */
export async function listenApart(listenAt: (port: number) => Promise<unknown>): Promise<number> {
  for (let tries = 1; ; tries++) {
    const port = FIRST + Math.floor(Math.random() * COUNT)
    try {
      await listenAt(port)
      return port
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE' || tries === TRIES) throw error
    }
  }
}

const given = new Set<number>()

/** A port that the kernel gives to nobody else, and that this process was not given before; another may have taken it. */
export function portApart(): number {
  for (;;) {
    const port = FIRST + Math.floor(Math.random() * COUNT)
    if (given.has(port)) continue
    given.add(port)
    return port
  }
}

/** An address of loopback that only this process uses, where all of 127.0.0.0/8 is loopback; else 127.0.0.1. */
export const OWN_LOOPBACK =
  process.platform === 'linux'
    ? `127.${64 + ((process.pid >> 16) & 63)}.${(process.pid >> 8) & 255}.${process.pid & 255}`
    : '127.0.0.1'
